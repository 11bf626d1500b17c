// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/count.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

namespace count_test {

using namespace partita;

static_assert(ExactAccumulator<Count>);

TEST_CASE("counts count rows and sum weights", "[math]") {
    Count count;
    REQUIRE(count.rows() == 0);
    REQUIRE(count.weight() == 0);
    count.update(4096);
    count.update(1);
    REQUIRE(count.rows() == 4097);
    REQUIRE(count.weight() == 4097);
    const std::vector<double> weights = {0.1, 0.2, 0.0, 0.3, 5};
    count.update(5, Weights(weights.data()));
    REQUIRE(count.rows() == 4101);
    REQUIRE(count.weight() == 4097 + 5.6);
    count.add();
    count.add(0.0);
    count.add(0.5);
    REQUIRE(count.rows() == 4103);
    REQUIRE(count.weight() == 4098.5 + 5.6);
}

TEST_CASE("a weight of k counts like k copies", "[math]") {
    Count weighted, copied;
    std::vector<double> weights;
    std::size_t copies = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
        weights.push_back(static_cast<double>(i % 5));
        copies += i % 5;
    }
    weighted.update(weights.size(), Weights(weights.data()));
    copied.update(copies);
    REQUIRE(weighted.weight() == copied.weight());
    REQUIRE(weighted.rows() == 800);
}

TEST_CASE("the order and grouping of weighted rows does not matter", "[math]") {
    std::mt19937_64 generator(3);
    std::uniform_real_distribution<double> unit(0, 1);
    std::vector<double> weights(5000);
    for (double& weight : weights) weight = generator() % 10 ? unit(generator) : 0.0;
    Count wanted;
    wanted.update(weights.size(), Weights(weights.data()));
    for (int trial = 0; trial < 50; ++trial) {
        std::shuffle(weights.begin(), weights.end(), generator);
        Count total;
        for (std::size_t from = 0; from < weights.size();) {
            const std::size_t count = std::min<std::size_t>(generator() % 900, weights.size() - from);
            Count part;
            part.update(count, Weights(weights.data() + from));
            part.merge(total);
            total = part;
            from += count;
        }
        REQUIRE(total == wanted);
    }
    Count part;
    part.update(100, Weights(weights.data()));
    Count window = wanted;
    window.withdraw(part);
    REQUIRE_FALSE(window == wanted);
    window.merge(part);
    REQUIRE(window == wanted);
    window.withdraw(wanted);
    REQUIRE(window == Count());
}

TEST_CASE("counts beyond the integers of a double are exact", "[math]") {
    Count a, b;
    a.update((std::size_t{1} << 53) + 1);
    b.update(std::size_t{1} << 53);
    REQUIRE_FALSE(a == b);
    b.add();
    REQUIRE(a == b);
    Count half;
    half.add(0.5);
    half.add(0.5);
    Count one;
    one.update(1);
    one.add(0x1p-1074);
    REQUIRE(half.weight() == one.weight());
    REQUIRE_FALSE(half == one);
}

TEST_CASE("counts reduced over workers equal merged counts", "[math]") {
    const std::vector<double> weights = {0.1, 0.2, 0.7, 1e-300, 3, 0};
    for (std::size_t workers : {1U, 2U, 3U, 5U}) {
        for (bool weighted : {false, true}) {
            std::vector<Count> states(workers);
            Count wanted;
            for (std::size_t i = 0; i < 6; ++i) {
                const auto all = weighted ? Weights(weights.data()).from(i) : Weights();
                states[i % workers].update(1, all);
                wanted.update(1, all);
            }
            test::reduce(states);
            for (const auto& state : states) {
                REQUIRE(state == wanted);
                REQUIRE(state.weight() == (weighted ? 4.0 : 6.0));
            }
        }
    }
}

}  // namespace count_test
