// SPDX-License-Identifier: Apache-2.0

// All-reduces in the background: the values of all-reduces at once, the same batches every time, and errors that reach all.

#include "communicator.hpp"

#include <partita/comm/counting.hpp>
#include <partita/comm/faulty.hpp>
#include <partita/comm/pending_reductions.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>

namespace pending_reductions_test {

using namespace communicator_contract;

static_assert(!std::is_copy_constructible_v<pt::PendingReductions>);

namespace {

/// Lengths that make batches of one, of several and of too many words, where a batch has 64.
constexpr std::size_t lengths[] = {3, 64, 1, 0, 20, 44, 1, 200, 10, 10};
constexpr std::size_t batch_words = 64;
constexpr std::size_t batches = 6;  // 3 | 64 | 1 20 | 44 1 | 200 | 10 10

/// Rounds of starts, each of which is made of what the one before gave; `between` runs before start number i, and with i beyond
/// the last before the wait.
template <class Between>
std::int64_t iterate(pt::Session& session, int rounds, Between between) {
    pt::PendingReductions reductions(session.communicator(), batch_words);
    std::int64_t state = 1;
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::vector<std::int64_t>> words;
        for (const std::size_t length : lengths) {
            words.emplace_back(length);
            for (std::size_t i = 0; i < length; ++i)
                words.back()[i] =
                    static_cast<std::int64_t>(scrambled(i, static_cast<std::uint32_t>(session.rank()),
                                                        static_cast<std::uint64_t>(state) + words.size()) >>
                                              8);
        }
        reductions.wait(pt::attempt([&] {
            for (std::size_t i = 0; i < words.size(); ++i) {
                between(round, i);
                reductions.start(words[i]);
            }
            between(round, words.size());
        }));
        std::uint64_t mixed = 0;
        for (const auto& vector : words)
            for (const std::int64_t word : vector) mixed = scrambled(mixed ^ static_cast<std::uint64_t>(word));
        state = static_cast<std::int64_t>(mixed >> 8);
    }
    return state;
}
std::int64_t iterate(pt::Session& session, int rounds) {
    return iterate(session, rounds, [](int, std::size_t) {});
}

/// A transport that every worker must use on the thread that it began on, as MPI may ask for.
class OnOneThread final : public pt::Channel {
  public:
    static void launch(const pt::RunSettings& settings, pt::FunctionRef<void(pt::Channel&)> worker) {
        Transport::launch(settings, [&](pt::Channel& inner) {
            OnOneThread channel(inner);
            worker(channel);
        });
    }
    explicit OnOneThread(pt::Channel& inner) : inner_(inner) {}

    std::size_t rank() const noexcept override { return inner_.rank(); }
    std::size_t size() const noexcept override { return inner_.size(); }
    bool leads_process() const noexcept override { return inner_.leads_process(); }
    std::size_t workers_on_machine() const noexcept override { return inner_.workers_on_machine(); }
    bool may_change_threads() const noexcept override { return false; }
    void send(std::size_t to, const pt::MessageHeader& header, std::span<const std::byte> payload) override {
        check();
        inner_.send(to, header, payload);
    }
    void receive(std::size_t from, pt::MessageHeader& header, pt::Bytes& payload) override {
        check();
        inner_.receive(from, header, payload);
    }
    void abandon(std::span<const std::byte> error) override { inner_.abandon(error); }
    [[noreturn]] void kill() override {
        inner_.kill();
        throw pt::detail::Killed{};
    }

  private:
    void check() const {
        if (std::this_thread::get_id() != thread_) throw std::logic_error("the channel is used by another thread");
    }
    pt::Channel& inner_;
    std::thread::id thread_ = std::this_thread::get_id();
};

/// A policy chosen at run time: every body is compiled once.
struct AnyPolicy {
    const char* name;
    void (*run)(pt::RunSettings settings, pt::FunctionRef<void(pt::Session&)> body);
};
template <class Policy>
void run_any(pt::RunSettings settings, pt::FunctionRef<void(pt::Session&)> body) {
    run_on<Policy>(std::move(settings), body);
}
template <template <class> class Around>
std::vector<AnyPolicy> policies() {
    return {{"tree", run_any<Around<pt::TreeAggregate<Transport>>>},
            {"ring", run_any<Around<pt::RingAllReduce<Transport>>>},
            {"ring on one thread", run_any<Around<pt::RingAllReduce<OnOneThread>>>},
            {"server", run_any<Around<pt::ParameterServer<Transport>>>},
            {"star", run_any<Around<Star<>>>}};
}
template <class Policy>
using Bare = Policy;

/// What every worker reports.
std::vector<std::string> report(const AnyPolicy& policy, const pt::RunSettings& settings,
                                pt::FunctionRef<std::string(pt::Session&)> body) {
    std::vector<std::string> lines(settings.workers);
    policy.run(settings, [&](pt::Session& session) { lines[session.rank()] = body(session); });
    share_out(lines);
    return lines;
}

}  // namespace

