// SPDX-License-Identifier: Apache-2.0

// What becomes of a run when a worker throws outside a collective, is late, is gone, or calls something else.

#include "communicator.hpp"

#include <partita/comm/checked.hpp>
#include <partita/comm/counting.hpp>
#include <partita/comm/faulty.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace communicator_failure_test {

using namespace communicator_contract;

static_assert(pt::Communicator<pt::Checked<pt::RingAllReduce<>>>);
static_assert(pt::Communicator<pt::Faulty<pt::Checked<pt::TreeAggregate<pt::Counting<pt::InProcess>>>>>);

namespace {

/// A body of collectives with a running result, as an iterative fit has it.
std::int64_t iterate(pt::Session& session, int calls) {
    std::int64_t state = static_cast<std::int64_t>(session.rank()) + 1;
    for (int call = 0; call < calls; ++call) {
        std::vector<std::int64_t> words(9, state);
        session.communicator().all_reduce(words);
        state = static_cast<std::int64_t>(
            scrambled(static_cast<std::uint64_t>(words[8]), static_cast<std::uint32_t>(session.rank())) >> 4);
    }
    std::int64_t total = state;
    session.communicator().all_reduce({&total, 1});
    return total;
}

/// What every worker and the caller of `run` end with.
template <class Policy>
std::pair<std::vector<std::string>, std::string> ends(pt::RunSettings settings, int calls) {
    std::vector<std::string> lines(settings.workers, "gone");
    const std::string whole = outcome([&] {
        run_on<Policy>(settings, [&](pt::Session& session) {
            std::exception_ptr error;
            const std::string line = outcome([&] {
                try {
                    iterate(session, calls);
                } catch (const pt::detail::Killed&) {
                    throw;
                } catch (...) {
                    error = std::current_exception();
                    throw;
                }
            });
            lines[session.rank()] = line;
            if (error) std::rethrow_exception(error);
        });
    });
    share_out(lines);
    return {lines, whole};
}

constexpr int calls = 4;

/// The state that the workers end with.
template <class Policy>
std::vector<std::string> ends_with(const pt::RunSettings& settings) {
    return report<Policy>(settings, [](pt::Session& session) { return std::to_string(iterate(session, calls)); });
}

template <class Policy>
void faults_of_every_kind() {
    using Policy_ = pt::Faulty<Policy>;
    for (const std::size_t workers : worker_counts({2, 4})) {
        const auto healthy = ends_with<Policy>({.workers = workers});
        for (std::size_t rank = 0; rank < workers; ++rank) {
            for (std::uint64_t call = 0; call <= calls; ++call) {
                CAPTURE(workers, rank, call);
                const std::string of = " of " + std::to_string(rank);
                pt::FaultPlan plan{{pt::Fault{.rank = rank, .call = call}}};
                pt::RunSettings settings{.workers = workers, .deadline_seconds = 20, .instruments = {.faults = &plan}};

                const auto run_with = [&](pt::FaultKind kind, std::exception_ptr error = nullptr) {
                    plan.faults[0].kind = kind;
                    plan.faults[0].error = error;
                    return ends<Policy_>(settings, calls);
                };
                for (const pt::FaultKind kind : {pt::FaultKind::error, pt::FaultKind::leave}) {
                    const auto [lines, whole] = run_with(kind);
                    for (std::size_t i = 0; i < workers; ++i) {
                        CHECK(lines[i] == (i == rank ? "original a fault that a test asked for"
                                                     : "remote_error" + of + ": " +
                                                           pt::detail::readable_type_name(&typeid(pt::InjectedFault))));
                    }
                    CHECK(whole == original_at(rank, "a fault that a test asked for",
                                               pt::detail::readable_type_name(&typeid(pt::InjectedFault))));
                }
                {
                    const auto [lines, whole] =
                        run_with(pt::FaultKind::error, std::make_exception_ptr(pt::NonFiniteValue("not finite")));
                    CHECK(lines == all(workers, "non_finite_value" + of));
                    CHECK(whole == "non_finite_value" + of);
                }
                if (in_process) {
                    const auto [lines, whole] = run_with(pt::FaultKind::kill);
                    for (std::size_t i = 0; i < workers; ++i)
                        CHECK(lines[i] == (i == rank ? "gone" : "worker_lost" + of));
                    CHECK(whole == "worker_lost" + of);
                }
                {
                    plan.faults[0].kind = pt::FaultKind::delay;
                    plan.faults[0].delay_seconds = 0.002;
                    CHECK(ends_with<Policy_>(settings) == healthy);
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("throw, leave, kill and delay at every call: tree", "[comm]") {
    faults_of_every_kind<pt::TreeAggregate<Transport>>();
}
TEST_CASE("throw, leave, kill and delay at every call: ring", "[comm]") {
    faults_of_every_kind<pt::RingAllReduce<Transport>>();
}
TEST_CASE("throw, leave, kill and delay at every call: server", "[comm]") {
    faults_of_every_kind<pt::ParameterServer<Transport>>();
}

TEMPLATE_TEST_CASE("a body that throws between collectives stops all others", "[comm]", pt::TreeAggregate<Transport>,
                   pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({1, 2, 5})) {
        for (std::size_t thrower = 0; thrower < workers; ++thrower) {
            const auto start = std::chrono::steady_clock::now();
            const auto whole = outcome([&] {
                run_on<TestType>({.workers = workers}, [&](pt::Session& session) {
                    session.communicator().barrier();
                    if (session.rank() == thrower) throw std::out_of_range("body");
                    for (;;) session.communicator().barrier();
                });
            });
            CAPTURE(workers, thrower);
            CHECK(whole == original_at(thrower, "body", "std::out_of_range"));
            CHECK(std::chrono::steady_clock::now() - start <
                  std::chrono::seconds(10));  // at once; room for a busy machine
        }
    }
}

TEMPLATE_TEST_CASE("two bodies that throw at once: the lowest block, or rank, is rethrown", "[comm]",
                   pt::TreeAggregate<Transport>, pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>) {
    for (const std::size_t workers : worker_counts({3})) {
        for (int repetition = 0; repetition < 20; ++repetition) {
            CHECK(outcome([&] {
                      run_on<TestType>({.workers = workers}, [&](pt::Session& session) {
                          if (session.rank() == 1) throw pt::BadValue("late block", pt::Place{.block = 8});
                          if (session.rank() == 2) throw pt::BadQuote("early block", pt::Place{.block = 2});
                          session.communicator().barrier();
                      });
                  }) == "bad_quote of 2");
        }
    }
}

TEMPLATE_TEST_CASE("a late worker is named", "[comm]", pt::TreeAggregate<Transport>, pt::RingAllReduce<Transport>,
                   pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({4})) {
        for (const std::size_t late : {std::size_t{0}, workers - 1}) {
            std::vector<std::string> seen(workers);
            const std::string whole = outcome([&] {
                run_on<TestType>({.workers = workers, .deadline_seconds = 0.3}, [&](pt::Session& session) {
                    session.communicator().barrier();
                    if (session.rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(900));
                    seen[session.rank()] = outcome([&] {
                        session.communicator().barrier();
                        session.communicator().barrier();
                    });
                    session.communicator().barrier();
                });
            });
            share_out(seen);
            CAPTURE(late);
            CHECK(seen == all(workers, "deadline_exceeded of " + std::to_string(late)));
            CHECK(whole == "deadline_exceeded of " + std::to_string(late));
        }
    }
}

TEMPLATE_TEST_CASE("workers that make different calls get a typed error", "[comm]", pt::TreeAggregate<Transport>,
                   pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({2, 3, 5})) {
        CAPTURE(workers);
        // checked: all see the same error and go on
        const auto lines =
            report<pt::Checked<TestType>>({.workers = workers}, [&](pt::Session& session) -> std::string {
                pt::CommunicatorBase& communicator = session.communicator();
                const bool odd = session.rank() == workers - 1;
                std::vector<std::int64_t> words(odd ? 4 : 5);
                std::string log;
                log += outcome([&] { communicator.all_reduce(words); }) + "; ";
                words.resize(3);
                log += outcome(
                           [&] { communicator.all_reduce(words, odd ? pt::Reduction::sum : pt::Reduction::maximum); }) +
                       "; ";
                log += outcome([&] {
                           if (odd) {
                               communicator.all_gather({});
                           } else {
                               communicator.barrier();
                           }
                       }) +
                       "; ";
                std::int64_t one = 1;
                communicator.all_reduce({&one, 1});
                return log + std::to_string(one);
            });
        const std::string mismatch = "collective_mismatch of " + std::to_string(workers - 1) + "; ";
        CHECK(lines == all(workers, mismatch + mismatch + mismatch + std::to_string(workers)));

        // unchecked: no hang, and the run ends with the cause
        const auto different_call = outcome([&] {
            run_on<TestType>({.workers = workers, .deadline_seconds = 20}, [](pt::Session& session) {
                if (session.rank() == 0) {
                    session.communicator().all_gather({});
                } else {
                    session.communicator().barrier();
                }
                session.communicator().barrier();
            });
        });
        CHECK_THAT(different_call, Catch::StartsWith("collective_mismatch"));
        const auto early_return = outcome([&] {
            run_on<TestType>({.workers = workers, .deadline_seconds = 20}, [](pt::Session& session) {
                if (session.rank() != 0) session.communicator().barrier();
            });
        });
        CHECK_THAT(early_return, Catch::StartsWith("collective_mismatch"));
    }
}

}  // namespace communicator_failure_test
