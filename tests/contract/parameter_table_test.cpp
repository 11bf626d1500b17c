// SPDX-License-Identifier: Apache-2.0

// The table that workers share, under every policy: the same bits as one plain loop, no read older than the policy allows, and
// one end for all when a worker fails.

#include "communicator.hpp"

#include <partita/comm/checked.hpp>
#include <partita/comm/counting.hpp>
#include <partita/comm/faulty.hpp>
#include <partita/comm/parameter_table.hpp>
#include <partita/comm/read_log.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <numeric>
#include <thread>
#include <type_traits>
#include <variant>

namespace parameter_table_test {

using namespace communicator_contract;

namespace {

using Rule = std::variant<pt::Sum, pt::Sgd, pt::AdaGrad, pt::FtrlProximal>;

/// Training as a learner does it: in every clock some blocks, each with keys and a delta for each of them that depends on the
/// values read; who has which block depends on the number of workers, nothing else does.
struct Training {
    std::uint64_t seed = 1;
    std::uint64_t keys = 50;
    std::size_t width = 1;
    double bound = 100;
    std::size_t clocks = 6;
    std::size_t blocks = 7;
    std::size_t most_keys = 12;
    pt::TableExchange exchange = pt::TableExchange::automatic;
    std::size_t moves_after = 0;  ///< so many clocks all goes on in another table, if any

    std::vector<std::uint32_t> keys_of(std::size_t clock, std::size_t block) const {
        const std::uint64_t draw = scrambled(seed, static_cast<std::uint32_t>(clock), block);
        std::vector<std::uint32_t> chosen;
        for (std::size_t i = 0; i < draw % (most_keys + 1); ++i)
            chosen.push_back(static_cast<std::uint32_t>(scrambled(draw, static_cast<std::uint32_t>(i)) % keys));
        std::sort(chosen.begin(), chosen.end());
        chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
        return chosen;
    }

