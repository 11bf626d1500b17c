// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/moments.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace moments_test {

namespace pt = partita;

static_assert(pt::detail::phases_for(1) == 64 && pt::detail::phases_for(28) == 8 && pt::detail::phases_for(1000) == 1);

namespace {

template <class T>
std::vector<T> normal(std::size_t count, double mean, double deviation, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> draw(mean, deviation);
    std::vector<T> x(count);
    for (T& v : x) v = static_cast<T>(draw(random));
    return x;
}

// What BlockMoments promises, one column at a time and without lanes: rows dealt to phases, phases folded by halves.
template <class T>
void twin(pt::MatrixView<const T> x, pt::Weights weights, std::vector<double>& high, std::vector<double>& low) {
    const std::size_t n = x.rows(), p = x.columns(), phases = pt::detail::phases_for(p);
    const auto fold = [](std::vector<double> lane) {
        for (std::size_t half = lane.size() / 2; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
        }
        return lane[0];
    };
    std::vector<double> lane(16);
    double weight = static_cast<double>(n);
    if (!weights.unit()) {
        for (std::size_t r = 0; r < n; ++r) lane[r % 16] += weights[r];
        weight = fold(lane);
    }
    high.assign(2 * p + 1, 0.0);
    low = high;
    high[0] = weight;
    std::vector<double> shift(p), sum(p), square(p);
    for (std::size_t c = 0; c < p; ++c) {
        double count = 0;
        for (std::size_t k = 0; k < std::min<std::size_t>(16, n); ++k) {
            const std::size_t r = n <= 16 ? k : k * n / 16;
            if (weights[r] == 0) continue;
            shift[c] += static_cast<double>(x[r][c]);
            count += 1;
        }
        if (count > 0) shift[c] /= count;
    }
    for (int attempt = 0; attempt < 2; ++attempt) {
        bool off = false;
        for (std::size_t c = 0; c < p; ++c) {
            std::vector<double> s(phases), q(phases);
            for (std::size_t r = 0; r < n; ++r) {
                if (weights[r] == 0) continue;
                const double d = static_cast<double>(x[r][c]) - shift[c];
                s[r % phases] = weights.unit() ? s[r % phases] + d : pt::fused(weights[r], d, s[r % phases]);
                q[r % phases] = pt::fused(weights.unit() ? d : weights[r] * d, d, q[r % phases]);
            }
            sum[c] = fold(s);
            square[c] = fold(q);
            off = off || square[c] > 4 * pt::fused(-sum[c] / weight, sum[c], square[c]);
        }
        if (!off) break;
        for (std::size_t c = 0; c < p && attempt == 0; ++c) shift[c] += sum[c] / weight;
    }
    for (std::size_t c = 0; c < p; ++c) {
        using Pair = pt::DoublePair;
        const Pair total = Pair::product(weight, shift[c]) + Pair{sum[c], 0};
        const Pair cross = Pair::product(shift[c], sum[c]);
        const Pair squares = Pair::product(shift[c], shift[c]) * Pair{weight, 0} +
                             (Pair{2 * cross.high, 2 * cross.low} + Pair{square[c], 0});
        high[1 + c] = total.high;
        low[1 + c] = total.low;
        high[1 + p + c] = squares.high;
        low[1 + p + c] = squares.low;
    }
}

template <class T>
void compare_with_twin(std::size_t n, std::size_t p, std::size_t stride, bool weighted) {
    const std::vector<T> data = normal<T>(n * stride + 1, 3.0, 2.0, static_cast<unsigned>(n * 31 + p));
    std::vector<double> w(n);
    for (std::size_t r = 0; r < n; ++r) w[r] = static_cast<double>(r % 5) * 0.75;
    const pt::MatrixView<const T> x(data.data() + 1, n, p, stride);  // not aligned
    const pt::Weights weights = weighted ? pt::Weights(w.data()) : pt::Weights();
    pt::BlockMoments moments(p);
    REQUIRE_FALSE(moments.compute(x, weights));
    std::vector<double> high, low;
    twin(x, weights, high, low);
    std::size_t different = 0;
    for (std::size_t k = 0; k < high.size(); ++k)
        different += high[k] != moments.high()[k] || low[k] != moments.low()[k];
    CAPTURE(n, p, stride, weighted);
    CHECK(different == 0);
}

}  // namespace

TEST_CASE("block moments have the bits of their scalar twin", "[math]") {
    for (const std::size_t p : {1u, 2u, 3u, 5u, 8u, 13u, 28u, 33u, 100u, 300u}) {
        for (const std::size_t n : {1u, 7u, 16u, 63u, 64u, 65u, 500u, 1029u}) {
            for (const bool weighted : {false, true}) {
                compare_with_twin<float>(n, p, p, weighted);
                compare_with_twin<double>(n, p, p + 3, weighted);
            }
        }
    }
    compare_with_twin<float>(4096, 28, 28, false);
}

