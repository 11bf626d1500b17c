// SPDX-License-Identifier: Apache-2.0
// Sums of 64-bit integers over all processes: ours under each policy and MPI_Allreduce, in turns in one run. Start it with
// `bench/all_reduce/compare`, which tries Open MPI's settings; one line a case: ours, theirs, and theirs over ours.

#include <partita/comm/mpi.hpp>
#include <partita/comm/run.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <vector>

namespace pt = partita;

namespace {

using Clock = std::chrono::steady_clock;

/// Microseconds of one call, on the slowest worker, over so many in a row.
template <class Call>
double time_us(int calls, Call&& call) {
    MPI_Barrier(MPI_COMM_WORLD);
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) call();
    double us = std::chrono::duration<double, std::micro>(Clock::now() - start).count() / calls;
    MPI_Allreduce(MPI_IN_PLACE, &us, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return us;
}

struct Times {
    double best = std::numeric_limits<double>::infinity();
    std::vector<double> all;
    void add(double us) {
        best = std::min(best, us);
        all.push_back(us);
    }
    double median() {
        std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
        return all[all.size() / 2];
    }
};

template <class Policy>
void compare(const char* name, std::size_t ring_from_bytes = pt::default_ring_from_bytes) {
    pt::RunSettings settings{.threads = 1};
    settings.ring_from_bytes = ring_from_bytes;
    pt::run<Policy>(settings, [&](pt::Session& session) {
        const auto workers = static_cast<std::int64_t>(session.size());
        for (const std::size_t bytes : {8U, 32U << 10, 256U << 10, 8U << 20}) {
            std::vector<std::int64_t> words(bytes / 8);
            const auto fill = [&] {
                for (std::size_t i = 0; i < words.size(); ++i)
                    words[i] = static_cast<std::int64_t>(i) - static_cast<std::int64_t>(session.rank());
            };
            const auto check = [&] {
                for (std::size_t i = 0; i < words.size(); ++i)
                    if (words[i] != workers * static_cast<std::int64_t>(i) - workers * (workers - 1) / 2)
                        throw std::logic_error("a wrong sum");
            };
            const auto ours = [&] { session.communicator().all_reduce(words); };
            const auto theirs = [&] {
                MPI_Allreduce(MPI_IN_PLACE, words.data(), static_cast<int>(words.size()), MPI_INT64_T, MPI_SUM,
                              MPI_COMM_WORLD);
            };
            fill();
            ours();
            check();
            fill();
            theirs();
            check();
            const int calls = bytes > (1U << 20) ? 10 : bytes > 1000 ? 300 : 2000;
            Times our_times, their_times;
            for (int turn = 0; turn < 15; ++turn) {
                our_times.add(time_us(calls, ours));
                their_times.add(time_us(calls, theirs));
            }
            session.print(
                "{:<18}{:>9} B  ours {:>9.2f} us (median {:>9.2f})  MPI_Allreduce {:>9.2f} us ({:>9.2f})  ratio "
                "{:.2f}\n",
                name, bytes, our_times.best, our_times.median(), their_times.best, their_times.median(),
                their_times.best / our_times.best);
        }
    });
}

}  // namespace

int main() {
    if (!pt::Mpi::is_launched()) {
        std::fputs("start this with mpirun, or with bench/all_reduce/compare\n", stderr);
        return 2;
    }
    compare<pt::RingAllReduce<pt::Mpi>>("RingAllReduce");
    compare<pt::RingAllReduce<pt::Mpi>>("  always round", 0);
    compare<pt::RingAllReduce<pt::Mpi>>("  never round", ~std::size_t{0});
    compare<pt::TreeAggregate<pt::Mpi>>("TreeAggregate");
    compare<pt::ParameterServer<pt::Mpi>>("ParameterServer");
}
