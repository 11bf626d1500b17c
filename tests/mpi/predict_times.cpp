// SPDX-License-Identifier: Apache-2.0
// How long all-reduces take on the hosts that it is started on, against what Simulated predicts from a ping-pong between them:
//   mpirun … predict_times WORKERS_PER_HOST [LARGEST_ERROR]
// Prints a table; with an error given (0.25), fails where a prediction is further off than that.

#include <partita/comm/mpi.hpp>
#include <partita/comm/simulated.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

namespace pt = partita;

namespace {

/// One message from worker 0 to another and back.
template <std::size_t (*partner)(std::size_t workers)>
class PingPong {
  public:
    using transport = pt::Mpi;
    explicit PingPong(pt::Link& link) : link_(link) {}
    std::size_t rank() const { return link_.rank(); }
    std::size_t size() const { return link_.size(); }
    void all_reduce(std::span<std::int64_t> words, pt::Reduction) {
        const std::size_t other = partner(size());
        if (rank() == 0) {
            link_.send(other, words);
            link_.receive(other, words);
        } else if (rank() == other) {
            link_.receive(0, words);
            link_.send(0, words);
        }
    }
    std::vector<pt::Bytes> all_gather(std::span<const std::byte>) { return {}; }

  private:
    pt::Link& link_;
};
std::size_t on_other_host(std::size_t workers) { return workers / 2; }
std::size_t on_same_host(std::size_t) { return 1; }

/// The shortest time of several, on the worker that took longest, in seconds.
template <class Policy>
double measure(std::size_t bytes, int repetitions) {
    const pt::RunSettings settings{.threads = 1, .progress = pt::ShowProgress::never};
    std::vector<std::int64_t> took_ns;
    pt::run<Policy>(settings, [&](pt::Session& session) {
        std::vector<std::int64_t> words(bytes / sizeof(std::int64_t));
        for (int i = -1; i < repetitions; ++i) {  // the first warms up
            MPI_Barrier(MPI_COMM_WORLD);
            const auto begin = std::chrono::steady_clock::now();
            session.communicator().all_reduce(words);
            const auto took = std::chrono::steady_clock::now() - begin;
            if (i >= 0) took_ns.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
        }
    });
    pt::run<pt::TreeAggregate<pt::Mpi>>(
        settings, [&](pt::Session& session) { session.communicator().all_reduce(took_ns, pt::Reduction::maximum); });
    return static_cast<double>(*std::min_element(took_ns.begin(), took_ns.end())) * 1e-9;
}

struct Way {
    double message_seconds = 0;  // of an empty one, from the call to its return on the other side
    double bytes_per_second = 0;
};

template <class Policy>
Way calibrate() {
    constexpr std::size_t small = 8, medium = 1 << 18, large = 1 << 20;
    Way way;
    way.message_seconds = measure<Policy>(small, 200) / 2;
    const double seconds = (measure<Policy>(large, 4) - measure<Policy>(medium, 4)) / 2;
    way.bytes_per_second = (large - medium) / std::max(seconds, 1e-6);
    return way;
}

class Comparison {
  public:
    Comparison(const pt::SimulatedNetwork& network, std::size_t workers, double largest_error, bool prints)
        : network_(network), workers_(workers), largest_error_(largest_error), prints_(prints) {}

    template <template <class> class Policy>
    void run(const char* name) {
        measure<Policy<pt::Mpi>>(1'024'000, 2);  // new connections are slow
        for (const std::size_t bytes : {std::size_t{32'000}, std::size_t{256'000}, std::size_t{1'024'000}}) {
            const double measured = measure<Policy<pt::Mpi>>(bytes, 6);
            std::vector<std::int64_t> words(bytes / sizeof(std::int64_t));
            const double predicted = pt::simulate<Policy<pt::Simulated>>(network_, workers_, [&](pt::Session& session) {
                                         session.communicator().all_reduce(words);
                                     }).seconds;
            const double error = predicted / measured - 1;
            // What short messages take is waking processes, which is the machine's time and not the link's.
            const bool counts = bytes >= 1'000'000;
            const bool off = counts && largest_error_ > 0 && std::abs(error) > largest_error_;
            failed_ = failed_ || off;
            if (prints_)
                std::printf("%-7s %zu processes %8zu bytes  measured %8.2f ms  predicted %8.2f ms  %+5.1f %%%s\n", name,
                            workers_, bytes, measured * 1e3, predicted * 1e3, error * 100, off ? "  TOO FAR OFF" : "");
        }
    }
    bool failed() const { return failed_; }

  private:
    pt::SimulatedNetwork network_;
    std::size_t workers_;
    double largest_error_;
    bool prints_;
    bool failed_ = false;
};

template <class TransportType>
using OneServer = pt::ParameterServer<TransportType>;

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: predict_times WORKERS_PER_HOST [LARGEST_ERROR]\n");
        return 2;
    }
    const auto each = static_cast<std::size_t>(std::atoi(argv[1]));
    const double largest_error = argc > 2 ? std::atof(argv[2]) : 0;
    // Where it is allowed, ahead of whatever else the machine does: it is the link that is to be waited for.
    static_cast<void>(setpriority(PRIO_PROCESS, 0, -20));
    try {
        std::size_t rank = 0, workers = 0;
        pt::run<pt::TreeAggregate<pt::Mpi>>({.threads = 1}, [&](pt::Session& session) {
            rank = session.rank();
            workers = session.size();
        });
        if (workers != 2 * each) {
            std::fprintf(stderr, "start %zu processes, as many on one host as on the other\n", 2 * each);
            return 2;
        }
        const Way across = calibrate<PingPong<on_other_host>>();
        const Way within = each > 1 ? calibrate<PingPong<on_same_host>>() : Way{across.message_seconds / 2, 1e9};
        pt::SimulatedNetwork network;
        network.workers_per_host = each;
        network.message_seconds = std::min(within.message_seconds, across.message_seconds) / 2;
        network.latency_seconds = across.message_seconds - 2 * network.message_seconds;
        network.bytes_per_second = across.bytes_per_second;
        network.host_latency_seconds = 0;
        network.host_bytes_per_second = within.bytes_per_second;
        if (rank == 0)
            std::printf(
                "two hosts with %zu processes each: %.0f us and %.1f MB/s across, %.0f us and %.0f MB/s within\n", each,
                across.message_seconds * 1e6, across.bytes_per_second * 1e-6, within.message_seconds * 1e6,
                within.bytes_per_second * 1e-6);
        Comparison comparison(network, workers, largest_error, rank == 0);
        comparison.run<pt::RingAllReduce>("ring");
        comparison.run<pt::TreeAggregate>("tree");
        comparison.run<OneServer>("server");
        return comparison.failed() ? 1 : 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
