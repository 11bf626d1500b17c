// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/counting.hpp>
#include <partita/comm/simulated.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace simulated_test {

namespace pt = partita;

namespace {

using Ring = pt::RingAllReduce<pt::Simulated>;
using Tree = pt::TreeAggregate<pt::Simulated>;
using Server = pt::ParameterServer<pt::Simulated>;

static_assert(pt::Communicator<Ring>);
static_assert(pt::detail::is_simulated<pt::Counting<pt::Simulated>>);
static_assert(!pt::detail::is_simulated<pt::InProcess>);
static_assert(!pt::detail::is_simulated<pt::Counting<pt::InProcess>>);

constexpr double header_bytes = sizeof(pt::MessageHeader);

/// Nothing is free here, so that a term that is forgotten shows.
constexpr pt::SimulatedNetwork costly{.latency_seconds = 50e-6,
                                      .bytes_per_second = 1e8,
                                      .message_seconds = 3e-6,
                                      .byte_seconds = 1e-10,
                                      .host_latency_seconds = 2e-6,
                                      .host_bytes_per_second = 2e9};

/// From the start of a send to the end of the receive, if nothing is in the way.
double message(const pt::SimulatedNetwork& network, double payload_bytes) {
    const double bytes = payload_bytes + header_bytes;
    return 2 * (network.message_seconds + bytes * network.byte_seconds) + network.latency_seconds +
           bytes / network.bytes_per_second;
}

/// All go round: RingAllReduce agrees on that first, in so many steps at most.
pt::RunSettings going_round() {
    pt::RunSettings settings;
    settings.ring_from_bytes = 0;
    return settings;
}
double agreement_steps(std::size_t workers) { return static_cast<double>(std::bit_width(workers)) + 1; }

auto all_reduce_of(std::size_t words) {
    return [words](pt::Session& session) {
        std::vector<std::int64_t> vector(words, static_cast<std::int64_t>(session.rank()) + 1);
        session.communicator().all_reduce(vector);
        const auto size = static_cast<std::int64_t>(session.size());
        if (std::count(vector.begin(), vector.end(), size * (size + 1) / 2) != static_cast<std::ptrdiff_t>(words))
            throw std::logic_error("a wrong sum");
    };
}

/// Of vectors too long to have: only their lengths travel.
template <class Policy>
pt::SimulatedRun of_lengths(pt::SimulatedNetwork network, std::size_t workers, std::size_t words) {
    network.carries_vectors = false;
    static std::vector<std::int64_t> everyones;
    everyones.resize(words);
    return pt::simulate<Policy>(network, workers,
                                [&](pt::Session& session) { session.communicator().all_reduce(everyones); });
}

bool same(const pt::SimulatedRun& a, const pt::SimulatedRun& b) {
    const auto key = [](const pt::SimulatedRun& run) {
        std::vector<double> numbers{run.seconds};
        for (const auto& worker : run.workers)
            numbers.insert(numbers.end(), {worker.seconds, worker.busy_seconds, worker.waiting_seconds,
                                           static_cast<double>(worker.sent_bytes)});
        for (const auto& sent : run.messages)
            numbers.insert(numbers.end(),
                           {static_cast<double>(sent.from), static_cast<double>(sent.to),
                            static_cast<double>(sent.payload_bytes), sent.sent_seconds, sent.arrived_seconds});
        return numbers;
    };
    return key(a) == key(b);
}

std::string sentence_of(const pt::Error& error) { return std::string(error.cause()) + ": " + error.what(); }

}  // namespace