    /// What a block adds to one number, seeing its value.
    float delta(std::size_t clock, std::size_t block, std::uint32_t key, std::size_t element, float value) const {
        const std::uint64_t draw =
            scrambled(seed + key * 1000 + element, static_cast<std::uint32_t>(clock), block + 77);
        if (draw % 9 == 0) return 0;
        const float noise = static_cast<float>(static_cast<std::int64_t>(draw % 2'000'001) - 1'000'000) * 1e-6F;
        return noise - 0.25F * std::clamp(value, -4.0F, 4.0F);
    }
};

void update(const pt::Sum&, float* element, double sum) { element[0] = static_cast<float>(double{element[0]} + sum); }
void update(const pt::Sgd& rule, float* element, double sum) {
    element[0] = static_cast<float>(pt::fused(-rule.rate, sum, double{element[0]}));
}
void update(const pt::AdaGrad& rule, float* element, double sum) {
    element[1] = static_cast<float>(pt::fused(sum, sum, double{element[1]}));
    const double step = rule.rate / (std::sqrt(double{element[1]}) + rule.epsilon);
    element[0] = static_cast<float>(pt::fused(-step, sum, double{element[0]}));
}
void update(const pt::FtrlProximal& rule, float* element, double sum) {
    const double n = element[2], more = pt::fused(sum, sum, n);
    const double sigma = (std::sqrt(more) - std::sqrt(n)) / rule.alpha;
    element[1] = static_cast<float>(pt::fused(-sigma, double{element[0]}, double{element[1]} + sum));
    element[2] = static_cast<float>(more);
    const double z = element[1], sign = z < 0 ? -1.0 : 1.0;
    element[0] = std::abs(z) <= rule.l1
                     ? 0.0F
                     : static_cast<float>((sign * rule.l1 - z) /
                                          ((rule.beta + std::sqrt(double{element[2]})) / rule.alpha + rule.l2));
}

/// One plain loop over dense vectors.
std::vector<float> oracle(const Training& training, const Rule& rule) {
    const std::size_t size = static_cast<std::size_t>(training.keys) * training.width;
    std::vector<float> elements(3 * size);
    int exponent = 0;
    if (std::frexp(training.bound, &exponent) == 0.5) --exponent;
    for (std::size_t clock = 0; clock < training.clocks; ++clock) {
        std::vector<double> sums(size);  // whole numbers that a double holds
        for (std::size_t block = 0; block < training.blocks; ++block) {
            for (const std::uint32_t key : training.keys_of(clock, block)) {
                for (std::size_t k = 0; k < training.width; ++k) {
                    const std::size_t at = key * training.width + k;
                    const float delta = training.delta(clock, block, key, k, elements[3 * at]);
                    sums[at] += std::nearbyint(std::ldexp(double{delta}, 50 - exponent));
                }
            }
        }
        for (std::size_t at = 0; at < size; ++at) {
            if (sums[at] == 0) continue;
            std::visit(
                [&](const auto& which) { update(which, &elements[3 * at], std::ldexp(sums[at], exponent - 50)); },
                rule);
        }
    }
    std::vector<float> values;
    for (std::size_t at = 0; at < size; ++at) values.push_back(elements[3 * at]);
    return values;
}

/// What a worker does in one clock but for its end.
void work(pt::ParameterTable& table, const Training& training, pt::Session& session, std::size_t clock) {
    for (std::size_t block = session.rank(); block < training.blocks; block += session.size()) {
        const std::vector<std::uint32_t> keys = training.keys_of(clock, block);
        std::vector<float> values(keys.size() * training.width);
        table.pull(keys, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = training.delta(clock, block, keys[i / training.width], i % training.width, values[i]);
        table.push(keys, values);
    }
}

pt::ParameterTableSettings settings_of(const Training& training) {
    return {.keys = training.keys, .width = training.width, .bound = training.bound, .exchange = training.exchange};
}

std::string as_text(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// All values of the table at the end, as one worker has them, in bytes.
std::string trained(pt::Session& session, const Training& training, const Rule& rule) {
    return std::visit(
        [&](const auto& which) {
            std::size_t clock = 0;
            const auto work_until = [&](pt::ParameterTable& table, std::size_t end) {
                for (; clock < end; ++clock) {
                    work(table, training, session, clock);
                    table.advance();
                }
            };
            pt::TableContents start;
            if (training.moves_after > 0) {
                pt::ParameterTable first(session, settings_of(training), which);
                work_until(first, training.moves_after);
                start = first.collect_state();
                first.advance();  // to collect changes nothing
            }
            pt::ParameterTable table(session, settings_of(training), which, start);
            work_until(table, training.clocks);
            const pt::TableContents contents = table.collect();
            std::vector<float> values(static_cast<std::size_t>(training.keys) * training.width);
            for (std::size_t i = 0; i < contents.keys.size(); ++i)
                std::copy_n(contents.values.data() + i * training.width, training.width,
                            values.data() + contents.keys[i] * training.width);
            return as_text(values);
        },
        rule);
}

const std::vector<Rule> rules{pt::Sum{}, pt::Sgd{}, pt::AdaGrad{}, pt::FtrlProximal{.l1 = 0.4, .l2 = 0.1}};

template <class Policy>
void equals_the_oracle(std::size_t workers, const Training& training, const Rule& rule) {
    CAPTURE(workers, training.seed, training.width, rule.index(), int(training.exchange));
    const auto lines = report<Policy>({.workers = workers, .deadline_seconds = 20},
                                      [&](pt::Session& session) { return trained(session, training, rule); });
    CHECK(lines == all(workers, as_text(oracle(training, rule))));
}

template <class Consistency>
using Server = pt::ParameterServer<Transport, Consistency>;

}  // namespace

TEST_CASE("a synchronous table has the bits of one plain loop, for any number of workers", "[comm][table]") {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        std::uint64_t seed = 10 * workers;
        for (const Rule& rule : rules) {
            const Training training{.seed = ++seed, .width = 1 + seed % 3};
            equals_the_oracle<Server<pt::Bsp>>(workers, training, rule);
            equals_the_oracle<pt::TreeAggregate<Transport>>(workers, training, rule);
            Training moving = training;
            moving.moves_after = 1 + seed % 5;
            equals_the_oracle<Server<pt::Ssp<0>>>(workers, moving, rule);
            equals_the_oracle<pt::TreeAggregate<Transport>>(workers, moving, rule);
            for (const auto exchange : {pt::TableExchange::dense, pt::TableExchange::touched}) {
                Training twin = training;
                twin.exchange = exchange;
                equals_the_oracle<pt::RingAllReduce<Transport>>(workers, twin, rule);
            }
        }
        equals_the_oracle<Star<>>(workers, {.seed = ++seed}, rules[3]);
        equals_the_oracle<pt::Faulty<pt::Checked<Server<pt::Bsp>>>>(workers, {.seed = ++seed}, rules[3]);
        equals_the_oracle<Server<pt::Bsp>>(workers, {.seed = ++seed, .keys = 2, .most_keys = 2}, rules[0]);
        equals_the_oracle<Server<pt::Bsp>>(workers, {.seed = ++seed, .keys = 3000, .most_keys = 900}, rules[2]);
    }
}

namespace {

/// What a worker adds in a clock whatever it reads: whole numbers, whose sums are exact in any order.
void add_blindly(pt::ParameterTable& table, const Training& training, pt::Session& session) {
    const std::size_t clock = table.clock();
    for (std::size_t block = session.rank(); block < training.blocks; block += session.size()) {
        const std::vector<std::uint32_t> keys = training.keys_of(clock, block);
        table.push(keys, std::vector<float>(keys.size(), static_cast<float>(1 + clock + block)));
    }
}

std::vector<float> blind_oracle(const Training& training) {
    std::vector<float> values(static_cast<std::size_t>(training.keys));
    for (std::size_t clock = 0; clock < training.clocks; ++clock)
        for (std::size_t block = 0; block < training.blocks; ++block)
            for (const std::uint32_t key : training.keys_of(clock, block))
                values[key] += static_cast<float>(1 + clock + block);
    return values;
}

std::string dense_text(const pt::TableContents& contents, const Training& training) {
    std::vector<float> values(static_cast<std::size_t>(training.keys));
    for (std::size_t i = 0; i < contents.keys.size(); ++i) values[contents.keys[i]] = contents.values[i];
    return as_text(values);
}

/// The least and the largest number of clocks that reads of a process lacked, and how many there were.
struct Staleness {
    std::int64_t least = std::numeric_limits<std::int64_t>::max(), most = -1;
    std::size_t reads = 0, cached = 0;
};
Staleness staleness_of(const pt::ReadLog& log) {
    Staleness seen;
    for (const pt::ReadRecord& read : log.reads()) {
        const auto behind = static_cast<std::int64_t>(read.clock) - static_cast<std::int64_t>(read.version);
        seen.least = std::min(seen.least, behind);
        seen.most = std::max(seen.most, behind);
        seen.reads += read.keys;
        seen.cached += read.cached ? read.keys : 0;
    }
    return seen;
}

/// A run in which workers are late at random, all keys are read by all in every clock, and `slow` is always the last: with
/// workers that are threads, by as much as the policy allows.
template <class Policy>
Staleness staleness_with_delays(std::size_t workers, std::size_t slow, std::size_t room, bool cache_keys) {
    CAPTURE(workers, slow, room, cache_keys);
    pt::ReadLog log;
    const Training training{.seed = 5 + slow, .keys = 64, .bound = 1e6, .clocks = 12};
    std::atomic<std::size_t> reads_ahead{0};
    const auto lines = report<Policy>(
        {.workers = workers, .deadline_seconds = 20, .instruments = {.reads = &log}}, [&](pt::Session& session) {
            auto settings = settings_of(training);
            settings.cache_keys = cache_keys;
            pt::ParameterTable table(session, settings, pt::Sum{});
            std::vector<std::uint32_t> keys(64);
            std::iota(keys.begin(), keys.end(), 0U);
            std::vector<float> values(64);
            while (table.clock() < training.clocks) {
                const std::size_t clock = table.clock();
                table.pull(keys, values);
                add_blindly(table, training, session);
                if (session.rank() != slow) {
                    if (clock == 3 + room) ++reads_ahead;
                    std::this_thread::sleep_for(std::chrono::microseconds(scrambled(clock, 7, session.rank()) % 500));
                } else if (clock == 3) {  // not before the others have read as far ahead as they may
                    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
                    while (in_process && reads_ahead < workers - 1 && std::chrono::steady_clock::now() < patience)
                        std::this_thread::yield();
                    if (!in_process) std::this_thread::sleep_for(std::chrono::milliseconds(50));
                }
                table.advance();
            }
            return dense_text(table.collect(), training);
        });
    CHECK(lines == all(workers, as_text(blind_oracle(training))));
    return staleness_of(log);
}

}  // namespace

TEST_CASE("no read is older than the policy allows, and it may be as old", "[comm][table]") {
    for (const std::size_t workers : worker_counts({2, 3, 5})) {
        for (std::size_t slow = 0; slow < workers; slow += workers - 1) {
            const Staleness none = staleness_with_delays<Server<pt::Ssp<0>>>(workers, slow, 0, true);
            CHECK((none.least == 0 && none.most == 0));
            for (const bool cache_keys : {false, true}) {
                const Staleness one = staleness_with_delays<Server<pt::Ssp<1>>>(workers, slow, 1, cache_keys);
                const Staleness four = staleness_with_delays<Server<pt::Ssp<4>>>(workers, slow, 4, cache_keys);
                for (const Staleness& seen : {none, one, four}) {
                    CHECK(seen.least >= 0);
                    CHECK(seen.reads == 64 * 12 * (in_process ? workers : 1));
                }
                CHECK(one.most <= 1);
                CHECK(four.most <= 4);
                if (in_process) CHECK((one.most == 1 && four.most == 4));
                if (!cache_keys) CHECK((one.cached == 0 && four.cached == 0));
                CHECK(2 * one.cached <= one.reads);  // what is fresh is so for this clock and the next
                // When the others have gone ahead, what `slow` pulls is as new as it may be, and serves it for so many clocks.
                const std::size_t of_others = 64 - pt::share_of(64, slow, workers).count;
                if (in_process && cache_keys) CHECK((one.cached >= of_others && four.cached >= 4 * of_others));
            }
            staleness_with_delays<Server<pt::Async>>(workers, slow, 5, true);
        }
    }
}

namespace {

/// Threads of a worker that pull and push at once, while those of others do.
template <class Policy>
void threads_train(std::size_t workers, const Training& training, const Rule& rule, bool synchronous) {
    CAPTURE(workers);
    const auto lines =
        report<Policy>({.threads = 3, .workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
            return std::visit(
                [&](const auto& which) {
                    pt::ParameterTable table(session, settings_of(training), which);
                    while (table.clock() < training.clocks) {
                        const std::size_t clock = table.clock();
                        session.for_each(training.blocks, [&](std::size_t block, std::size_t) {
                            if (block % session.size() != session.rank()) return;
                            const std::vector<std::uint32_t> keys = training.keys_of(clock, block);
                            std::vector<float> values(keys.size());
                            table.pull(keys, values);
                            for (std::size_t i = 0; i < keys.size(); ++i)
                                values[i] = synchronous ? training.delta(clock, block, keys[i], 0, values[i])
                                                        : static_cast<float>(1 + clock + block);
                            table.push(keys, values);
                        });
                        table.advance();
                    }
                    return dense_text(table.collect(), training);
                },
                rule);
        });
    CHECK(lines == all(workers, as_text(synchronous ? oracle(training, rule) : blind_oracle(training))));
}

}  // namespace

TEST_CASE("threads of a worker pull and push at once", "[comm][table]") {
    const Training training{.seed = 8, .keys = 40, .bound = 1e6, .clocks = 4, .blocks = 24};
    for (const std::size_t workers : worker_counts({1, 2, 3})) {
        threads_train<Server<pt::Bsp>>(workers, training, rules[2], true);
        threads_train<pt::TreeAggregate<Transport>>(workers, training, rules[2], true);
        threads_train<Server<pt::Ssp<2>>>(workers, training, rules[0], false);
        threads_train<Server<pt::Async>>(workers, training, rules[0], false);
    }
}

TEST_CASE("a value is not pulled again while it is fresh enough", "[comm][table]") {
    for (const std::size_t workers : worker_counts({3})) {
        const auto bytes = [&](bool cache_keys, auto policy) {
            using Policy = pt::ParameterServer<pt::Counting<Transport>, decltype(policy)>;
            pt::MessageLog log;
            const auto lines =
                report<Policy>({.workers = workers, .instruments = {.messages = &log}}, [&](pt::Session& session) {
                    pt::ParameterTable table(session, {.keys = 900, .bound = 1, .cache_keys = cache_keys}, pt::Sum{});
                    const std::vector<std::uint32_t> keys{1, 2, 301, 302, 303, 600};
                    std::vector<float> values(6);
                    for (int clock = 0; clock < 10; ++clock) {
                        for (int again = 0; again < 2; ++again) table.pull(keys, values);
                        if (clock == 0 && session.rank() == 0)
                            table.push(keys, std::vector<float>{1, 1, 1, 0.5F, 1, 1});
                        table.advance();
                    }
                    table.pull(keys, values);
                    return as_text(values);
                });
            // Under Async another's push may be on its way for as long as it likes.
            if (!std::is_same_v<decltype(policy), pt::Async>)
                CHECK(lines == all(workers, as_text({1, 1, 1, 0.5F, 1, 1})));
            std::size_t pulled = 0;
            for (const pt::MessageRecord& message : log.messages())
                if (message.operation == static_cast<std::uint32_t>(pt::Operation::table_pull))
                    pulled += message.payload_bytes - 8;
            return pulled;
        };
        if (!in_process) continue;  // a process counts its own messages alone
        // A worker asks for those of the six keys that it does not own: 6 · (3 - 1) in all, 4 bytes each.
        CHECK(bytes(false, pt::Bsp{}) == 21 * 48);
        CHECK(bytes(true, pt::Bsp{}) == 11 * 48);
        CHECK(bytes(true, pt::Ssp<4>{}) <= 6 * 48);
        CHECK(bytes(false, pt::Ssp<4>{}) == 21 * 48);
        CHECK(bytes(true, pt::Async{}) == 21 * 48);
    }
}

namespace {

enum class Failure { none, thrown, bad_delta, bad_key, at_advance, at_collect, killed, late };

/// A run in which a worker fails in one clock: what each worker's body ends with, and the run.
template <class Policy>
std::pair<std::vector<std::string>, std::string> ends(const pt::RunSettings& settings, std::size_t who,
                                                      std::size_t when, Failure failure) {
    const Training training{.seed = 3, .keys = 40, .bound = 1e6, .clocks = 5};
    std::vector<std::string> lines(settings.workers, "gone");
    const auto body = [&](pt::Session& session) {
        const auto train = [&] {
            pt::ParameterTable table(session, settings_of(training), pt::Sum{});
            const std::vector<std::uint32_t> keys{0, 13, 26, 39};
            std::vector<float> values(4);
            while (table.clock() < training.clocks) {
                table.pull(keys, values);
                add_blindly(table, training, session);
                const bool fails = session.rank() == who && table.clock() == when;
                const auto error = std::make_exception_ptr(pt::NegativeWeight("a weight is negative"));
                if (fails && failure == Failure::thrown) throw std::runtime_error("in the body");
                if (fails && failure == Failure::bad_delta) {
                    values[2] = std::numeric_limits<float>::quiet_NaN();
                    table.push(keys, values);
                }
                if (fails && failure == Failure::bad_key)
                    table.pull(std::vector<std::uint32_t>{40}, {values.data(), 1});
                if (fails && failure == Failure::killed) session.communicator().link().channel().kill();
                if (fails && failure == Failure::late) std::this_thread::sleep_for(std::chrono::milliseconds(2));
                if (fails && failure == Failure::at_collect) return dense_text(table.collect(error), training);
                if (fails && failure == Failure::at_advance) table.advance(error);
                else table.advance();
            }
            return dense_text(table.collect(), training);
        };
        std::exception_ptr error;
        lines[session.rank()] = outcome([&] {
            try {
                if (train() != as_text(blind_oracle(training))) throw std::logic_error("other values");
            } catch (const pt::detail::Killed&) {
                throw;
            } catch (...) {
                error = std::current_exception();
                throw;
            }
        });
        if (failure == Failure::at_advance || failure == Failure::at_collect) {  // the session is as good as before
            lines[session.rank()] += ", " + trained(session, {.seed = 4}, pt::Sum{});
            session.communicator().barrier();
        }
        if (error) std::rethrow_exception(error);
    };
    const std::string whole = outcome([&] { run_on<Policy>(settings, body); });
    share_out(lines);
    return {lines, whole};
}

template <class Policy>
void all_end_alike(std::size_t workers, bool synchronous) {
    const pt::RunSettings settings{.workers = workers, .deadline_seconds = 20};
    const std::string afterwards = ", " + as_text(oracle({.seed = 4}, pt::Sum{}));
    for (std::size_t who = 0; who < workers; ++who) {
        for (const std::size_t when : {0, 2, 4}) {
            CAPTURE(workers, who, when, synchronous);
            const std::string of = " of " + std::to_string(who);
            const auto everyone = [&](Failure failure, const std::string& error) {
                CAPTURE(int(failure));
                const auto [lines, whole] = ends<Policy>(settings, who, when, failure);
                CHECK(lines == all(workers, error));
                CHECK(whole == error);
            };
            {
                const auto [lines, whole] = ends<Policy>(settings, who, when, Failure::thrown);
                const std::string type = pt::detail::readable_type_name(&typeid(std::runtime_error));
                for (std::size_t i = 0; i < workers; ++i)
                    CHECK(lines[i] == (i == who ? "original in the body" : "remote_error" + of + ": " + type));
                CHECK(whole == original_at(who, "in the body", type));
            }
            everyone(Failure::bad_delta, "non_finite_value" + of);
            everyone(Failure::bad_key, "invalid_setting" + of);
            for (const Failure failure : {Failure::at_advance, Failure::at_collect}) {
                const auto [lines, whole] = ends<Policy>(settings, who, when, failure);
                for (const std::string& line : lines)
                    if (synchronous) CHECK(line == "negative_weight" + of + afterwards);
                    else CHECK(line.starts_with("negative_weight" + of + ", "));
                CHECK(whole == "negative_weight" + of);
            }
            if (in_process) {
                const auto [lines, whole] = ends<Policy>(settings, who, when, Failure::killed);
                for (std::size_t i = 0; i < workers; ++i) CHECK(lines[i] == (i == who ? "gone" : "worker_lost" + of));
                CHECK(whole == "worker_lost" + of);
            }
            everyone(Failure::late, "fine");
        }
    }
}

}  // namespace

TEST_CASE("a worker that fails ends the work on a table for all, with its own error", "[comm][table]") {
    for (const std::size_t workers : worker_counts({2, 4})) {
        all_end_alike<Server<pt::Bsp>>(workers, true);
        all_end_alike<Server<pt::Ssp<2>>>(workers, false);
        all_end_alike<Server<pt::Async>>(workers, false);
        all_end_alike<pt::TreeAggregate<Transport>>(workers, true);
    }
}

namespace {

template <class Policy>
void late_worker_is_named(std::size_t workers, std::size_t slow) {
    CAPTURE(workers, slow);
    std::vector<std::string> lines(workers);
    const std::string whole = outcome([&] {
        run_on<Policy>({.workers = workers, .deadline_seconds = 0.75}, [&](pt::Session& session) {
            std::exception_ptr error;
            lines[session.rank()] = outcome([&] {
                try {
                    pt::ParameterTable table(session, {.keys = 10, .bound = 1}, pt::Sum{});
                    while (table.clock() < 30) {
                        while (session.rank() == slow && table.clock() == 2) {  // until the others have given up
                            std::this_thread::sleep_for(std::chrono::milliseconds(1));
                            table.pull({}, {});
                        }
                        table.advance();
                    }
                    table.collect();
                } catch (...) {
                    error = std::current_exception();
                    throw;
                }
            });
            if (error) std::rethrow_exception(error);
        });
    });
    share_out(lines);
    const std::string error = "deadline_exceeded of " + std::to_string(slow);
    CHECK(lines == all(workers, error));
    CHECK(whole == error);
}

/// What becomes of an action that all workers take on a table of ten keys of width 2 and bound 4.
template <class Policy, class Action>
std::vector<std::string> outcomes(std::size_t workers, Action action) {
    return report<Policy>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
        return outcome([&] {
            pt::ParameterTable table(session, {.keys = 10, .width = 2, .bound = 4}, pt::Sum{});
            action(table, session);
        });
    });
}

template <class Policy>
void mistakes_are_told(std::size_t workers, bool sharded) {
    CAPTURE(workers);
    const std::vector<std::uint32_t> keys{1, 9};
    const std::vector<float> ones{1, 1, 1, 1};
    // Sums that no worker's part of is beyond the bound, but all together are.
    CHECK(outcomes<Policy>(workers,
                           [&](pt::ParameterTable& table, pt::Session& session) {
                               const float part = 4.5F / static_cast<float>(session.size());
                               table.push(keys, std::vector<float>{0, 0, 0, std::min(part, 4.0F)});
                               if (session.size() == 1) table.push(keys, ones);
                               static_cast<void>(pt::attempt([&] { table.advance(); }));
                               table.collect();  // a table that came to an error gives it again
                           })
              .front()
              .substr(0, 16) == "numeric_overflow");
    // Sums that left the bound while they were merged, which the worker does not bring.
    CHECK(outcomes<Policy>(workers, [&](pt::ParameterTable& table, pt::Session& session) {
              const std::vector<std::uint32_t> key{2};
              const std::vector<float> bound{4, -4};
              if (session.rank() == workers - 1)
                  static_cast<void>(pt::attempt([&] {
                      for (int i = 0; i < 5000; ++i) table.push(key, bound);
                  }));
              table.advance();
          }) == all(workers, "numeric_overflow of " + std::to_string(workers - 1)));
    // Of several errors in one clock the one of the lowest block.
    CHECK(outcomes<Policy>(workers, [&](pt::ParameterTable& table, pt::Session& session) {
              table.push(keys, ones);
              table.advance({std::make_exception_ptr(pt::NonFiniteValue("not finite")),
                             static_cast<std::int64_t>(100 - session.rank())});
          }) == all(workers, "non_finite_value of " + std::to_string(workers - 1)));
    if (workers == 1) return;
    // One ends more clocks than the others, before they collect and, where that ends no collective, before they let go.
    for (const bool collects : {true, false}) {
        if (!collects && !sharded) continue;
        const auto lines = outcomes<Policy>(workers, [&](pt::ParameterTable& table, pt::Session& session) {
            table.advance();
            if (session.rank() == 1) table.advance();
            if (collects) table.collect();
        });
        for (std::size_t i = 0; i < workers; ++i)
            if (collects || i == 1) CHECK(lines[i].starts_with("collective_mismatch"));
    }
    // Settings differ, or what the table starts with.
    for (const bool start : {false, true})
        CHECK(report<Policy>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
                  return outcome([&] {
                      const unsigned other = session.rank() == workers - 1 ? 1 : 0;
                      pt::ParameterTable table(session, {.keys = start ? 10 : 10 + other, .bound = 1}, pt::Sum{},
                                               {{start ? 3 + other : 3}, {1}});
                  });
              }) == all(workers, "collective_mismatch of " + std::to_string(workers - 1)));
    // Rules differ, in their settings or in what they are.
    for (const Rule& other : {Rule(pt::Sgd{.rate = 0.2}), Rule(pt::Sum{})})
        CHECK(
            report<Policy>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
                const Rule rule = session.rank() == workers - 1 ? other : pt::Sgd{};
                return outcome([&] {
                    std::visit(
                        [&](const auto& which) { pt::ParameterTable table(session, {.keys = 10, .bound = 1}, which); },
                        rule);
                });
            }) == all(workers, "collective_mismatch of " + std::to_string(workers - 1)));
    // One worker's settings are wrong.
    CHECK(report<Policy>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
              return outcome([&] {
                  pt::ParameterTable table(session, {.keys = 10, .bound = session.rank() == 1 ? 0.0 : 1.0}, pt::Sum{});
              });
          }) == all(workers, "invalid_setting of 1"));
}

}  // namespace

