// SPDX-License-Identifier: Apache-2.0

// Runs over processes beyond what one run does: which processes, one after another, late ones, refused ones.

#include "contract/communicator.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

namespace runs_test {

using namespace communicator_contract;

namespace {

using Policy = pt::TreeAggregate<pt::Mpi>;

std::size_t rank_here() {
    return pt::run<Policy>({.threads = 1}, [](pt::Session& session) { return session.rank(); });
}

/// What became of something on every process.
template <class Action>
std::vector<std::string> outcomes(std::size_t processes, Action action) {
    std::vector<std::string> each(processes);
    const std::size_t here = rank_here();
    each[here] = outcome([&] { action(here); });
    share_out(each);
    return each;
}

void meet(pt::Session& session) { session.communicator().barrier(); }
void sleep_for_ms(int duration_ms) { std::this_thread::sleep_for(std::chrono::milliseconds(duration_ms)); }

}  // namespace

TEST_CASE("runs of some of the processes", "[mpi]") {
    for (const std::size_t processes : worker_counts({2, 3, 4})) {
        const std::size_t here = rank_here();
        MPI_Comm half = MPI_COMM_NULL;
        MPI_Comm_split(MPI_COMM_WORLD, static_cast<int>(here % 2), -static_cast<int>(here), &half);  // in falling order
        for (int repetition = 0; repetition < 3; ++repetition) {
            const pt::MpiScope scope(half);
            const auto ranks = pt::run<pt::RingAllReduce<pt::Mpi>>({.threads = 1}, [&](pt::Session& session) {
                std::string line;
                for (const pt::Bytes& bytes : session.communicator().all_gather(std::as_bytes(std::span(&here, 1)))) {
                    pt::ByteReader reader(bytes);
                    line += std::to_string(reader.read<std::size_t>()) + " ";
                }
                return line;
            });
            std::string expected;
            for (std::size_t rank = processes; rank-- > 0;)
                if (rank % 2 == here % 2) expected += std::to_string(rank) + " ";
            CHECK(ranks == expected);
        }
        MPI_Comm_free(&half);
        CHECK(outcomes(processes, [](std::size_t) { pt::run<Policy>({.threads = 1}, meet); }) ==
              all(processes, "fine"));
        CHECK_THROWS_AS(pt::MpiScope(MPI_COMM_NULL), pt::InvalidSetting);
    }
}

TEST_CASE("a run that a process is late for ends alike on all, and so does the next", "[mpi]") {
    for (const std::size_t processes : worker_counts({2, 3, 4})) {
        const std::string late = "deadline_exceeded of " + std::to_string(processes - 1);
        const auto begun_late = outcomes(processes, [&](std::size_t here) {
            if (here == processes - 1) sleep_for_ms(900);
            pt::run<Policy>({.threads = 1, .deadline_seconds = 0.3}, meet);
        });
        CHECK(begun_late == all(processes, late));
        const auto ended_late = outcomes(processes, [&](std::size_t here) {
            pt::run<Policy>({.threads = 1, .deadline_seconds = 0.3}, [&](pt::Session& session) {
                meet(session);
                if (here == processes - 1) sleep_for_ms(900);
            });
        });
        CHECK(ended_late == all(processes, late));
        CHECK(outcomes(processes, [](std::size_t) { pt::run<Policy>({.threads = 1}, meet); }) ==
              all(processes, "fine"));
    }
}

TEST_CASE("what a failed run leaves in the middle of long messages is none of the next one's", "[mpi]") {
    for (const std::size_t processes : worker_counts({2, 3, 4})) {
        const auto sums = [&](pt::Session& session, std::size_t length) {
            std::vector<std::int64_t> words(length, static_cast<std::int64_t>(session.rank()) + 1);
            session.communicator().all_reduce(words);
            const auto sum = static_cast<std::int64_t>(processes * (processes + 1) / 2);
            if (words != std::vector<std::int64_t>(length, sum)) throw std::logic_error("a wrong sum");
        };
        const auto all_policies = [&](auto body) {
            pt::run<pt::RingAllReduce<pt::Mpi>>({.threads = 1}, body);
            pt::run<pt::TreeAggregate<pt::Mpi>>({.threads = 1}, body);
            pt::run<pt::ParameterServer<pt::Mpi>>({.threads = 1}, body);
        };
        for (std::size_t thrower = 0; thrower < processes; ++thrower) {
            const auto failed = outcomes(processes, [&](std::size_t here) {
                std::string seen;
                for (int policy = 0; policy < 3; ++policy) {
                    seen += outcome([&] {
                        const auto body = [&](pt::Session& session) {
                            sums(session, 5000);
                            if (here == thrower) throw pt::EmptyDataset("none");
                            sums(session, 1'000'000);
                        };
                        if (policy == 0) pt::run<pt::RingAllReduce<pt::Mpi>>({.threads = 1}, body);
                        if (policy == 1) pt::run<pt::TreeAggregate<pt::Mpi>>({.threads = 1}, body);
                        if (policy == 2) pt::run<pt::ParameterServer<pt::Mpi>>({.threads = 1}, body);
                    });
                }
                const std::string each = "empty_dataset of " + std::to_string(thrower);
                if (seen != each + each + each) throw std::logic_error(seen);
            });
            CHECK(failed == all(processes, "fine"));
            CHECK(outcomes(processes, [&](std::size_t) {
                      all_policies([&](pt::Session& session) { sums(session, 200'000); });
                  }) == all(processes, "fine"));
        }
    }
}

TEST_CASE("settings that one process refuses are refused on all", "[mpi]") {
    for (const std::size_t processes : worker_counts({1, 2, 3, 4})) {
        const std::size_t refusing = processes - 1;
        const auto refused = outcomes(processes, [&](std::size_t here) {
            pt::run<Policy>({.threads = 1, .workers = here == refusing ? 2U : 0U}, meet);
        });
        CHECK(refused == all(processes, "invalid_setting of " + std::to_string(refusing)));
        const auto within = outcomes(processes, [](std::size_t) {
            pt::run<Policy>({.threads = 1}, [](pt::Session&) { pt::run<Policy>({.threads = 1}, meet); });
        });
        CHECK(within == all(processes, "invalid_setting of 0"));
    }
}

}  // namespace runs_test
