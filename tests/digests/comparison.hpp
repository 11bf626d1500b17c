// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes model files under every setting that must not change them, and compares them byte for byte.

#include <partita/comm/run.hpp>
#include <partita/persist/checksum.hpp>
#ifdef PARTITA_TEST_MPI
#include <partita/comm/mpi.hpp>
#endif

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace digests {

namespace pt = partita;

/// Fits that share their data: what a session makes of them, with chunks of so many blocks, one model file for each name.
struct Job {
    const char* name;
    std::vector<const char*> fits;
    std::function<std::vector<std::string>(pt::Session&, std::size_t)> run;
};

inline std::string digest(std::string_view bytes) {
    return pt::checksum_text(pt::checksum(std::as_bytes(std::span(bytes))));
}

/// A safetensors file: the length of its header in eight bytes, the header, the tensors.
inline std::string_view tensors(std::string_view file) {
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, file.data(), sizeof header_bytes);
    return file.substr(sizeof header_bytes + header_bytes);
}

class Comparison {
  public:
    explicit Comparison(const Job& job) : job_(job), agreeing_(job.fits.size()) {}

    /// Compares all, and prints a line for each fit. False if anything differs.
    bool run() {
        compare();
        if (!primary_) return sound_;
        for (std::size_t i = 0; i < job_.fits.size(); ++i)
            std::printf("%-14s %-26s file %s  numbers %s  (%zu bytes, equal under %zu settings)\n", job_.name,
                        job_.fits[i], digest(first_[i]).c_str(), digest(tensors(first_[i])).c_str(), first_[i].size(),
                        agreeing_[i]);
        std::fflush(stdout);
        return sound_;
    }

  private:
#ifdef PARTITA_TEST_MPI
    /// Every process compares its own files with those of one thread.
    void compare() {
        pt::LocalSession session({.threads = 1, .progress = pt::ShowProgress::never});
        check(job_.run(session, 4), "one process");
        for (std::size_t threads : {1, 2}) {
            under<pt::TreeAggregate<pt::Mpi>>("TreeAggregate", threads);
            under<pt::RingAllReduce<pt::Mpi>>("RingAllReduce", threads);
            under<pt::ParameterServer<pt::Mpi>>("ParameterServer", threads);
        }
    }

    template <class Policy>
    void under(const char* name, std::size_t threads) {
        pt::run<Policy>({.threads = threads, .progress = pt::ShowProgress::never}, [&](pt::Session& session) {
            primary_ = session.primary();
            const char* launched = std::getenv("PARTITA_TEST_PROCESSES");
            if (launched == nullptr || std::to_string(session.size()) != launched) {
                std::printf("FAILED: these are not the processes that were launched\n");
                sound_ = false;
            }
            check(job_.run(session, session.size() % 2 == 0 ? 1 : 4),
                  std::string(name) + ", process " + std::to_string(session.rank()) + " of " +
                      std::to_string(session.size()) + " with " + std::to_string(threads) + " threads");
        });
    }
#else
    void compare() {
        for (std::size_t threads : {1, 2, 3, 8})
            for (std::size_t chunk_blocks : {1, 4, 16}) {
                pt::LocalSession session({.threads = threads, .progress = pt::ShowProgress::never});
                check(job_.run(session, chunk_blocks),
                      std::to_string(threads) + " threads, chunks of " + std::to_string(chunk_blocks) + " blocks");
            }
        for (std::size_t workers : {1, 2, 3, 5}) {
            under<pt::TreeAggregate<>>("TreeAggregate", workers);
            under<pt::RingAllReduce<>>("RingAllReduce", workers);
            under<pt::ParameterServer<>>("ParameterServer", workers);
        }
    }

    /// Every worker has the model, and each is compared.
    template <class Policy>
    void under(const char* name, std::size_t workers) {
        const std::size_t chunk_blocks = workers % 2 == 0 ? 1 : 4;
        std::vector<std::vector<std::string>> files(workers);
        pt::run<Policy>({.threads = 2, .workers = workers, .progress = pt::ShowProgress::never},
                        [&](pt::Session& session) { files[session.rank()] = job_.run(session, chunk_blocks); });
        for (std::size_t rank = 1; rank < workers; ++rank)
            if (files[rank] != files[0]) {
                std::printf("FAILED: %s: worker %zu of %zu has other models under %s\n", job_.name, rank, workers,
                            name);
                sound_ = false;
            }
        check(files[0], std::string(name) + " with " + std::to_string(workers) + " workers");
    }
#endif

    void check(const std::vector<std::string>& files, const std::string& setting) {
        if (first_.empty()) first_ = files;
        for (std::size_t i = 0; i < job_.fits.size(); ++i) {
            if (files[i] == first_[i]) {
                ++agreeing_[i];
                continue;
            }
            std::printf("FAILED: %s, %s: file %s under %s\n", job_.name, job_.fits[i], digest(files[i]).c_str(),
                        setting.c_str());
            sound_ = false;
        }
    }

    const Job& job_;
    std::vector<std::string> first_;
    std::vector<std::size_t> agreeing_;
    bool primary_ = true;  // prints what is equal
    bool sound_ = true;
};

/// The fits of two examples (examples.cpp), of made-up rows that go where those do not (fits.cpp), and of learners that go step by
/// step (steps.cpp). On every so many rows.
std::vector<Job> example_jobs(const std::string& examples, std::size_t every);
std::vector<Job> made_up_jobs(std::size_t every);
std::vector<Job> step_jobs();

}  // namespace digests