TEST_CASE("workers that wait for one that is late give up after the deadline, and name it", "[comm][table]") {
    for (const std::size_t workers : worker_counts({3})) {
        late_worker_is_named<Server<pt::Bsp>>(workers, 1);
        late_worker_is_named<Server<pt::Ssp<3>>>(workers, 2);
        late_worker_is_named<Server<pt::Async>>(workers, 0);
    }
}

namespace {

/// What a worker does whose table was unwound by an error that it caught, so that the others wait for it there in vain.
enum class Next { collective, other_table, end };

template <class Policy>
void deserter_is_named(std::size_t workers) {
    for (const Next next : {Next::collective, Next::other_table, Next::end}) {
        CAPTURE(workers, int(next));
        const auto lines = report<Policy>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
            pt::ParameterTable other(session, {.keys = 10, .bound = 1}, pt::Sum{});
            const std::string line = outcome([&] {
                pt::ParameterTable table(session, {.keys = 10, .bound = 1}, pt::Sum{});
                try {
                    while (table.clock() < 8) {
                        table.advance();
                        if (session.rank() == 1) throw std::runtime_error("caught");
                    }
                    table.collect();
                } catch (const pt::CollectiveMismatch&) {
                    table.advance(std::current_exception());  // as with any error; the same is thrown again
                }
            });
            if (next == Next::collective) session.communicator().barrier();
            if (next == Next::other_table) other.advance();
            return line;
        });
        for (std::size_t i = 0; i < workers; ++i)
            CHECK(lines[i] == (i == 1 ? "original caught" : "collective_mismatch of 1"));
    }
}

