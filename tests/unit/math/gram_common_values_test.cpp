// SPDX-License-Identifier: Apache-2.0
// Dense blocks whose columns mostly hold one number each are summed around those numbers, few products a row.
#include <partita/math/gram.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <random>
#include <vector>

namespace gram_common_values_test {

namespace pt = partita;

static_assert(std::is_same_v<decltype(std::declval<const pt::BlockGram&>().order()), std::size_t>);

namespace {

/// Two columns of numbers and 98 of a category that is scaled to mean 0, as OneHotEncode and StandardScale leave it.
template <class T>
struct Block {
    std::size_t n, p = 100;
    std::vector<T> x;
    std::vector<double> y, w;
    explicit Block(std::size_t rows) : n(rows), x(rows * p), y(rows), w(rows) {
        std::mt19937_64 random(3);
        std::normal_distribution<double> normal;
        for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t c = 0; c < p; ++c) x[r * p + c] = static_cast<T>(-0.01 * static_cast<double>(c));
            x[r * p] = static_cast<T>(normal(random) + 50);
            x[r * p + 1] = static_cast<T>(normal(random));
            x[r * p + 2 + random() % 98] = static_cast<T>(7);
            y[r] = normal(random) + 1000;
            w[r] = static_cast<double>(random() % 4 + (r % 256 == 0));  // the rows that are looked at count
        }
    }
    pt::MatrixView<const T> view() const { return {x.data(), n, p}; }
};

template <class T>
void check(const Block<T>& block, pt::Weights weights) {
    pt::BlockGram gram(block.p, true);
    REQUIRE_FALSE(gram.compute(block.view(), block.y.data(), weights));
    const std::size_t order = block.p + 2;
    long double worst = 0;
    for (std::size_t i = 0, at = 0; i < order; ++i) {
        for (std::size_t j = i; j < order; ++j, ++at) {
            const auto cell = [&](std::size_t r, std::size_t c) {
                return c < block.p    ? static_cast<long double>(block.x[r * block.p + c])
                       : c == block.p ? static_cast<long double>(block.y[r])
                                      : 1.0L;
            };
            long double total = 0, size = 0;
            for (std::size_t r = 0; r < block.n; ++r) {
                const long double term = static_cast<long double>(weights[r]) * cell(r, i) * cell(r, j);
                total += term;
                size += term < 0 ? -term : term;
            }
            const long double found =
                static_cast<long double>(gram.high()[at]) + static_cast<long double>(gram.low()[at]);
            worst = std::max(worst, (found > total ? found - total : total - found) / size);
        }
    }
    CHECK(static_cast<double>(worst) < 4096 * 0x1p-53);  // a chain of so many additions, each rounded once
}

}  // namespace

TEMPLATE_TEST_CASE("products around common values", "[math]", float, double) {
    const Block<TestType> block(4096);
    check(block, {});
    check(block, pt::Weights(block.w.data()));
    check(Block<TestType>(100), {});
}

TEST_CASE("what is not finite is found among common values", "[math]") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Block<float> block(4096);
        block.x[777 * block.p + 55] = bad;
        pt::BlockGram gram(block.p, true);
        const pt::BlockCell found = gram.compute(block.view(), block.y.data());
        CHECK(found.row == 777);
        CHECK(found.column == 55);
        block.w[777] = 0;
        CHECK_FALSE(gram.compute(block.view(), block.y.data(), pt::Weights(block.w.data())));
        for (std::size_t r = 0; r < block.n; ++r) block.x[r * block.p + 9] = bad;  // common, and still refused
        CHECK(gram.compute(block.view(), block.y.data()).column == 9);
    }
}

}  // namespace gram_common_values_test