TEST_CASE("pooled moments lose no digits with a mean a thousand million times the deviation", "[math]") {
    const std::size_t n = 3 * 4096 + 100, p = 2;
    const std::vector<double> x = normal<double>(n * p, 1e9, 1.0, 5);
    pt::BlockMoments block(p);
    std::vector<pt::DoublePair> total(2 * p + 1);
    for (std::size_t first = 0; first < n; first += 4096) {
        block.compute(pt::MatrixView<const double>(x.data() + first * p, std::min<std::size_t>(4096, n - first), p));
        for (std::size_t k = 0; k < total.size(); ++k)
            total[k] = total[k] + pt::DoublePair{block.high()[k], block.low()[k]};
    }
    for (std::size_t c = 0; c < p; ++c) {
        long double mean = 0, squares = 0;  // around 1e9, where the differences are exact
        for (std::size_t r = 0; r < n; ++r) mean += static_cast<long double>(x[r * p + c]) - 1e9L;
        mean /= static_cast<long double>(n);
        for (std::size_t r = 0; r < n; ++r) {
            const long double d = static_cast<long double>(x[r * p + c]) - 1e9L - mean;
            squares += d * d;
        }
        const pt::Moments m = pt::moments_of(total[0].high, total[1 + c], total[1 + p + c]);
        CHECK(m.weight == static_cast<double>(n));
        CHECK(m.mean == static_cast<double>(mean + 1e9L));
        // Block sums of 4096 squares are rounded in double, and the pairs resolve 2^-104 of 1e18·n: both far below 1e-12.
        CHECK(std::fabs(m.centred_squares / static_cast<double>(squares) - 1) < 1e-12);
    }
}

TEST_CASE("a constant column has exactly no variance, an outlier or a ramp does not spoil a block", "[math]") {
    const std::size_t n = 4096;
    std::vector<double> x(n * 3);
    for (std::size_t r = 0; r < n; ++r) {
        x[r * 3] = 0.1;
        x[r * 3 + 1] = r == 0 ? 1e8 : static_cast<double>(r % 7);  // row 0 is among the provisional sample
        x[r * 3 + 2] = static_cast<double>(r) * 1e-3;
    }
    pt::BlockMoments block(3);
    REQUIRE_FALSE(block.compute(pt::MatrixView<const double>(x.data(), n, 3)));
    const auto column = [&](std::size_t c) {
        return pt::moments_of(block.high()[0], {block.high()[1 + c], block.low()[1 + c]},
                              {block.high()[4 + c], block.low()[4 + c]});
    };
    CHECK(column(0).centred_squares == 0.0);
    CHECK(column(0).mean == 0.1);
    for (std::size_t c = 1; c < 3; ++c) {
        long double mean = 0, squares = 0;
        for (std::size_t r = 0; r < n; ++r) mean += x[r * 3 + c];
        mean /= n;
        for (std::size_t r = 0; r < n; ++r) squares += (x[r * 3 + c] - mean) * (x[r * 3 + c] - mean);
        CHECK(std::fabs(column(c).centred_squares / static_cast<double>(squares) - 1) <
              1e-14 * 64);  // 64 additions a lane
    }
}

TEST_CASE("weights count rows, and rows of weight zero do not exist", "[math]") {
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> x = {1, 2, 3, infinity, 5, 6};
    std::vector<double> w = {2, 0, 1};
    std::vector<float> repeated = {1, 2, 1, 2, 5, 6};
    pt::BlockMoments a(2), b(2);
    REQUIRE_FALSE(a.compute(pt::MatrixView<const float>(x.data(), 3, 2), pt::Weights(w.data())));
    REQUIRE_FALSE(b.compute(pt::MatrixView<const float>(repeated.data(), 3, 2)));
    for (std::size_t c = 0; c < 2; ++c) {
        const auto of = [c](const pt::BlockMoments& m) {
            return pt::moments_of(m.high()[0], {m.high()[1 + c], m.low()[1 + c]}, {m.high()[3 + c], m.low()[3 + c]});
        };
        CHECK(of(a).weight == 3.0);
        CHECK(of(a).mean == Approx(of(b).mean).epsilon(1e-15));
        CHECK(of(a).centred_squares == Approx(of(b).centred_squares).epsilon(1e-14));
    }
    const std::vector<double> nothing(3, 0.0);
    REQUIRE_FALSE(a.compute(pt::MatrixView<const float>(x.data(), 3, 2), pt::Weights(nothing.data())));
    CHECK(a.high()[0] == 0.0);
    CHECK(pt::moments_of(0.0, {}, {}).weight == 0.0);
}

TEST_CASE("the first cell that is not finite is named", "[math]") {
    std::vector<float> x(300 * 5, 1.0f);
    x[217 * 5 + 3] = std::numeric_limits<float>::quiet_NaN();
    x[250 * 5 + 1] = std::numeric_limits<float>::infinity();
    const pt::MatrixView<const float> view(x.data(), 300, 5);
    pt::BlockMoments moments(5);
    pt::BlockCell bad = moments.compute(view);
    CHECK(bad);
    CHECK(bad.row == 217);
    CHECK(bad.column == 3);
    std::vector<double> w(300, 1.0);
    w[217] = 0;
    bad = moments.compute(view, pt::Weights(w.data()));
    CHECK(bad.row == 250);
    w[250] = 0;
    CHECK_FALSE(moments.compute(view, pt::Weights(w.data())));
}

}  // namespace moments_test