/// A transport on which the service lane of one worker fails once: that of the last cannot begin when it is first asked to, or
/// memory runs out when the first worker's second clock has gone to some owners and not to the last.
enum class Fault { begin, post };
template <Fault fault>
class FailingLane final : public pt::Channel {
  public:
    static void launch(const pt::RunSettings& settings, pt::FunctionRef<void(pt::Channel&)> worker) {
        Transport::launch(settings, [&](pt::Channel& inner) {
            FailingLane channel(inner);
            worker(channel);
        });
    }
    explicit FailingLane(pt::Channel& inner)
        : inner_(inner), fails_(inner.rank() == (fault == Fault::begin ? inner.size() - 1 : 0)) {}

    std::size_t rank() const noexcept override { return inner_.rank(); }
    std::size_t size() const noexcept override { return inner_.size(); }
    bool leads_process() const noexcept override { return inner_.leads_process(); }
    void send(std::size_t to, const pt::MessageHeader& header, std::span<const std::byte> payload) override {
        inner_.send(to, header, payload);
    }
    void receive(std::size_t from, pt::MessageHeader& header, pt::Bytes& payload) override {
        inner_.receive(from, header, payload);
    }
    void settle() override { inner_.settle(); }
    void open_service_lane() override { inner_.open_service_lane(); }
    void begin_service() override {
        if (fault == Fault::begin && std::exchange(fails_, false))
            throw pt::InvalidSetting("no thread for the service");
        inner_.begin_service();
    }
    void post(std::size_t to, const pt::MessageHeader& header, pt::Bytes payload) override {
        if (fault == Fault::post && to + 1 == size() && header.sequence == 1 &&
            header.operation == static_cast<std::uint32_t>(pt::Operation::table_push) && std::exchange(fails_, false))
            throw std::bad_alloc();
        inner_.post(to, header, std::move(payload));
    }
    std::size_t take_posted(pt::MessageHeader& header, pt::Bytes& payload) override {
        return inner_.take_posted(header, payload);
    }
    void abandon(std::span<const std::byte> error) override { inner_.abandon(error); }
    [[noreturn]] void kill() override {
        inner_.kill();
        throw pt::detail::Killed{};
    }

