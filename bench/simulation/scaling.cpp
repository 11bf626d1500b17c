// SPDX-License-Identifier: Apache-2.0
// One step of two jobs on 1 to 1,024 simulated workers of one host each: strong scaling, so the work is the same for any number.
//   simulated_scaling >scaling.csv
// The first lines name the parameters; plot.py draws the rest.
//
// dense:  a pass over the rows, which ends with an all-reduce of 250 KB.
// sparse: a clock of a ParameterTable of 2^24 keys: a batch whose non-zeros are spread evenly over the keys, which is as many
//         distinct ones as can be. Ring and tree keep the table on every worker and gather the deltas of the keys that were touched,
//         the server keeps it in shards, and ring-dense adds up all 2^24 deltas.

#include <partita/comm/simulated.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

namespace pt = partita;

namespace {

constexpr pt::SimulatedNetwork cluster{.latency_seconds = 30e-6,
                                       .bytes_per_second = 1.25e9,
                                       .message_seconds = 2e-6,
                                       .byte_seconds = 1e-10,
                                       .operations_per_second = 1e9,
                                       .carries_vectors = false};
constexpr std::size_t most_workers = 1024;

constexpr double dense_operations = 1e9;
constexpr std::size_t dense_words = 31'250;

constexpr std::size_t keys = std::size_t{1} << 24;
constexpr double non_zeros = 65'536 * 39, operations_per_non_zero = 40;
constexpr std::size_t key_bytes = 4, value_bytes = 4, delta_bytes = 8, table_bytes = 8;  // as ParameterTable sends them

/// How many different keys a worker's part of the batch touches.
std::size_t touched_keys(std::size_t workers) {
    constexpr auto all = static_cast<double>(keys);
    return static_cast<std::size_t>(all * -std::expm1(-non_zeros / static_cast<double>(workers) / all));
}

/// The messages of a sharded ParameterTable under Bsp in one clock: pull, values, push, and that the clock is applied.
template <class Transport>
class ShardedClock {
  public:
    using transport = Transport;
    explicit ShardedClock(pt::Link& link) : link_(link) {}
    std::size_t rank() const { return link_.rank(); }
    std::size_t size() const { return link_.size(); }
    void all_reduce(std::span<std::int64_t> words, pt::Reduction) {
        // What lies in the words is not read: the network carries lengths.
        const std::span<const std::byte> any = std::as_bytes(words);
        const std::size_t wanted = touched_keys(size());
        const auto round = [&](std::size_t bytes_per_key) {
            const auto bytes = [&](std::size_t owner) {
                return table_bytes + bytes_per_key * pt::share_of(wanted, owner, size()).count;
            };
            for (std::size_t i = 1; i < size(); ++i)
                link_.send((rank() + i) % size(), any.first(bytes((rank() + i) % size())));
            for (std::size_t i = 1; i < size(); ++i) link_.receive((rank() + size() - i) % size());
        };
        round(key_bytes);
        round(value_bytes);
        link_.channel().work(non_zeros * operations_per_non_zero / static_cast<double>(size()));
        round(key_bytes + delta_bytes);
        round(0);
    }
    std::vector<pt::Bytes> all_gather(std::span<const std::byte>) { return {}; }

  private:
    pt::Link& link_;
};

void print(const char* job, const char* policy, std::size_t workers, const pt::SimulatedRun& run,
           double bytes_scale = 1) {
    double most_bytes = 0;
    for (const pt::SimulatedWorker& worker : run.workers)
        most_bytes = std::max(most_bytes, static_cast<double>(worker.sent_bytes) * bytes_scale);
    std::printf("%s,%s,%zu,%.6g,%.0f\n", job, policy, workers, run.seconds, most_bytes);
    std::fflush(stdout);
}

template <class Policy>
void dense(const char* policy, std::size_t workers, std::vector<std::int64_t>& any) {
    print("dense", policy, workers, pt::simulate<Policy>(cluster, workers, [&](pt::Session& session) {
              pt::simulate_work(session, dense_operations / static_cast<double>(session.size()));
              session.communicator().all_reduce(std::span(any).first(dense_words));
          }));
}

void sparse_work(pt::Session& session) {
    pt::simulate_work(session, non_zeros * operations_per_non_zero / static_cast<double>(session.size()));
}

template <class Policy>
void sparse_gathered(const char* policy, std::size_t workers) {
    // What is gathered must be there. A byte stands for so many, on a network that is as much slower.
    constexpr std::size_t scale = 16;
    pt::SimulatedNetwork network = cluster;
    network.bytes_per_second /= scale;
    network.byte_seconds *= scale;
    const pt::SimulatedRun run = pt::simulate<Policy>(network, workers, [&](pt::Session& session) {
        sparse_work(session);
        std::int64_t touched = 0;
        session.communicator().all_reduce({&touched, 1});
        const pt::Bytes deltas(touched_keys(workers) * (key_bytes + delta_bytes) / scale);
        static_cast<void>(session.communicator().all_gather(deltas));
    });
    print("sparse", policy, workers, run, scale);
}

}  // namespace

int main() {
    std::printf(
        "# latency %g s, %g bytes/s a card, %g s a message and %g s a byte at either end, %g operations/s; one worker "
        "per host\n",
        cluster.latency_seconds, cluster.bytes_per_second, cluster.message_seconds, cluster.byte_seconds,
        cluster.operations_per_second);
    std::printf("# dense: %g operations, then an all-reduce of %zu bytes\n", dense_operations, dense_words * 8);
    std::printf("# sparse: %zu keys, a batch of %g non-zeros spread evenly, %g operations each\n", keys, non_zeros,
                operations_per_non_zero);
    std::printf("job,policy,workers,seconds,most_bytes_sent_by_a_worker\n");
    std::vector<std::int64_t> any(keys);
    for (std::size_t workers = 1; workers <= most_workers; workers *= 2) {
        dense<pt::RingAllReduce<pt::Simulated>>("ring", workers, any);
        dense<pt::TreeAggregate<pt::Simulated>>("tree", workers, any);
        dense<pt::ParameterServer<pt::Simulated>>("server", workers, any);
        sparse_gathered<pt::RingAllReduce<pt::Simulated>>("ring", workers);
        sparse_gathered<pt::TreeAggregate<pt::Simulated>>("tree", workers);
        const auto reduce_all = [&](pt::Session& session) { session.communicator().all_reduce(any); };
        print("sparse", "server", workers, pt::simulate<ShardedClock<pt::Simulated>>(cluster, workers, reduce_all));
        print("sparse", "ring-dense", workers,
              pt::simulate<pt::RingAllReduce<pt::Simulated>>(cluster, workers, [&](pt::Session& session) {
                  sparse_work(session);
                  session.communicator().all_reduce(any);
              }));
    }
}
