// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/exact_sum.hpp>
#include <partita/math/gram.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace gram_test {

namespace pt = partita;

static_assert(pt::triangle_size(4) == 10 && pt::triangle_index(0, 3, 4) == 3 && pt::triangle_index(1, 1, 4) == 4 &&
              pt::triangle_index(3, 3, 4) == 9);

namespace {

template <class T>
std::vector<T> normal(std::size_t count, double mean, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> draw(mean, 1.0);
    std::vector<T> x(count);
    for (T& v : x) v = static_cast<T>(draw(random));
    return x;
}

// The promise without registers: every product is one chain over the rows of a tile, tiles are added in order.
template <class T>
std::vector<double> twin(pt::MatrixView<const T> x, const double* y, pt::Weights weights, std::vector<double>& low) {
    const std::size_t n = x.rows(), p = x.columns(), order = p + (y ? 2 : 1), tile = pt::detail::tile_rows(order);
    const auto raw = [&](std::size_t r, std::size_t c) {
        return c < p ? static_cast<double>(x[r][c]) : c + 1 < order ? y[r] : 1.0;
    };
    std::vector<double> shift(order);
    for (std::size_t c = 0; c + 1 < order; ++c) {
        double count = 0;
        for (std::size_t k = 0; k < std::min<std::size_t>(16, n); ++k) {
            const std::size_t r = n <= 16 ? k : k * n / 16;
            if (weights[r] == 0) continue;
            shift[c] += raw(r, c);
            count += 1;
        }
        if (count > 0) shift[c] /= count;
    }
    bool centred = false;
    std::vector<double> sums;
again:
    sums.assign(order * order, 0.0);
    const pt::detail::PairLayout layout(order);
    for (std::size_t i = 0; i < order; ++i) {
        for (std::size_t j = i; j < order; ++j) {
            const bool left_is_j = layout.pair(i, j).left_is_j;  // the one that the weight is multiplied with
            const std::size_t a = left_is_j ? j : i, b = left_is_j ? i : j;
            for (std::size_t first = 0; first < n; first += tile) {
                double chain = 0;
                for (std::size_t r = first; r < std::min(n, first + tile); ++r) {
                    if (weights[r] == 0) continue;
                    chain = pt::fused(weights[r] * (raw(r, a) - shift[a]), raw(r, b) - shift[b], chain);
                }
                sums[i * order + j] += chain;
            }
        }
    }
    const std::size_t ones = order - 1;
    const double weight = sums[ones * order + ones];
    bool off = false;
    for (std::size_t c = 0; c < ones; ++c) {
        const double square = sums[c * order + c], sum = sums[c * order + ones];
        off = off || square > 4 * pt::fused(-sum / weight, sum, square);
    }
    if (off && !std::exchange(centred, true)) {
        for (std::size_t c = 0; c < ones; ++c) shift[c] += sums[c * order + ones] / weight;
        goto again;
    }
    std::vector<double> high;
    low.clear();
    for (std::size_t i = 0; i < order; ++i) {
        for (std::size_t j = i; j < order; ++j) {
            using Pair = pt::DoublePair;
            Pair total{sums[i * order + j], 0};
            if (j < ones) {
                total = total + (Pair::product(shift[i], sums[j * order + ones]) +
                                 Pair::product(shift[j], sums[i * order + ones]));
                total = total + Pair::product(weight, shift[i]) * Pair{shift[j], 0};
            } else if (i < ones) {
                total = total + Pair::product(weight, shift[i]);
            }
            high.push_back(total.high);
            low.push_back(total.low);
        }
    }
    return high;
}

template <class T>
void compare_with_twin(std::size_t n, std::size_t p, bool target, bool weighted) {
    const std::vector<T> data = normal<T>(n * (p + 2) + 1, 2.0, static_cast<unsigned>(n + p));
    const std::vector<double> y = normal<double>(n, -1.0, 9);
    std::vector<double> w(n), low;
    for (std::size_t r = 0; r < n; ++r) w[r] = static_cast<double>(r % 4) * 0.5;
    const pt::Weights weights = weighted ? pt::Weights(w.data()) : pt::Weights();
    const pt::MatrixView<const T> x(data.data() + 1, n, p, p + 2);
    pt::BlockGram gram(p, target);
    REQUIRE_FALSE(gram.compute(x, target ? y.data() : nullptr, weights));
    const std::vector<double> high = twin(x, target ? y.data() : nullptr, weights, low);
    REQUIRE(high.size() == gram.high().size());
    std::size_t different = 0;
    for (std::size_t k = 0; k < high.size(); ++k) different += high[k] != gram.high()[k] || low[k] != gram.low()[k];
    CAPTURE(n, p, target, weighted);
    CHECK(different == 0);
}

// Centred products in long double, around the true mean.
std::vector<long double> reference(const std::vector<double>& a, std::size_t n, std::size_t m) {
    std::vector<long double> mean(m), products;
    for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t c = 0; c < m; ++c) mean[c] += static_cast<long double>(a[r * m + c]);
    }
    for (long double& v : mean) v /= static_cast<long double>(n);
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = i; j < m; ++j) {
            long double sum = 0;
            for (std::size_t r = 0; r < n; ++r) sum += (a[r * m + i] - mean[i]) * (a[r * m + j] - mean[j]);
            products.push_back(sum);
        }
    }
    return products;
}

}  // namespace

