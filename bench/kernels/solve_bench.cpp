// SPDX-License-Identifier: Apache-2.0
// Cholesky's factorisation and the elementary functions, one thread.

#include <partita/math/cholesky.hpp>
#include <partita/math/simd/elementary.hpp>

#include <benchmark/benchmark.h>

namespace pt = partita;

namespace {

void cholesky(benchmark::State& state) {
    const auto p = static_cast<std::size_t>(state.range(0));
    std::vector<double> triangle(pt::triangle_size(p));
    for (std::size_t i = 0; i < p; ++i) {
        for (std::size_t j = i; j < p; ++j)
            triangle[pt::triangle_index(i, j, p)] = i == j ? 2.0 : 1.0 / static_cast<double>(1 + j - i);
    }
    for (auto _ : state) {
        const pt::Cholesky factor(triangle, p);
        benchmark::DoNotOptimize(factor.rank());
    }
    const double size = static_cast<double>(p);
    state.counters["flop/s"] =
        benchmark::Counter(size * size * size / 3, benchmark::Counter::kIsIterationInvariantRate);
}

template <class Function>
void over_lanes(benchmark::State& state, Function function) {
    std::vector<double> x(4096);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.01 + 0.001 * static_cast<double>(i);
    for (auto _ : state) {
        for (std::size_t i = 0; i < x.size(); i += 8) {
            auto y = function(pt::Lanes<double, 8>::load(x.data() + i));
            benchmark::DoNotOptimize(y);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(x.size()));
}
void exp_lanes(benchmark::State& state) {
    over_lanes(state, [](const auto& x) { return exp(x); });
}
void log_lanes(benchmark::State& state) {
    over_lanes(state, [](const auto& x) { return log(x); });
}
void softplus_lanes(benchmark::State& state) {
    over_lanes(state, [](const auto& x) { return softplus(x); });
}

}  // namespace

BENCHMARK(cholesky)->Arg(28)->Arg(200)->Arg(1000)->Arg(2000)->Unit(benchmark::kMicrosecond);
BENCHMARK(exp_lanes);
BENCHMARK(log_lanes);
BENCHMARK(softplus_lanes);

BENCHMARK_MAIN();
