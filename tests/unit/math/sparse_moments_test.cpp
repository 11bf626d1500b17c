// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/double_pair.hpp>
#include <partita/math/sparse_moments.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace sparse_moments_test {

namespace pt = partita;

namespace {

struct Rows {
    std::vector<std::int64_t> offsets = {0};
    std::vector<std::int32_t> indices;
    std::vector<float> values;

    pt::SparseView<float> view(std::size_t columns) const {
        return {offsets.data(), indices.data(), values.data(), offsets.size() - 1, columns};
    }
};

constexpr std::size_t p = 7;

/// Of 4096 rows; column 6 stays empty. Magnitudes lie within a factor of 2^spread.
Rows some_rows(int spread, unsigned seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<float> mantissa(1, 2);
    Rows rows;
    for (int r = 0; r < 4096; ++r) {
        for (std::int32_t c = 0; c < 6; ++c) {
            if (random() % 3 == 0) continue;
            const auto exponent = static_cast<int>(random() % static_cast<unsigned>(spread));
            rows.indices.push_back(c);
            rows.values.push_back(std::ldexp(random() % 2 ? mantissa(random) : -mantissa(random), exponent));
        }
        rows.offsets.push_back(static_cast<std::int64_t>(rows.indices.size()));
    }
    return rows;
}

}  // namespace

TEST_CASE("sums and squares of sparse floats are exact, and further blocks start anew", "[math]") {
    pt::detail::SparseMoments moments;
    for (const unsigned seed : {1u, 2u, 3u}) {
        const Rows rows = some_rows(17, seed);
        std::vector<double> high(2 * p, 1), low(2 * p, 1);
        REQUIRE(moments.compute(rows.view(p), high, low));
        // Units of 2^-23 and 2^-46 make integers of 53 and 94 bits.
        __extension__ using Integer = __int128;
        std::vector<Integer> sums(2 * p, 0);
        for (std::size_t k = 0; k < rows.values.size(); ++k) {
            const auto value = static_cast<std::int64_t>(std::ldexp(static_cast<double>(rows.values[k]), 23));
            sums[static_cast<std::size_t>(rows.indices[k])] += value;
            sums[p + static_cast<std::size_t>(rows.indices[k])] += static_cast<Integer>(value) * value;
        }
        for (std::size_t i = 0; i < 2 * p; ++i) {
            const int bits = i < p ? 23 : 46;
            CAPTURE(seed, i);
            CHECK(static_cast<bool>(static_cast<Integer>(std::ldexp(high[i], bits)) +
                                        static_cast<Integer>(std::ldexp(low[i], bits)) ==
                                    sums[i]));
        }
        CHECK(high[6] == 0);
        CHECK(low[p + 6] == 0);
    }
}

TEST_CASE("sparse moments of numbers far apart have 80 bits", "[math]") {
    const Rows rows = some_rows(100, 4);
    std::vector<double> high(2 * p), low(2 * p);
    pt::detail::SparseMoments moments;
    REQUIRE(moments.compute(rows.view(p), high, low));
    for (std::size_t c = 0; c < 6; ++c) {
        pt::DoublePair squares;
        for (std::size_t k = 0; k < rows.values.size(); ++k) {
            const auto value = static_cast<double>(rows.values[k]);
            if (rows.indices[k] == static_cast<std::int32_t>(c))
                squares = squares + pt::DoublePair::product(value, value);
        }
        const pt::DoublePair difference = pt::DoublePair::sum(high[p + c], low[p + c]) - squares;
        CHECK(std::fabs(difference.high) <= std::ldexp(squares.high, -80));
    }
}

TEST_CASE("sparse moments say that a number is none, and are right again for the next block", "[math]") {
    pt::detail::SparseMoments moments;
    std::vector<double> high(2 * p), low(2 * p);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        Rows rows = some_rows(5, 6);
        rows.values[1234] = bad;
        CHECK_FALSE(moments.compute(rows.view(p), high, low));
        rows.values[1234] = std::numeric_limits<float>::max();  // whose square is a double
        CHECK(moments.compute(rows.view(p), high, low));
    }
}

}  // namespace sparse_moments_test
