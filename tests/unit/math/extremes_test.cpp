// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/extremes.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <random>

namespace extremes_test {

using namespace partita;

static_assert(ExactAccumulator<Min<float>> && ExactAccumulator<Max<std::uint64_t>> && ExactAccumulator<Min<bool>>);
static_assert(!Orderable<long double> && !Orderable<std::string>);

namespace {

template <class T>
void compare_with_search(std::vector<T> values) {
    values.push_back(std::numeric_limits<T>::max());
    values.push_back(std::numeric_limits<T>::lowest());
    for (std::size_t from = 0; from < values.size(); ++from) {
        const auto rest = std::span<const T>(values).subspan(from);
        Min<T> low;
        Max<T> high;
        low.update(rest);
        high.update(rest);
        REQUIRE(low.value() == *std::min_element(rest.begin(), rest.end()));
        REQUIRE(high.value() == *std::max_element(rest.begin(), rest.end()));
    }
}

template <class T>
std::vector<T> draw() {
    std::mt19937_64 generator(1);
    std::vector<T> values;
    for (int i = 0; i < 100; ++i)
        values.push_back(static_cast<T>((static_cast<double>(generator() % 2001) - 1000) / 8));
    return values;
}

}  // namespace

TEST_CASE("extremes equal those of a search", "[math]") {
    compare_with_search(draw<float>());
    compare_with_search(draw<double>());
    compare_with_search(draw<std::int8_t>());
    compare_with_search(draw<std::int16_t>());
    compare_with_search(draw<std::int32_t>());
    compare_with_search(draw<std::int64_t>());
    compare_with_search(std::vector<std::uint8_t>{3, 200, 4});
    compare_with_search(std::vector<std::uint64_t>{3, ~0ULL, 1ULL << 63, 0});
}

TEST_CASE("extremes of nothing are none, and zeros have no sign", "[math]") {
    Min<double> low;
    Max<double> high;
    REQUIRE_FALSE(low.seen());
    REQUIRE_FALSE(low.value().has_value());
    low.update({});
    REQUIRE_FALSE(low.seen());
    for (double zero : {-0.0, 0.0, -0.0}) {
        low.add(zero);
        high.add(zero);
        REQUIRE(low.value() == 0.0);
        REQUIRE_FALSE(std::signbit(*low.value()));
        REQUIRE_FALSE(std::signbit(*high.value()));
    }
    high.add(-std::numeric_limits<double>::denorm_min());
    REQUIRE(high.value() == 0.0);
    low.add(-std::numeric_limits<double>::infinity());
    REQUIRE(low.value() == -std::numeric_limits<double>::infinity());
}

TEST_CASE("rows of weight zero have no extremes", "[math]") {
    const std::vector<float> values = {-9, 1, 2, 9};
    const std::vector<double> weights = {0, 0.5, 1, 0}, none(4);
    Min<float> low;
    Max<float> high;
    low.update(values, Weights(weights.data()));
    high.update(values, Weights(weights.data()));
    REQUIRE(low.value() == 1.0f);
    REQUIRE(high.value() == 2.0f);
    Min<float> nothing;
    nothing.update(values, Weights(none.data()));
    REQUIRE_FALSE(nothing.seen());
}

TEST_CASE("extremes reduced over workers equal merged ones", "[math]") {
    const auto values = draw<double>();
    for (std::size_t workers : {1U, 2U, 3U, 5U}) {
        std::vector<Min<double>> lows(workers);
        std::vector<Max<std::uint64_t>> highs(workers), unseen(workers);
        Min<double> low;
        Max<std::uint64_t> high;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t worker = i % (workers == 5 ? 4 : workers);
            lows[worker].add(values[i]);
            highs[worker].add(i % 2 ? 0 : i);  // zero is the lowest key there is
            Min<double> one;
            one.add(values[i]);
            low.merge(one);
            Max<std::uint64_t> other;
            other.add(i % 2 ? 0 : i);
            other.merge(high);
            high = other;
        }
        test::reduce(lows);
        test::reduce(highs);
        test::reduce(unseen);
        for (std::size_t i = 0; i < workers; ++i) {
            REQUIRE(lows[i] == low);
            REQUIRE(highs[i] == high);
            REQUIRE_FALSE(unseen[i].seen());
        }
        REQUIRE(low.value() == *std::min_element(values.begin(), values.end()));
        REQUIRE(high.value() == 98);
    }
}

}  // namespace extremes_test