TEST_CASE("a ring takes 2(P-1) steps of a P-th of the vector", "[comm][simulated]") {
    for (const std::size_t workers : {2U, 3U, 8U, 24U}) {
        const std::size_t words = workers * 1000;
        const pt::SimulatedRun run = pt::simulate<Ring>(costly, workers, all_reduce_of(words), going_round());
        const double round = 2.0 * static_cast<double>(workers - 1) * message(costly, 8000);
        CAPTURE(workers);
        CHECK(run.seconds > round);
        CHECK(run.seconds < round + agreement_steps(workers) * message(costly, 0));
        REQUIRE(run.workers.size() == workers);
        for (const pt::SimulatedWorker& worker : run.workers) {
            CHECK(worker.sent_messages > 2 * (workers - 1));
            CHECK(worker.sent_bytes == 2 * (workers - 1) * 8000);
            CHECK(worker.busy_seconds + worker.waiting_seconds == Approx(worker.seconds).epsilon(1e-12));
        }
    }
}

TEST_CASE("a tree takes 2 log2 P messages of the whole vector, its root's links one after the other",
          "[comm][simulated]") {
    pt::SimulatedNetwork network = costly;
    network.byte_seconds = 0;
    const double bytes = 1000 * 8 + header_bytes;
    for (const std::size_t workers : {2U, 4U, 16U, 64U}) {
        const pt::SimulatedRun run = pt::simulate<Tree>(network, workers, all_reduce_of(1000));
        const auto levels = static_cast<double>(std::bit_width(workers - 1));
        // Up, the children's messages come one by one. Down, the farthest child is served first and has as far to go again: each
        // level further costs a message of which the sender's own part is over before.
        const double up = levels * message(network, 8000);
        CAPTURE(workers);
        CHECK(run.seconds == Approx(2 * up).epsilon(1e-12));
        CHECK(run.workers[0].sent_bytes == 8000 * static_cast<std::uint64_t>(levels));
        CHECK(run.seconds > 2 * levels * bytes / network.bytes_per_second);
    }
}

TEST_CASE("a server's card takes in what P-1 others send it", "[comm][simulated]") {
    pt::SimulatedNetwork network{.latency_seconds = 1e-3, .bytes_per_second = 1e7, .message_seconds = 0};
    for (const std::size_t workers : {2U, 5U, 16U}) {
        const std::size_t words = workers * 1000;
        const pt::SimulatedRun run = pt::simulate<Server>(network, workers, all_reduce_of(words));
        const double crowd = static_cast<double>(workers - 1) * (8000 + header_bytes) / network.bytes_per_second;
        CAPTURE(workers);
        CHECK(run.seconds == Approx(2 * (crowd + network.latency_seconds)).epsilon(1e-12));
    }
}

TEST_CASE("workers of one host share its card and its memory", "[comm][simulated]") {
    pt::SimulatedNetwork network{
        .latency_seconds = 0, .bytes_per_second = 1e6, .message_seconds = 0, .workers_per_host = 4};
    network.host_latency_seconds = 0;
    network.host_bytes_per_second = 1e30;
    const std::size_t words = 8 * 500;
    // Each of the 4 sends an eighth of the vector to each of the 4 on the other host, twice.
    const double crossing = 2 * 16 * (500 * 8 + header_bytes) / 1e6;
    CHECK(pt::simulate<Server>(network, 8, all_reduce_of(words)).seconds == Approx(crossing).epsilon(1e-9));
    // The ring crosses once in each direction, however many it has on a host.
    const double step = (500 * 8 + header_bytes) / 1e6;
    const double agreeing = 4 * header_bytes / 1e6;  // across, in the one step that crosses
    const double ring = pt::simulate<Ring>(network, 8, all_reduce_of(words), going_round()).seconds;
    CHECK(ring <= (14 * step + agreeing) * (1 + 1e-9));
    CHECK(ring >= 7 * step + agreeing);
    // On one host no card is needed at all, but its memory is.
    network.host_bytes_per_second = 1e9;
    const double within = 2 * 12 * (1000 * 8 + header_bytes) / 1e9;
    CHECK(pt::simulate<Server>(network, 4, all_reduce_of(4000)).seconds == Approx(within).epsilon(1e-9));
}

