// SPDX-License-Identifier: Apache-2.0
// The dense block kernels over a million rows in blocks of 4096, one thread, beside the floor: a bare read of the same bytes.

#include "features.hpp"

#include <partita/math/gram.hpp>
#include <partita/math/logistic.hpp>
#include <partita/math/moments.hpp>

#include <benchmark/benchmark.h>

namespace pt = partita;

namespace {

const Features& features(std::size_t columns) {
    static const Features wide(1000000, 28), single(28000000, 1), ten(2800000, 10);
    return columns == 28 ? wide : columns == 10 ? ten : single;
}

template <class Body>
void over_blocks(benchmark::State& state, const Features& f, Body body) {
    for (auto _ : state) {
        for (std::size_t first = 0; first < f.n; first += 4096) body(first, std::min<std::size_t>(4096, f.n - first));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(f.size_bytes()));
}

pt::MatrixView<const float> block(const Features& f, std::size_t first, std::size_t rows) {
    return {f.x.data() + first * f.p, rows, f.p};
}

void read_only(benchmark::State& state) {
    const Features& f = features(28);
    using Batch = pt::detail::Native<float>;
    for (auto _ : state) {
        Batch a(0.0f), b(0.0f), c(0.0f), d(0.0f);
        for (std::size_t i = 0; i + 4 * Batch::size <= f.x.size(); i += 4 * Batch::size) {
            a = a + Batch::load_unaligned(&f.x[i]);
            b = b + Batch::load_unaligned(&f.x[i + Batch::size]);
            c = c + Batch::load_unaligned(&f.x[i + 2 * Batch::size]);
            d = d + Batch::load_unaligned(&f.x[i + 3 * Batch::size]);
        }
        benchmark::DoNotOptimize(a + b + c + d);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(f.size_bytes()));
}

void moments(benchmark::State& state) {
    const Features& f = features(static_cast<std::size_t>(state.range(0)));
    pt::BlockMoments kernel(f.p);
    over_blocks(state, f, [&](std::size_t first, std::size_t rows) {
        if (kernel.compute(block(f, first, rows))) state.SkipWithError("not finite");
        benchmark::DoNotOptimize(kernel.high().data());
    });
}

void gram(benchmark::State& state) {
    const Features& f = features(28);
    pt::BlockGram kernel(f.p, true);
    over_blocks(state, f, [&](std::size_t first, std::size_t rows) {
        if (kernel.compute(block(f, first, rows), f.y.data() + first)) state.SkipWithError("not finite");
        benchmark::DoNotOptimize(kernel.high().data());
    });
    const double fused = static_cast<double>(f.n) * static_cast<double>(pt::triangle_size(f.p + 1));
    state.counters["useful_flop/s"] = benchmark::Counter(2 * fused, benchmark::Counter::kIsIterationInvariantRate);
}

void gram_wide(benchmark::State& state) {
    static const Features f(4096, 1000);
    pt::BlockGram kernel(f.p, true);
    over_blocks(state, f, [&](std::size_t first, std::size_t rows) {
        if (kernel.compute(block(f, first, rows), f.y.data() + first)) state.SkipWithError("not finite");
        benchmark::DoNotOptimize(kernel.high().data());
    });
    const double fused = static_cast<double>(f.n) * static_cast<double>(pt::triangle_size(f.p + 1));
    state.counters["useful_flop/s"] = benchmark::Counter(2 * fused, benchmark::Counter::kIsIterationInvariantRate);
}

void logistic(benchmark::State& state) {
    const Features& f = features(28);
    pt::LogisticBlock kernel(f.p, true);
    std::vector<double> w(kernel.size(), 0.1), gradient(kernel.size()),
        hessian(state.range(0) ? pt::triangle_size(kernel.size()) : 0);
    double loss = 0;
    over_blocks(state, f, [&](std::size_t first, std::size_t rows) {
        loss += kernel.compute(block(f, first, rows), {f.labels.data() + first, rows}, {}, w, gradient, hessian);
        benchmark::DoNotOptimize(gradient.data());
    });
    benchmark::DoNotOptimize(loss);
}

}  // namespace

BENCHMARK(read_only)->Unit(benchmark::kMillisecond);
BENCHMARK(moments)->Arg(28)->Arg(10)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(gram)->Unit(benchmark::kMillisecond);
BENCHMARK(gram_wide)->Unit(benchmark::kMillisecond);
BENCHMARK(logistic)->ArgName("hessian")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
