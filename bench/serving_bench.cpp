// SPDX-License-Identifier: Apache-2.0
// One row at a time, the whole pipeline included: a million distinct rows in random order, models loaded from files. Each
// counter `allocations` must be 0.

#include <partita/comm/session.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <benchmark/benchmark.h>
#include <boost/describe.hpp>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace pt = partita;

namespace {
std::atomic<std::int64_t> allocations{0};
}
// Not inlined: g++ would see malloc and free at one end of a pair only, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

struct Numbers {
    pt::Vector<float, 32> x;
    float y;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (x, y))

struct Mixed {
    pt::Vector<float, 32> x;
    pt::Category zone;
    float y;
};
BOOST_DESCRIBE_STRUCT(Mixed, (), (x, zone, y))

namespace {

auto numbers_pipeline() { return pt::StandardScale<"x">{} | pt::LinearRegression<"x", "y">{.l2 = 1e-3}; }
auto mixed_pipeline() {
    return pt::StandardScale<"x">{} | pt::OneHotEncode<"zone", pt::Unseen::all_zero>{} |
           pt::Assemble<"x", "zone", "features">{} | pt::LinearRegression<"features", "y">{.l2 = 1e-3};
}
using NumbersModel = pt::Fitted<decltype(numbers_pipeline()), Numbers>;
using MixedModel = pt::Fitted<decltype(mixed_pipeline()), Mixed>;

constexpr std::size_t row_count = 1000000, zone_count = 260;

const std::vector<std::string>& zones() {
    static const auto made = [] {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < zone_count; ++i) names.push_back("zone number " + std::to_string(i * 7919 % 1000));
        return names;
    }();
    return made;
}

template <class Row>
const std::vector<Row>& rows() {
    static const auto made = [] {
        std::vector<Row> all(row_count);
        std::uint64_t state = 1;
        const auto draw = [&] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 40; };
        for (Row& row : all) {
            for (float& value : row.x) value = static_cast<float>(draw()) * 0x1p-24f;
            row.y = row.x[0] - 2 * row.x[1] + static_cast<float>(draw()) * 0x1p-24f;
            if constexpr (requires { row.zone; }) row.zone = std::string_view(zones()[draw() % zone_count]);
        }
        return all;
    }();
    return made;
}

/// Fitted on the first rows, saved, and loaded again.
template <class Model, class Row, class Pipeline>
Model loaded(const Pipeline& pipeline, const std::string& path) {
    pt::LocalSession session({.threads = 2});
    const Model model =
        pipeline.fit(pt::as_train(pt::dataset(session, std::span<const Row>(rows<Row>()).first(50000))));
    pt::save(session, model, path);
    return pt::load<Model>(path);
}

template <class Model, class Row>
void serve(benchmark::State& state, const Model& model, const std::vector<Row>& requests) {
    double total = 0;
    const std::int64_t before = allocations.load();
    for (auto _ : state)
        for (const Row& row : requests) total += model.predict(row);
    const std::int64_t made = allocations.load() - before;
    benchmark::DoNotOptimize(total);
    const double served = static_cast<double>(state.iterations()) * static_cast<double>(requests.size());
    state.counters["ns_per_row"] =
        benchmark::Counter(served * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["allocations"] = static_cast<double>(made);
}

void scaler_and_linear(benchmark::State& state) {
    static const auto model = loaded<NumbersModel, Numbers>(numbers_pipeline(), "serving_numbers.safetensors");
    serve(state, model, rows<Numbers>());
}
void one_hot_by_id(benchmark::State& state) {
    static const auto model = loaded<MixedModel, Mixed>(mixed_pipeline(), "serving_mixed.safetensors");
    static const auto requests = [] {
        auto all = rows<Mixed>();
        for (Mixed& row : all) row.zone = model.intern<"zone">(row.zone);
        return all;
    }();
    serve(state, model, requests);
}
void one_hot_by_text(benchmark::State& state) {
    static const auto model = loaded<MixedModel, Mixed>(mixed_pipeline(), "serving_mixed.safetensors");
    serve(state, model, rows<Mixed>());
}

}  // namespace

BENCHMARK(scaler_and_linear)->Unit(benchmark::kMillisecond);
BENCHMARK(one_hot_by_id)->Unit(benchmark::kMillisecond);
BENCHMARK(one_hot_by_text)->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
