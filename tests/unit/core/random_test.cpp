// SPDX-License-Identifier: Apache-2.0
#include <partita/core/random.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <set>
#include <vector>

namespace random_test {

using namespace partita;

// The known answers that the generator's authors publish.
static_assert(Philox4x32::draw({0, 0, 0, 0}, {0, 0}) ==
              Philox4x32::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(Philox4x32::draw({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              Philox4x32::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(Philox4x32::draw({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Philox4x32::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
static_assert(stream_id("split") != stream_id("sample"));

namespace {

// How far the counts of n draws into equally likely bins are from their expectation, in standard deviations of chi-squared.
template <class Draw>
double chi_squared_deviation(std::size_t bins, std::size_t draws, Draw draw) {
    std::vector<double> counts(bins);
    for (std::size_t i = 0; i < draws; ++i) counts.at(draw(i)) += 1;
    const double expected = static_cast<double>(draws) / static_cast<double>(bins);
    double sum = 0;
    for (double count : counts) sum += (count - expected) * (count - expected) / expected;
    const auto freedom = static_cast<double>(bins - 1);
    return (sum - freedom) / std::sqrt(2 * freedom);
}

}  // namespace

TEST_CASE("draws depend on seed, stream, row and attempt alone", "[core]") {
    REQUIRE(uniform(1, 2, 3) == uniform(1, 2, 3));
    std::set<double> all;
    for (std::uint64_t high : {0ULL, 1ULL << 32}) {
        for (std::uint32_t low = 0; low < 3; ++low) {
            all.insert(uniform(low + high, 7, 7));
            all.insert(uniform(7, 100 + low, high));
            all.insert(uniform(9, 9, low + high));
            all.insert(uniform(9, 9 + static_cast<std::uint32_t>(high >> 32), 5, 1 + low));
        }
    }
    REQUIRE(all.size() == 24);
}

TEST_CASE("uniform numbers are uniform", "[core]") {
    const std::size_t draws = 200000;
    // Six standard deviations: the seed is fixed, so this cannot fail by chance, and a biased bit gives hundreds.
    REQUIRE(std::fabs(chi_squared_deviation(
                100, draws, [](std::size_t i) { return static_cast<std::size_t>(uniform(42, 1, i) * 100); })) < 6);
    REQUIRE(std::fabs(chi_squared_deviation(256, draws, [](std::size_t i) {  // the lowest 8 of the 53 bits
                return static_cast<std::size_t>(std::fmod(uniform(42, 1, i) * 0x1p53, 256));
            })) < 6);
    for (std::size_t i = 0; i < draws; ++i) {
        const double u = uniform(43, 1, i);
        if (!(u >= 0 && u < 1)) FAIL(u);
    }
}

TEST_CASE("indices are uniform and within bounds", "[core]") {
    REQUIRE(uniform_index(1, 1, 1, 1) == 0);
    REQUIRE(std::fabs(chi_squared_deviation(7, 70000, [](std::size_t i) { return uniform_index(3, 1, i, 7); })) < 6);
    // Of a bound of 3/4 of 2^64, plain multiplication would give every third number twice as often as the others.
    const std::uint64_t bound = 3ULL << 62;
    REQUIRE(std::fabs(
                chi_squared_deviation(3, 30000, [=](std::size_t i) { return uniform_index(3, 2, i, bound) % 3; })) < 6);
    for (std::uint64_t i = 0; i < 1000; ++i) REQUIRE(uniform_index(5, 1, i, bound) < bound);
}

}  // namespace random_test
