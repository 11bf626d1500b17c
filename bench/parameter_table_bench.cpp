// SPDX-License-Identifier: Apache-2.0

// A parameter table between workers of this process: what staleness buys when workers are late in turns, and what a clock costs.

#include <partita/comm/counting.hpp>
#include <partita/comm/parameter_table.hpp>
#include <partita/comm/run.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace pt = partita;

namespace {

/// Keys spread over the whole table, as hashing spreads them.
std::vector<std::uint32_t> spread_keys(std::size_t count, std::uint64_t keys, std::uint32_t first) {
    std::vector<std::uint32_t> spread;
    for (std::size_t i = 0; i < count; ++i) spread.push_back(static_cast<std::uint32_t>(i * keys / count + first));
    return spread;
}

/// Clocks of 1 ms of work per worker, in which one worker after the other needs ten times as long. Workers sleep instead of
/// computing, so that the figure does not depend on the number of hardware threads.
template <class Consistency>
void late_in_turns(benchmark::State& state) {
    constexpr std::size_t clocks = 60;
    for (auto unused : state) {
        static_cast<void>(unused);
        pt::run<pt::ParameterServer<pt::InProcess, Consistency>>(
            {.threads = 1, .workers = static_cast<std::size_t>(state.range(0))}, [&](pt::Session& session) {
                pt::ParameterTable table(session, {.keys = 1 << 20, .bound = 1e3}, pt::Sum{});
                const auto keys = spread_keys(1000, table.keys(), static_cast<std::uint32_t>(session.rank()));
                std::vector<float> values(keys.size());
                while (table.clock() < clocks) {
                    table.pull(keys, values);
                    const bool late = table.clock() % session.size() == session.rank();
                    std::this_thread::sleep_for(std::chrono::milliseconds(late ? 10 : 1));
                    for (float& value : values) value = 0.001F;
                    table.push(keys, values);
                    table.advance();
                }
            });
    }
    state.counters["clocks/s"] =
        benchmark::Counter(static_cast<double>(clocks), benchmark::Counter::kIsIterationInvariantRate);
}

/// Clocks without work between two workers: 2^24 keys, of which each worker touches some.
template <class Policy>
void bare_clocks(benchmark::State& state) {
    constexpr std::size_t clocks = 8;
    const auto touched = static_cast<std::size_t>(state.range(0));
    pt::MessageLog log;
    for (auto unused : state) {
        static_cast<void>(unused);
        log.clear();
        double seconds = 0;
        pt::run<Policy>({.threads = 1, .workers = 2, .instruments = {.messages = &log}}, [&](pt::Session& session) {
            const pt::ParameterTableSettings settings{
                .keys = 1 << 24, .bound = 1e3, .exchange = pt::TableExchange::dense};
            pt::ParameterTable table(session, settings, pt::FtrlProximal{});
            const auto keys = spread_keys(touched, table.keys(), static_cast<std::uint32_t>(session.rank()));
            std::vector<float> values(keys.size());
            session.communicator().barrier();
            const auto start = std::chrono::steady_clock::now();
            while (table.clock() < clocks) {
                table.pull(keys, values);
                for (float& value : values) value = 0.5F - value;
                table.push(keys, values);
                table.advance();
            }
            if (session.primary())
                seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        });
        state.SetIterationTime(seconds);
    }
    double bytes = 0;
    for (const pt::MessageRecord& message : log.messages()) bytes += static_cast<double>(message.payload_bytes);
    state.counters["bytes/clock"] = bytes / clocks;
    state.counters["keys/s"] =
        benchmark::Counter(static_cast<double>(clocks * touched), benchmark::Counter::kIsIterationInvariantRate);
}

using Server = pt::ParameterServer<pt::Counting<pt::InProcess>, pt::Bsp>;
using Dense = pt::RingAllReduce<pt::Counting<pt::InProcess>>;

BENCHMARK_TEMPLATE(late_in_turns, pt::Bsp)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_TEMPLATE(late_in_turns, pt::Ssp<4>)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_TEMPLATE(late_in_turns, pt::Async)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_TEMPLATE(bare_clocks, Server)->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK_TEMPLATE(bare_clocks, Dense)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