TEST_CASE("pending reductions give what all_reduce gives", "[comm]") {
    for (const AnyPolicy& policy : policies<Bare>()) {
        CAPTURE(policy.name);
        for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
            const auto lines = report(policy, {.workers = workers}, [&](pt::Session& session) -> std::string {
                pt::CommunicatorBase& communicator = session.communicator();
                for (const std::size_t limit :
                     {std::size_t{0}, batch_words, pt::PendingReductions::usual_batch_words}) {
                    pt::PendingReductions reductions(communicator, limit);
                    for (int round = 0; round < 3; ++round) {
                        std::vector<std::vector<std::int64_t>> pending, expected;
                        for (const std::size_t length : lengths) {
                            pending.emplace_back(length);
                            for (std::size_t i = 0; i < length; ++i)
                                pending.back()[i] = static_cast<std::int64_t>(
                                    scrambled(i, static_cast<std::uint32_t>(session.rank()), length + limit));
                        }
                        expected = pending;
                        const auto reduction = [&](std::size_t at) {
                            return at % 3 == static_cast<std::size_t>(round) ? pt::Reduction::maximum
                                                                             : pt::Reduction::sum;
                        };
                        for (std::size_t at = 0; at < expected.size(); ++at)
                            communicator.all_reduce(expected[at], reduction(at));
                        for (std::size_t at = 0; at < pending.size(); ++at)
                            reductions.start(pending[at], reduction(at));
                        reductions.wait();
                        if (pending != expected) return "other words";
                    }
                    reductions.wait();
                }
                communicator.barrier();
                return "fine";
            });
            CAPTURE(workers);
            CHECK(lines == all(workers, "fine"));
        }
    }
}

TEST_CASE("the batches of pending reductions follow from their lengths", "[comm]") {
    if (in_process) {
        for (int repetition = 0; repetition < 3; ++repetition) {
            pt::MessageLog log;
            run_on<pt::RingAllReduce<pt::Counting<Transport>>>({.workers = 3, .instruments = {.messages = &log}},
                                                               [](pt::Session& session) { iterate(session, 2); });
            std::set<std::uint64_t> collectives;
            for (const pt::MessageRecord& message : log.messages()) collectives.insert(message.sequence);
            CHECK(collectives.size() == 2 * batches);
        }
    }
}

TEST_CASE("no other collective runs beside pending reductions", "[comm]") {
    for (const AnyPolicy& policy : policies<Bare>()) {
        CAPTURE(policy.name);
        for (const std::size_t workers : worker_counts({1, 2, 3})) {
            const auto lines = report(policy, {.workers = workers}, [&](pt::Session& session) -> std::string {
                pt::CommunicatorBase& communicator = session.communicator();
                const std::string self = "collective_mismatch of " + std::to_string(session.rank());
                pt::PendingReductions reductions(communicator, batch_words), others(communicator);
                std::vector<std::int64_t> first(70, 1), second(70, 2), third(3);
                reductions.start(first);
                reductions.start(second);
                if (outcome([&] { communicator.barrier(); }) != self) return "a barrier ran";
                if (outcome([&] { communicator.all_gather({}); }) != self) return "a gather ran";
                pt::Bytes bytes;
                if (outcome([&] { communicator.broadcast(bytes); }) != self) return "a broadcast ran";
                if (outcome([&] { others.start(third); }) != self) return "others started";
                if (outcome([&] { others.wait(); }) != self) return "others waited";
                reductions.wait();
                if (first != std::vector<std::int64_t>(70, static_cast<std::int64_t>(workers))) return "wrong sum";
                others.start(third);
                others.wait();
                communicator.barrier();
                {
                    pt::PendingReductions forgotten(communicator);
                    forgotten.start(third);
                }
                communicator.barrier();
                return "fine";
            });
            CHECK(lines == all(workers, "fine"));
        }
    }
}

TEST_CASE("an error that is brought to the wait is thrown by all, and the session goes on", "[comm]") {
    for (const AnyPolicy& policy : policies<Bare>()) {
        CAPTURE(policy.name);
        for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
            for (std::size_t thrower = 0; thrower < workers; thrower += workers > 3 ? 3 : 1) {
                for (std::size_t place = 0; place <= std::size(lengths); place += 2) {
                    const auto lines = report(policy, {.workers = workers}, [&](pt::Session& session) -> std::string {
                        const std::string log = outcome([&] {
                            iterate(session, 2, [&](int round, std::size_t at) {
                                if (round == 1 && at == place && session.rank() == thrower)
                                    throw pt::NonFiniteValue("no number");
                            });
                        });
                        std::int64_t one = 1;
                        session.communicator().all_reduce({&one, 1});
                        return log + "; " + std::to_string(one);
                    });
                    CAPTURE(workers, thrower, place);
                    CHECK(lines == all(workers, "non_finite_value of " + std::to_string(thrower) + "; " +
                                                    std::to_string(workers)));
                }
            }
        }
    }
}