  private:
    pt::Channel& inner_;
    bool fails_;
};

/// A run that ends while much of a worker's last push is still on its way to the last worker.
template <class Consistency>
void ends_after_a_large_push(std::size_t workers) {
    const std::string whole = outcome([&] {
        run_on<Server<Consistency>>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
            const std::size_t count = 100'000;  // 1.2 MB: more than twice what finds room between two processes
            pt::ParameterTable table(session, {.keys = workers * count, .bound = 1}, pt::Sum{});
            std::vector<std::uint32_t> keys(count);
            std::iota(keys.begin(), keys.end(), static_cast<std::uint32_t>((workers - 1) * count));
            if (session.rank() == 0) table.push(keys, std::vector<float>(count, 1));
            table.advance();
        });
    });
    CHECK(whole == "fine");
}

}  // namespace

TEST_CASE("a run ends soon, however much is on its way to a table's owners", "[comm][table]") {
    for (const std::size_t workers : worker_counts({2, 3})) {
        for (int again = 0; again < 4; ++again) {
            ends_after_a_large_push<pt::Ssp<1>>(workers);
            ends_after_a_large_push<pt::Async>(workers);
        }
    }
}

TEST_CASE("a worker that catches the error which unwound its table does not keep the others waiting", "[comm][table]") {
    for (const std::size_t workers : worker_counts({2, 3})) {
        deserter_is_named<Server<pt::Bsp>>(workers);
        deserter_is_named<Server<pt::Ssp<2>>>(workers);
        deserter_is_named<Server<pt::Async>>(workers);
    }
}