TEST_CASE("computation passes time at the speed of the workers", "[comm][simulated]") {
    pt::SimulatedNetwork network = costly;
    network.operations_per_second = 1e6;
    const auto body = [](pt::Session& session) {
        pt::simulate_work(session, 1e6 * static_cast<double>(session.rank() + 1));  // 1, 2, 3 seconds
        session.communicator().barrier();
    };
    const pt::SimulatedRun run = pt::simulate<Tree>(network, 3, body);
    CHECK(run.seconds > 3);
    CHECK(run.seconds < 3 + 5 * message(costly, 8));
    CHECK(run.workers[0].waiting_seconds == Approx(2).epsilon(0.001));
    CHECK(run.workers[2].waiting_seconds < 0.001);
    pt::run<pt::RingAllReduce<>>({.threads = 1, .workers = 2}, body);  // elsewhere it says nothing
}

TEST_CASE("the same run gives the same times, and results as on any other transport", "[comm][simulated]") {
    pt::SimulatedNetwork network = costly;
    network.keeps_messages = true;
    network.workers_per_host = 3;
    const auto body = [](pt::Session& session) {
        const auto rank = static_cast<std::int64_t>(session.rank());
        std::vector<std::int64_t> words(37, rank * rank);
        session.communicator().all_reduce(words, pt::Reduction::maximum);
        pt::Bytes mine(session.rank() % 4, std::byte{7});
        std::size_t total = 0;
        for (const pt::Bytes& bytes : session.communicator().all_gather(mine)) total += bytes.size();
        session.communicator().broadcast(mine, 1);
        return std::to_string(words[36]) + " " + std::to_string(total) + " " + std::to_string(mine.size());
    };
    const auto twice = [&]<class Simulating, class Real>(Simulating*, Real*) {
        const pt::SimulatedRun first = pt::simulate<Simulating>(network, 10, body);
        CHECK(same(first, pt::simulate<Simulating>(network, 10, body)));
        CHECK(pt::run<Simulating>({.threads = 1, .workers = 10}, body) ==
              pt::run<Real>({.threads = 1, .workers = 10}, body));
        for (const pt::SimulatedMessage& sent : first.messages) REQUIRE(sent.arrived_seconds > sent.sent_seconds);
    };
    twice(static_cast<Ring*>(nullptr), static_cast<pt::RingAllReduce<>*>(nullptr));
    twice(static_cast<Tree*>(nullptr), static_cast<pt::TreeAggregate<>*>(nullptr));
    twice(static_cast<Server*>(nullptr), static_cast<pt::ParameterServer<>*>(nullptr));
}

TEST_CASE("a thousand workers, and vectors of 128 MiB of which only the lengths travel", "[comm][simulated]") {
    const double ring = pt::simulate<Ring>(costly, 1024, all_reduce_of(2048), going_round()).seconds;
    CHECK(ring == Approx(2 * 1023 * message(costly, 16) + 10 * message(costly, 0)).epsilon(1e-9));
    double halving = 0;
    for (double bytes = 8192; bytes >= 16; bytes /= 2) halving += 2 * message(costly, bytes);
    CHECK(pt::simulate<Ring>(costly, 1024, all_reduce_of(2048)).seconds == Approx(halving).epsilon(1e-9));
    const std::size_t words = std::size_t{1} << 24;
    CHECK(of_lengths<Tree>(costly, 1024, words).seconds == Approx(20 * message(costly, 8.0 * (1 << 24))).epsilon(1e-9));
    // In segments, whose steps overlap but for the workers' own part of them.
    const double lengths = of_lengths<Ring>(costly, 64, words).seconds;
    CHECK(lengths > 126 * 8.0 * (1 << 18) / costly.bytes_per_second);
    CHECK(lengths < 126 * message(costly, 8.0 * (1 << 18)) * 1.05);
    const double sent = 255 * (8.0 * (1 << 16) + header_bytes);
    CHECK(of_lengths<Server>({.message_seconds = 0}, 256, words).seconds ==
          Approx(2 * (30e-6 + sent / 1.25e9)).epsilon(1e-9));
}

