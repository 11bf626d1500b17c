// SPDX-License-Identifier: Apache-2.0
// What equal bits cost: the deposits of a fit over a million rows (245 blocks of 4096, two threads' states merged, every sum
// read once), exact and as plain additions of doubles. The difference over the fit's own time is the price.

#include <partita/math/exact_sum.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <span>
#include <vector>

namespace pt = partita;

namespace {

constexpr std::size_t block_count = 245;

/// Block results of differing magnitudes, as sums of squares, of products and of plain values differ.
std::vector<double> block_results(std::size_t width) {
    std::mt19937_64 random(7);
    std::normal_distribution<double> normal;
    std::vector<double> scales(width), values(width * block_count);
    for (double& scale : scales) scale = std::exp(3 * normal(random));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 4096 * scales[i % width] * normal(random);
    return values;
}

/// `add` is called for each block, on the first half's state and then on the second's.
template <class State, class Add, class Merge, class Read>
void deposits(benchmark::State& state, Add add, Merge merge, Read read) {
    const auto width = static_cast<std::size_t>(state.range(0));
    const std::vector<double> values = block_results(width);
    for (auto _ : state) {
        State first(width), second(width);
        for (std::size_t block = 0; block < block_count; ++block)
            add(block < block_count / 2 ? first : second, std::span(values).subspan(block * width, width));
        merge(first, second);
        double total = 0;
        for (std::size_t i = 0; i < width; ++i) total += read(first, i);
        benchmark::DoNotOptimize(total);
    }
}

void exact(benchmark::State& state) {
    deposits<pt::ExactSums>(
        state, [](pt::ExactSums& sums, std::span<const double> values) { sums.add(values); },
        [](pt::ExactSums& sums, const pt::ExactSums& other) { sums.merge(other); },
        [](const pt::ExactSums& sums, std::size_t i) { return sums.value(i); });
}

void plain(benchmark::State& state) {
    const auto add = [](std::vector<double>& sums, std::span<const double> values) {
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
        benchmark::ClobberMemory();
    };
    deposits<std::vector<double>>(state, add, add,
                                  [](const std::vector<double>& sums, std::size_t i) { return sums[i]; });
}

// StandardScale over 28 columns; a gradient of 29; the triangle of 30 columns (normal equations) and of 29 (Newton).
void widths(benchmark::internal::Benchmark* benchmark) {
    for (int width : {57, 29, 465, 435}) benchmark->Arg(width);
    benchmark->Unit(benchmark::kMicrosecond);
}
BENCHMARK(exact)->Apply(widths);
BENCHMARK(plain)->Apply(widths);

}  // namespace

BENCHMARK_MAIN();