TEST_CASE("a worker that could not serve a table is in step at the next", "[comm][table]") {
    for (const std::size_t workers : worker_counts({2, 3})) {
        const Training training{.seed = 6};
        const auto lines = report<pt::ParameterServer<FailingLane<Fault::begin>, pt::Bsp>>(
            {.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
                const std::string first = outcome([&] { trained(session, training, pt::Sum{}); });
                return first + ", " + trained(session, training, pt::Sum{});
            });
        CHECK(lines == all(workers, "invalid_setting of " + std::to_string(workers - 1) + ", " +
                                        as_text(oracle(training, pt::Sum{}))));
    }
}

namespace {

template <class Consistency>
void ends_between_owners(std::size_t workers) {
    const std::string whole = outcome([&] {
        using Policy = pt::ParameterServer<FailingLane<Fault::post>, Consistency>;
        run_on<Policy>({.workers = workers, .deadline_seconds = 20}, [&](pt::Session& session) {
            pt::ParameterTable table(session, {.keys = 10, .bound = 1}, pt::Sum{});
            table.advance();
            table.advance(pt::attempt([&] { table.advance(); }));  // brings the error on, as one should
            table.collect();
        });
    });
    CHECK(whole == "remote_error of 0: std::bad_alloc");
}

}  // namespace

