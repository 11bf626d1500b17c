// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/quantiles.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace quantiles_test {

using namespace partita;

static_assert(ExactAccumulator<Quantiles<float>> && ExactAccumulator<Quantiles<std::int64_t>>);
static_assert(Quantiles<std::int8_t>::passes == 1 && Quantiles<bool>::passes == 1 &&
              Quantiles<std::uint16_t>::passes == 1);
static_assert(Quantiles<float>::passes == 2 && Quantiles<double>::passes == 4 && Quantiles<std::uint64_t>::passes == 4);
static_assert(ordered_bits(-0.0f) == ordered_bits(0.0f) && ordered_bits(-1.0) < ordered_bits(0.0));
static_assert(from_ordered_bits<double>(ordered_bits(-2.5)) == -2.5 && from_ordered_bits<bool>(ordered_bits(true)));

namespace {

const std::vector<double> probabilities = {0.5, 0.0, 1.0, 0.25, 0.1, 0.999, 1.0 / 3};

// By sorting: the definition in the header, read literally.
template <class T>
double by_sorting(const std::vector<T>& values, const std::vector<double>& weights, double probability) {
    std::vector<std::pair<T, long double>> rows;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double weight = weights.empty() ? 1.0 : weights[i];
        if (weight != 0) rows.push_back({values[i], weight});
    }
    std::sort(rows.begin(), rows.end());
    long double total = 0;
    for (const auto& row : rows) total += row.second;
    const auto covering = [&](double rank) {
        long double running = 0;
        for (const auto& row : rows) {
            running += row.second;
            if (running > rank) return static_cast<double>(row.first);
        }
        return static_cast<double>(rows.back().first);
    };
    volatile double position = (static_cast<double>(total) - 1) * probability;
    if (position < 0) position = 0;
    const double rank = std::floor(position), low = covering(rank);
    const double high = rank + 1 < static_cast<double>(total) ? covering(rank + 1) : low;
    return low == high ? low : std::lerp(low, high, position - rank);
}

template <class T>
Quantiles<T> fit(const std::vector<T>& values, const std::vector<double>& weights = {}, std::size_t workers = 1,
                 std::size_t chunk = 1000) {
    std::vector<Quantiles<T>> states(workers, Quantiles<T>(probabilities));
    int passes = 0;
    for (bool more = true; more;) {
        const Quantiles<T> plan = states[0];  // what every part of this pass starts from
        for (std::size_t from = 0; from < values.size(); from += chunk) {
            Quantiles<T> part = plan;
            const Weights all = weights.empty() ? Weights() : Weights(weights.data());
            part.update(std::span(values).subspan(from, std::min(chunk, values.size() - from)), all.from(from));
            states[from / chunk % workers].merge(part);
        }
        test::reduce(states);
        more = states[0].advance();
        for (std::size_t i = 1; i < workers; ++i) REQUIRE(states[i].advance() == more);
        ++passes;
    }
    REQUIRE(passes <= Quantiles<T>::passes);
    for (std::size_t i = 1; i < workers; ++i) REQUIRE(states[i] == states[0]);
    return states[0];
}

template <class T>
void compare(const std::vector<T>& values, const std::vector<double>& weights = {}) {
    for (std::size_t workers : {1U, 2U, 5U}) {
        const auto quantiles = fit(values, weights, workers, 37);
        for (double probability : probabilities) {
            CAPTURE(workers, probability, values.size());
            // The interpolation rounds twice here and once or twice there.
            REQUIRE(quantiles.value(probability) == Approx(by_sorting(values, weights, probability)).epsilon(1e-14));
        }
    }
}

template <class T>
std::vector<T> draw(int kind, std::size_t count) {
    std::mt19937_64 generator(static_cast<std::uint64_t>(kind) + count);
    std::normal_distribution<> normal;
    std::vector<T> values;
    for (std::size_t i = 0; i < count; ++i) {
        const double x = normal(generator);
        switch (kind) {
            case 0: values.push_back(static_cast<T>(std::is_unsigned_v<T> ? std::fabs(20 * x) : 20 * x)); break;
            case 1: values.push_back(static_cast<T>(std::round(std::fabs(3 * x)))); break;  // ties
            case 2: values.push_back(std::numeric_limits<T>::max()); break;
            case 3: values.push_back(static_cast<T>(i % 2 ? 0.0 : -0.0)); break;
            default: values.push_back(static_cast<T>(i)); break;
        }
    }
    return values;
}

template <class T>
void compare_all() {
    for (int kind = 0; kind < 5; ++kind) {
        for (std::size_t count : {1U, 2U, 3U, 120U}) {
            const auto values = draw<T>(kind, count);
            compare(values);
            std::vector<double> weights;
            for (std::size_t i = 0; i < count; ++i) weights.push_back(static_cast<double>((i * 7 + 1) % 5));
            compare(values, weights);
            for (std::size_t i = 0; i < count; ++i) weights[i] = static_cast<double>((i * 7 + 1) % 5) / 3.0 + 0.25;
            compare(values, weights);
        }
    }
}

}  // namespace