TEST_CASE("a block's Gram matrix has the bits of its scalar twin", "[math]") {
    for (const std::size_t p : {1u, 2u, 6u, 7u, 14u, 15u, 22u, 28u, 30u, 45u, 62u, 63u}) {
        for (const std::size_t n : {1u, 5u, 64u, 65u, 300u}) {
            compare_with_twin<float>(n, p, true, false);
            compare_with_twin<double>(n, p, true, true);
            compare_with_twin<float>(n, p, false, true);
        }
    }
    compare_with_twin<float>(4096, 28, true, false);
    compare_with_twin<float>(600, 260, true, false);
}

TEST_CASE("centred products survive large means over several blocks", "[math]") {
    const std::size_t n = 2 * 4096 + 77, p = 5, m = p + 1;
    std::vector<double> x = normal<double>(n * p, 1e8, 1), y = normal<double>(n, -1e7, 2), all;
    pt::BlockGram block(p, true);
    std::vector<pt::DoublePair> total(block.high().size());
    for (std::size_t r = 0; r < n; ++r) {
        x[r * p + 1] = x[r * p] - 1e8 + 0.1 * x[r * p + 1];  // correlated
        y[r] += x[r * p + 1];
        all.insert(all.end(), &x[r * p], &x[r * p] + p);
        all.push_back(y[r]);
    }
    for (std::size_t first = 0; first < n; first += 4096) {
        const std::size_t rows = std::min<std::size_t>(4096, n - first);
        REQUIRE_FALSE(block.compute(pt::MatrixView<const double>(x.data() + first * p, rows, p), y.data() + first));
        for (std::size_t k = 0; k < total.size(); ++k)
            total[k] = total[k] + pt::DoublePair{block.high()[k], block.low()[k]};
    }
    std::vector<double> high, low;
    for (const auto& t : total) high.push_back(t.high), low.push_back(t.low);
    const pt::CentredGram gram = pt::centred_gram(high, low, block.order());
    CHECK(gram.weight == static_cast<double>(n));
    const auto truth = reference(all, n, m);
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = i; j < m; ++j) {
            const std::size_t at = pt::triangle_index(i, j, m);
            const auto scale = std::sqrt(truth[pt::triangle_index(i, i, m)] * truth[pt::triangle_index(j, j, m)]);
            CHECK(std::fabs(static_cast<double>((gram.products[at] - truth[at]) / scale)) < 1e-13);  // 128 roundings
        }
    }
}

TEST_CASE("a block whose sample of rows is far from its mean is summed again around the mean", "[math]") {
    const std::size_t n = 4096;
    std::vector<double> x(n, 0.0);
    for (std::size_t r = 0; r < n; ++r) x[r] = 1e7 + static_cast<double>(r % 3);
    for (std::size_t k = 0; k < 16; ++k) x[k * n / 16] = 0.0;
    pt::BlockGram gram(1, false);
    REQUIRE_FALSE(gram.compute(pt::MatrixView<const double>(x.data(), n, 1), nullptr));
    const auto centred = pt::centred_gram(gram.high(), gram.low(), gram.order());
    const long double truth = reference(x, n, 1)[0];
    CHECK(std::fabs(static_cast<double>(centred.products[0] / truth) - 1) < 1e-14);
}

