// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/histogram.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace histogram_test {

using namespace partita;

static_assert(ExactAccumulator<Histogram> && !Histogram::keyed);

TEST_CASE("histograms sum weights by bin", "[math]") {
    Histogram histogram(3);
    const std::vector<std::int32_t> bins = {0, 2, 2, -1, 0, 2};
    const std::vector<double> weights = {1, 0.1, 0.2, 7, 2, 0};
    histogram.update(bins);
    REQUIRE(histogram.whole());
    REQUIRE(histogram.weight(0) == 2);
    REQUIRE(histogram.weight(1) == 0);
    REQUIRE(histogram.weight(2) == 3);
    histogram.update(bins, Weights(weights.data()));
    REQUIRE_FALSE(histogram.whole());
    REQUIRE(histogram.weight(0) == 5);
    REQUIRE(histogram.weight(2) == 3.3);  // 3 + 0.1 + 0.2 rounded once; not 3 + (0.1 + 0.2)
    REQUIRE(histogram.total() == 8.3);
    histogram.add_weight(1, 0x1p40);
    histogram.add_weight(1, 0x1p-40);
    REQUIRE(histogram.weight(1) == 0x1p40);  // 80 bits apart
    histogram.clear();
    REQUIRE(histogram == Histogram(3));
}

TEST_CASE("histograms refuse bins beyond their last before counting anything", "[math]") {
    Histogram histogram(2);
    const std::vector<std::int32_t> bins = {0, 2};
    REQUIRE_THROWS_AS(histogram.update(bins), WrongWidth);
    REQUIRE(histogram == Histogram(2));
    REQUIRE_THROWS_AS(histogram.add(2), WrongWidth);
    REQUIRE_THROWS_AS(histogram.add_weight(2, 0.5), WrongWidth);
    REQUIRE_THROWS_AS(histogram.weight(2), WrongWidth);
}

TEST_CASE("a weight of k is k rows, and ten tenths are their exact sum", "[math]") {
    Histogram weighted(2), copied(2);
    weighted.add_weight(0, 3.0);
    weighted.add_weight(1, 0.0);
    for (int i = 0; i < 3; ++i) copied.add(0);
    REQUIRE(weighted == copied);
    Histogram halves(2), one(2);
    halves.add_weight(1, 0.5);
    halves.add_weight(1, 0.5);
    one.add(1);
    REQUIRE(halves == one);  // though one is counted in integers
}

TEST_CASE("histograms form a group, and odd weights do not get lost", "[math]") {
    Histogram a(2), b(4), c(1);
    a.add(1, 5);
    a.add_weight(0, 0.1);
    b.add(3);
    b.add_weight(3, std::numeric_limits<double>::infinity());
    c.add_weight(0, 1e-300);
    Histogram ab = a, ba = b;
    ab.merge(b);
    ba.merge(a);
    REQUIRE(ab == ba);
    REQUIRE(ab.size() == 4);
    Histogram bc = b, a_bc = a, ab_c = ab;
    bc.merge(c);
    a_bc.merge(bc);
    ab_c.merge(c);
    REQUIRE(a_bc == ab_c);
    REQUIRE(std::isinf(ab.weight(3)));
    ab.withdraw(b);
    a.resize(4);
    REQUIRE(ab == a);
    REQUIRE_FALSE(ab == b);
}

TEST_CASE("histograms reduced over workers equal merged ones", "[math]") {
    for (std::size_t workers : {1U, 2U, 3U, 5U}) {
        for (double weight : {1.0, 0.1}) {
            std::vector<Histogram> states(workers);
            Histogram wanted;
            for (std::size_t i = 0; i < 40; ++i) {
                Histogram part(i % 6 + 1);
                part.add_weight(i % 6, i < 20 ? 1.0 : weight);  // the first workers have whole weights only
                states[i * (workers == 5 ? 4 : workers) / 40].merge(part);
                wanted.merge(part);
            }
            test::reduce(states);
            for (const auto& state : states) REQUIRE(state == wanted);
        }
    }
}

}  // namespace histogram_test