TEST_CASE("quantiles equal those of sorted values", "[math]") {
    compare_all<float>();
    compare_all<double>();
    compare_all<std::int8_t>();
    compare_all<std::uint16_t>();
    compare_all<std::int32_t>();
}

TEST_CASE("quantiles of wide integers keep their order", "[math]") {
    std::vector<std::int64_t> values;
    for (int i = 0; i < 200; ++i) values.push_back((i % 2 ? 1 : -1) * (std::int64_t{1} << (i % 62)));
    compare(values);
    const auto largest = fit(std::vector<std::uint64_t>{~0ULL, 0, 1ULL << 63});
    REQUIRE(largest.value(0.0) == 0.0);
    REQUIRE(largest.value(0.5) == 0x1p63);
    REQUIRE(largest.value(1.0) == 0x1p64);
}

TEST_CASE("quantiles of values that only their last digits tell apart", "[math]") {
    std::vector<double> values;
    for (int i = 0; i < 1000; ++i) values.push_back(1.0 + (i * 617 % 1000) * 0x1p-52);
    const auto quantiles = fit(values);
    REQUIRE(quantiles.value(0.0) == 1.0);
    REQUIRE(quantiles.value(1.0) == 1.0 + 999 * 0x1p-52);
    REQUIRE(quantiles.value(0.999) == 1.0 + 998 * 0x1p-52);  // 998.001 units, rounded
}

TEST_CASE("subnormal numbers, infinities and negative zero have their places", "[math]") {
    const double tiny = std::numeric_limits<double>::denorm_min(), infinity = std::numeric_limits<double>::infinity();
    auto quantiles = fit(std::vector<double>{tiny, -tiny, -0.0});
    REQUIRE(quantiles.value(0.0) == -tiny);
    REQUIRE(quantiles.value(0.5) == 0.0);
    REQUIRE_FALSE(std::signbit(quantiles.value(0.5)));
    REQUIRE(quantiles.value(1.0) == tiny);
    quantiles = fit(std::vector<double>{infinity, -infinity, infinity, infinity, infinity, 4});
    REQUIRE(quantiles.value(0.0) == -infinity);
    REQUIRE(quantiles.value(0.5) == infinity);
}

TEST_CASE("a weight of k equals k copies", "[math]") {
    std::vector<float> values = draw<float>(0, 300), copies;
    std::vector<double> weights;
    for (std::size_t i = 0; i < values.size(); ++i) {
        weights.push_back(static_cast<double>(i % 4));
        copies.insert(copies.end(), i % 4, values[i]);
    }
    const auto weighted = fit(values, weights), copied = fit(copies);
    for (double probability : probabilities) REQUIRE(weighted.value(probability) == copied.value(probability));
    REQUIRE(weighted.weight() == copied.weight());
}

TEST_CASE("small weights have quantiles, too", "[math]") {
    const std::vector<double> values = {3, 1, 2}, weights = {0.125, 0.25, 0.0625};
    const auto quantiles = fit(values, weights);
    for (double probability : probabilities) REQUIRE(quantiles.value(probability) == 1.0);
    REQUIRE(quantiles.weight() == 0.4375);
}

TEST_CASE("quantiles refuse what has no answer", "[math]") {
    REQUIRE_THROWS_AS(Quantiles<float>({0.5, 1.5}), InvalidSetting);
    REQUIRE_THROWS_AS(Quantiles<float>({std::nan("")}), InvalidSetting);
    const auto none = fit(std::vector<float>{});
    REQUIRE_FALSE(none.seen());
    REQUIRE_THROWS_AS(none.value(0.5), EmptyDataset);
    REQUIRE_THROWS_AS(fit(std::vector<float>{1, 2}, {0, 0}).value(0.5), EmptyDataset);
    REQUIRE_THROWS_AS(fit(std::vector<float>{1, 2}).value(0.75), InvalidSetting);
    Quantiles<float> other({0.25}), mine({0.5});
    REQUIRE_THROWS_AS(mine.merge(other), CollectiveMismatch);
}

TEST_CASE("merging quantiles is associative and commutative, and an empty state changes nothing", "[math]") {
    std::vector<Quantiles<double>> parts;
    for (int kind = 0; kind < 3; ++kind) {
        const auto values = draw<double>(kind, 50);
        std::vector<double> weights(50, kind == 1 ? 0.3 : 2.0);
        parts.emplace_back(probabilities);
        parts.back().update(values, kind == 2 ? Weights() : Weights(weights.data()));
    }
    auto ab = parts[0], ba = parts[1], bc = parts[1], a_bc = parts[0];
    ab.merge(parts[1]);
    ba.merge(parts[0]);
    REQUIRE(ab == ba);
    REQUIRE_FALSE(ab == parts[0]);
    ab.merge(parts[2]);
    bc.merge(parts[2]);
    a_bc.merge(bc);
    REQUIRE(ab == a_bc);
    Quantiles<double> identity;
    identity.merge(ab);
    REQUIRE(identity == ab);
    ab.merge(Quantiles<double>());
    REQUIRE(identity == ab);
    ab.merge(Quantiles<double>(probabilities));
    REQUIRE(identity == ab);
}

}  // namespace quantiles_test