TEST_CASE("sparse and one-hot features give the dense matrix's products", "[math]") {
    const std::size_t n = 200, p = 40;
    std::mt19937_64 random(4);
    std::vector<std::int64_t> offsets = {0};
    std::vector<std::int32_t> indices, codes;
    std::vector<float> values, dense(n * p, 0.0f), one_hot(n * p, 0.0f);
    const std::vector<double> y = normal<double>(n, 1.0, 3);
    std::vector<double> w(n);
    for (std::size_t r = 0; r < n; ++r) {
        w[r] = static_cast<double>(random() % 3);
        for (std::size_t c = 0; c < p; ++c) {
            if (random() % 3) continue;
            indices.push_back(static_cast<std::int32_t>(c));
            values.push_back(static_cast<float>(random() % 100) / 8.0f);
            dense[r * p + c] = values.back();
        }
        offsets.push_back(static_cast<std::int64_t>(indices.size()));
        codes.push_back(static_cast<std::int32_t>(random() % (p + 1)) - 1);
        if (codes.back() >= 0) one_hot[r * p + static_cast<std::size_t>(codes.back())] = 1.0f;
    }
    const pt::SparseView<float> sparse{offsets.data(), indices.data(), values.data(), n, p};
    const auto agree = [&](const pt::BlockGram& a, const std::vector<float>& rows) {
        pt::BlockGram b(p, true);
        REQUIRE_FALSE(b.compute(pt::MatrixView<const float>(rows.data(), n, p), y.data(), pt::Weights(w.data())));
        for (std::size_t k = 0; k < a.high().size(); ++k) {
            CHECK(a.high()[k] == Approx(b.high()[k]).epsilon(1e-12).margin(1e-12));  // other orders of addition
        }
    };
    const auto add_to_adds_all = [&](const pt::BlockGram& block) {
        pt::ExactSums touched(pt::triangle_size(p + 2)), all(pt::triangle_size(p + 2));
        block.add_to(touched);
        all.add(block.high());
        all.add(block.low());
        CHECK(touched == all);
    };
    // One kernel for blocks of every kind, so that what one left behind would be seen in the next.
    pt::BlockGram a(p, true);
    REQUIRE_FALSE(a.compute(sparse, y.data(), pt::Weights(w.data())));
    agree(a, dense);
    add_to_adds_all(a);
    REQUIRE_FALSE(a.compute(pt::OneHotView{codes.data(), n, p}, y.data(), pt::Weights(w.data())));
    agree(a, one_hot);
    add_to_adds_all(a);
    REQUIRE_FALSE(a.compute(pt::MatrixView<const float>(dense.data(), n, p), y.data(), pt::Weights(w.data())));
    add_to_adds_all(a);
    REQUIRE_FALSE(a.compute(pt::OneHotView{codes.data(), 3, p}, y.data(), pt::Weights(w.data())));
    add_to_adds_all(a);
    CHECK(a.high().back() == w[0] + w[1] + w[2]);
    REQUIRE_FALSE(a.compute(sparse, y.data(), pt::Weights(w.data())));
    agree(a, dense);

    std::size_t k = 0;
    while (w[k] == 0 || offsets[k] == offsets[k + 1]) ++k;
    values[static_cast<std::size_t>(offsets[k])] = std::numeric_limits<float>::quiet_NaN();
    const pt::BlockCell bad = a.compute(sparse, y.data(), pt::Weights(w.data()));
    CHECK(bad.row == static_cast<std::int64_t>(k));
    CHECK(bad.column == indices[static_cast<std::size_t>(offsets[k])]);
}

TEST_CASE("the cell that is not finite is named, features before the target", "[math]") {
    std::vector<float> x(100 * 3, 1.5f);
    std::vector<double> y(100, 2.0), w(100, 1.0);
    pt::BlockGram gram(3, true);
    y[40] = std::numeric_limits<double>::infinity();
    pt::BlockCell bad = gram.compute(pt::MatrixView<const float>(x.data(), 100, 3), y.data());
    CHECK(bad.row == 40);
    CHECK(bad.column == 3);
    x[70 * 3 + 2] = std::numeric_limits<float>::quiet_NaN();
    bad = gram.compute(pt::MatrixView<const float>(x.data(), 100, 3), y.data());
    CHECK(bad.row == 70);
    CHECK(bad.column == 2);
    w[40] = w[70] = 0.0;
    CHECK_FALSE(gram.compute(pt::MatrixView<const float>(x.data(), 100, 3), y.data(), pt::Weights(w.data())));
    CHECK(gram.high().back() == 98.0);
}

}  // namespace gram_test