TEST_CASE("a worker that leaves without waiting stops all others", "[comm]") {
    for (const AnyPolicy& policy : policies<Bare>()) {
        CAPTURE(policy.name);
        for (const std::size_t workers : worker_counts({2, 4})) {
            for (std::size_t place = 0; place <= std::size(lengths); place += 3) {
                const std::string whole = outcome([&] {
                    policy.run({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
                        std::vector<std::vector<std::int64_t>> words;  // outlives what may still send them
                        for (const std::size_t length : lengths) words.emplace_back(length);
                        pt::PendingReductions reductions(session.communicator(), batch_words);
                        for (std::size_t i = 0; i <= words.size(); ++i) {
                            if (i == place && session.rank() == workers - 1) throw std::out_of_range("body");
                            if (i < words.size()) reductions.start(words[i]);
                        }
                        reductions.wait();
                    });
                });
                CAPTURE(workers, place);
                CHECK(whole == original_at(workers - 1, "body", "std::out_of_range"));
            }
        }
    }
}

TEST_CASE("throw, leave, kill and delay in every batch", "[comm]") {
    const std::vector<AnyPolicy> bare = policies<Bare>(), faulty_ones = policies<pt::Faulty>();
    for (std::size_t i = 0; i < bare.size(); ++i) {
        const AnyPolicy &policy = bare[i], &faulty = faulty_ones[i];
        CAPTURE(policy.name);
        for (const std::size_t workers : worker_counts({2, 4})) {
            const auto healthy = report(policy, {.workers = workers},
                                        [](pt::Session& session) { return std::to_string(iterate(session, 2)); });
            for (std::size_t rank = 0; rank < workers; rank += workers - 1) {
                for (std::uint64_t call = 0; call < 2 * batches; call += workers > 2 ? 2 : 1) {
                    CAPTURE(workers, rank, call);
                    const std::string of = " of " + std::to_string(rank);
                    pt::FaultPlan plan{{pt::Fault{.rank = rank, .call = call, .delay_seconds = 0.002}}};
                    const pt::RunSettings settings{
                        .workers = workers, .deadline_seconds = 20, .instruments = {.faults = &plan}};
                    const auto ends = [&](pt::FaultKind kind) {
                        plan.faults[0].kind = kind;
                        std::vector<std::string> lines(workers, "gone");
                        const std::string whole = outcome([&] {
                            faulty.run(settings, [&](pt::Session& session) {
                                std::exception_ptr error;
                                const std::string line = outcome([&] {
                                    try {
                                        iterate(session, 2);
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
                        return std::pair(lines, whole);
                    };
                    plan.faults[0].error = std::make_exception_ptr(pt::NonFiniteValue("not finite"));
                    for (const pt::FaultKind kind : {pt::FaultKind::error, pt::FaultKind::leave}) {
                        const auto [lines, whole] = ends(kind);
                        CHECK(lines == all(workers, "non_finite_value" + of));
                        CHECK(whole == "non_finite_value" + of);
                    }
                    if (in_process) {
                        const auto [lines, whole] = ends(pt::FaultKind::kill);
                        for (std::size_t other = 0; other < workers; ++other)
                            CHECK(lines[other] == (other == rank ? "gone" : "worker_lost" + of));
                        CHECK(whole == "worker_lost" + of);
                    }
                    plan.faults[0].kind = pt::FaultKind::delay;
                    CHECK(report(faulty, settings,
                                 [](pt::Session& session) { return std::to_string(iterate(session, 2)); }) == healthy);
                }
            }
        }
    }
}

TEST_CASE("a late worker is named while reductions are pending", "[comm]") {
    for (const AnyPolicy& policy : policies<Bare>()) {
        CAPTURE(policy.name);
        for (const std::size_t workers : worker_counts({2, 3})) {
            const auto whole = outcome([&] {
                policy.run({.workers = workers, .deadline_seconds = 0.3}, [&](pt::Session& session) {
                    iterate(session, 1, [&](int, std::size_t at) {
                        if (at == 5 && session.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(900));
                    });
                });
            });
            CHECK(whole == "deadline_exceeded of 1");
        }
    }
}

}  // namespace pending_reductions_test
