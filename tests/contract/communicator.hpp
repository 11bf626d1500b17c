// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the suites over all communication policies share. Workers are threads or, where a launcher started the program, its
// processes.

#include <partita/comm/run.hpp>
#include <partita/comm/wire.hpp>
#include <partita/core/random.hpp>
#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace communicator_contract {

namespace pt = partita;

#ifdef PARTITA_HAS_MPI
inline const bool in_process = !pt::Mpi::is_launched();

/// The transport of this start of the program: every body is compiled once for both.
struct Transport {
    static void launch(const pt::RunSettings& settings, pt::FunctionRef<void(pt::Channel&)> worker) {
        in_process ? pt::InProcess::launch(settings, worker) : pt::Mpi::launch(settings, worker);
    }
};
#else
using Transport = pt::InProcess;
constexpr bool in_process = true;
#endif

/// The numbers of workers to try: these, or that which the launcher started if it lies between them.
inline std::vector<std::size_t> worker_counts(std::initializer_list<std::size_t> wanted) {
    if (in_process) return wanted;
    const auto started =
        pt::run<pt::TreeAggregate<Transport>>({.threads = 1}, [](pt::Session& session) { return session.size(); });
    const char* launched = std::getenv("PARTITA_TEST_PROCESSES");
    if (launched == nullptr || std::to_string(started) != launched)
        throw std::logic_error("these are not the processes that were launched");
    if (started < std::min(wanted) || started > std::max(wanted)) return {};
    return {started};
}

/// Runs a body with so many workers, of one thread each where no number is given.
template <class Policy, class Body>
void run_on(pt::RunSettings settings, Body body) {
    if (!in_process) settings.workers = 0;
    if (settings.threads == 0) settings.threads = 1;
    settings.progress = pt::ShowProgress::never;
    pt::run<Policy>(settings, body);
}

/// What every worker has in its place of a list, on all workers, after a run that filled in the places.
template <class T>
void share_out(std::vector<T>& places) {
    if (in_process) return;
    pt::run<pt::TreeAggregate<Transport>>({.threads = 1}, [&](pt::Session& session) {
        pt::Bytes mine;
        pt::ByteWriter writer(mine);
        pt::Wire<T>::write(places[session.rank()], writer);
        const std::vector<pt::Bytes> everyones = session.communicator().all_gather(mine);
        for (std::size_t rank = 0; rank < places.size(); ++rank) {
            pt::ByteReader reader(everyones[rank]);
            places[rank] = pt::Wire<T>::read(reader);
        }
    });
}

/// Runs a body on so many workers and keeps what each of them reports: assertions belong to the test's own thread.
template <class Policy, class Body>
std::vector<std::string> report(const pt::RunSettings& settings, Body body) {
    std::vector<std::string> lines(settings.workers);
    run_on<Policy>(settings, [&](pt::Session& session) { lines[session.rank()] = body(session); });
    share_out(lines);
    return lines;
}

/// What came of an action, in words: "fine", or the cause with process and block, or the type.
template <class Action>
std::string outcome(Action&& action) {
    try {
        action();
        return "fine";
    } catch (const pt::RemoteError& error) {
        return "remote_error of " + std::to_string(error.place().process) + ": " + error.type();
    } catch (const pt::Error& error) {
        return std::string(error.cause()) + " of " + std::to_string(error.place().process);
    } catch (const std::exception& error) {
        return std::string("original ") + error.what();
    } catch (int number) {
        return "original int " + std::to_string(number);
    }
}

inline std::vector<std::string> all(std::size_t workers, const std::string& line) {
    return std::vector<std::string>(workers, line);
}

/// How `run` ends where worker `thrower` threw what only it knows: as the original, but as a copy for other processes.
inline std::string original_at(std::size_t thrower, const std::string& original, const std::string& type) {
    std::size_t here = thrower;
    if (!in_process)
        pt::run<pt::TreeAggregate<Transport>>({.threads = 1}, [&](pt::Session& session) { here = session.rank(); });
    return here == thrower ? "original " + original : "remote_error of " + std::to_string(thrower) + ": " + type;
}

/// Numbers that depend on the arguments alone.
inline std::uint64_t scrambled(std::uint64_t a, std::uint32_t b = 0, std::uint64_t c = 0) {
    const auto bits = pt::random_bits(c, b, a);
    return bits[0] | std::uint64_t{bits[1]} << 32;
}

/// A policy as a user would write one: everybody talks to worker 0.
template <class TransportType = Transport>
class Star {
  public:
    using transport = TransportType;
    explicit Star(pt::Link& link) : link_(link) {}
    std::size_t rank() const { return link_.rank(); }
    std::size_t size() const { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, pt::Reduction reduction) {
        if (rank() == 0) {
            for (std::size_t i = 1; i < size(); ++i) link_.combine(i, words, reduction);
            for (std::size_t i = 1; i < size(); ++i) link_.send(i, words);
        } else {
            link_.send(0, words);
            link_.receive(0, words);
        }
    }
    std::vector<pt::Bytes> all_gather(std::span<const std::byte> mine) {
        std::vector<pt::Bytes> all{pt::Bytes(mine.begin(), mine.end())};
        if (rank() != 0) {
            link_.send(0, mine);
            all.clear();
            for (std::size_t i = 0; i < size(); ++i) all.push_back(link_.receive(0));
        } else {
            for (std::size_t i = 1; i < size(); ++i) all.push_back(link_.receive(i));
            for (std::size_t i = 1; i < size(); ++i) {
                for (const pt::Bytes& bytes : all) link_.send(i, bytes);
            }
        }
        return all;
    }
    void broadcast(pt::Bytes& bytes, std::size_t root) {
        if (rank() == root) {
            for (std::size_t i = 0; i < size(); ++i) {
                if (i != root) link_.send(i, bytes);
            }
        } else {
            bytes = link_.receive(root);
        }
    }

  private:
    pt::Link& link_;
};

}  // namespace communicator_contract
