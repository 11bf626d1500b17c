// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/fixed_sums.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace fixed_sums_test {

using partita::detail::FixedSums;

static_assert(partita::ExactAccumulator<FixedSums> && !FixedSums::keyed);

namespace {

constexpr std::size_t size = 37, workers = 5;

/// Sums of 60 bits, whose total over the workers is still a word.
std::vector<FixedSums> drawn() {
    std::mt19937_64 random(6);
    std::vector<FixedSums> states;
    for (std::size_t worker = 0; worker < workers; ++worker) {
        states.emplace_back(size);
        for (std::int64_t& sum : states.back().sums()) sum = static_cast<std::int64_t>(random()) / 8;
    }
    return states;
}

std::vector<std::int64_t> numbers(const FixedSums& state) { return {state.sums().begin(), state.sums().end()}; }

std::vector<std::int64_t> total(const std::vector<FixedSums>& states) {
    std::vector<std::int64_t> total(size);
    for (const FixedSums& state : states)
        for (std::size_t i = 0; i < state.sums().size(); ++i) total[i] += state.sums()[i];
    return total;
}

}  // namespace

TEST_CASE("fixed sums start at zero and merge into the sums of all, in any order", "[math]") {
    const FixedSums zeros(size);
    CHECK(numbers(zeros) == std::vector<std::int64_t>(size));
    std::vector<FixedSums> states = drawn();
    const std::vector<std::int64_t> expected = total(states);
    std::mt19937_64 random(7);
    for (int round = 0; round < 4; ++round) {
        FixedSums merged;  // of no size, the identity
        for (const FixedSums& state : states) merged.merge(state);
        CHECK(numbers(merged) == expected);
        merged.merge(FixedSums());
        CHECK(numbers(merged) == expected);
        std::shuffle(states.begin(), states.end(), random);
    }
}

TEST_CASE("workers reduce fixed sums to the sums of all, one without rows among them", "[math]") {
    std::vector<FixedSums> states = drawn();
    const std::vector<std::int64_t> expected = total(states);
    states.insert(states.begin() + 2, FixedSums());
    test::reduce(states);
    for (const FixedSums& state : states) CHECK(numbers(state) == expected);
}

}  // namespace fixed_sums_test