TEST_CASE("a clock that only some owners could be sent ends the run for all", "[comm][table]") {
    for (const std::size_t workers : worker_counts({2, 3})) {
        ends_between_owners<pt::Bsp>(workers);
        ends_between_owners<pt::Ssp<2>>(workers);
        ends_between_owners<pt::Async>(workers);
    }
}

TEST_CASE("a service that breaks ends the run for all, though its worker computes", "[comm][table]") {
    if (!in_process) return;  // the worker must know when the other has heard
    std::atomic<bool> heard{false}, in_time{false};
    const std::string whole = outcome([&] {
        run_on<Server<pt::Bsp>>({.workers = 2, .deadline_seconds = 20}, [&](pt::Session& session) {
            pt::ParameterTable table(session, {.keys = 10, .bound = 1}, pt::Sum{});
            if (session.rank() == 1) {
                const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
                while (!heard && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
                in_time = bool(heard);
                return table.advance();
            }
            pt::Bytes number;
            pt::ByteWriter(number).write(std::uint64_t{1});
            const auto operation = static_cast<std::uint32_t>(pt::Operation::table_push);
            session.communicator().link().channel().post(  // a clock that is not this worker's next
                1, {.sequence = std::uint64_t{1} << 62, .operation = operation}, number);
            std::vector<float> value(1);
            const pt::PendingError failure = pt::attempt([&] { table.pull(std::vector<std::uint32_t>{9}, value); });
            heard = true;
            if (failure) std::rethrow_exception(failure.error);
        });
    });
    CHECK(in_time);
    CHECK(whole == "collective_mismatch of 0");
}

TEST_CASE("what is wrong with a table is told to all workers", "[comm][table]") {
    for (const std::size_t workers : worker_counts({1, 2, 3})) {
        mistakes_are_told<Server<pt::Bsp>>(workers, true);
        mistakes_are_told<pt::TreeAggregate<Transport>>(workers, false);
    }
}

}  // namespace parameter_table_test