TEST_CASE("errors of simulated workers reach all", "[comm][simulated]") {
    std::vector<std::string> lines(5);
    const auto report = [&](pt::Session& session, auto action) {
        try {
            action();
            lines[session.rank()] = "fine";
        } catch (const pt::Error& error) {
            lines[session.rank()] = sentence_of(error);
        }
    };
    pt::simulate<Ring>(costly, 5, [&](pt::Session& session) {
        report(session, [&] {
            std::vector<std::int64_t> words(50);
            session.communicator().all_reduce(words, pt::Reduction::sum, pt::attempt([&] {
                                                  if (session.rank() == 3) throw pt::EmptyDataset("nothing here");
                                              }));
        });
        session.communicator().barrier();  // the run goes on
    });
    for (const std::string& line : lines) CHECK(line == lines[0]);
    CHECK(lines[0].find("nothing here") != std::string::npos);

    // Within the handler of one error another worker handles its own.
    pt::simulate<Tree>(costly, 5, [&](pt::Session& session) {
        try {
            throw static_cast<int>(session.rank());
        } catch (int) {
            session.communicator().barrier();
            try {
                throw;
            } catch (int mine) {
                lines[session.rank()] = std::to_string(mine);
            }
        }
    });
    CHECK(lines == std::vector<std::string>{"0", "1", "2", "3", "4"});

    const auto ended = [&](auto body) {
        try {
            pt::simulate<Tree>(costly, 5, body);
            return std::string("fine");
        } catch (const pt::Error& error) {
            return sentence_of(error);
        } catch (const std::exception& error) {
            return std::string(error.what());
        }
    };
    CHECK(ended([](pt::Session& session) {
              if (session.rank() == 2) throw std::runtime_error("mine alone");
              session.communicator().barrier();
          }) == "mine alone");
    CHECK(ended([](pt::Session& session) {
              if (session.rank() != 2) session.communicator().barrier();
          }).find("process 2 never called") != std::string::npos);
    CHECK(ended([](pt::Session& session) {
              if (session.rank() == 4) session.communicator().link().channel().kill();
              session.communicator().barrier();
          }).find("process 4 is gone") != std::string::npos);
    CHECK(ended([](pt::Session& session) { pt::simulate_work(session, -1); }).find("not negative") !=
          std::string::npos);
}

TEST_CASE("networks that cannot be are refused by name", "[comm][simulated]") {
    const auto refused = [](pt::SimulatedNetwork network) -> std::string {
        try {
            pt::simulate<Tree>(network, 3, [](pt::Session&) {});
        } catch (const pt::InvalidSetting& error) {
            return std::string(error.place().setting);
        }
        return "none";
    };
    CHECK(refused({}) == "none");
    CHECK(refused({.latency_seconds = -1}) == "latency_seconds");
    CHECK(refused({.bytes_per_second = 0}) == "bytes_per_second");
    CHECK(refused({.message_seconds = std::numeric_limits<double>::infinity()}) == "message_seconds");
    CHECK(refused({.byte_seconds = -1}) == "byte_seconds");
    CHECK(refused({.workers_per_host = 0}) == "workers_per_host");
    CHECK(refused({.host_latency_seconds = -1}) == "host_latency_seconds");
    CHECK(refused({.host_bytes_per_second = -5}) == "host_bytes_per_second");
    CHECK(refused({.operations_per_second = 0}) == "operations_per_second");
    CHECK_THROWS_AS(pt::simulate<Tree>({}, 0, [](pt::Session&) {}), pt::InvalidSetting);
    CHECK_THROWS_AS(pt::simulate<Tree>({}, 5000, [](pt::Session&) {}), pt::InvalidSetting);
}

}  // namespace simulated_test
