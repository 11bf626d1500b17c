// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/simd/lanes.hpp>
#include <partita/math/simd/triangular.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace lanes_test {

namespace pt = partita;

static_assert(pt::Lanes<float, 16>::parts * pt::Lanes<float, 16>::width == 16);
static_assert(pt::Lanes<double, 8>::parts * pt::Lanes<double, 8>::width == 8);
static_assert(std::is_trivially_copyable_v<pt::Lanes<double, 8>>);

namespace {

template <class T, std::size_t N>
void check_lanes() {
    using L = pt::Lanes<T, N>;
    T a[N], b[N], c[N], out[N];
    for (std::size_t i = 0; i < N; ++i) {
        a[i] = static_cast<T>(1.1) * static_cast<T>(i) - T(3);
        b[i] = T(1) / static_cast<T>(i + 3);
        c[i] = static_cast<T>(i * i) / T(7);
    }
    const L x = L::load(a), y = L::load(b), z = L::load(c);
    const auto each = [&](const L& lanes, auto expected) {
        lanes.store(out);
        std::size_t different = 0;
        for (std::size_t i = 0; i < N; ++i) different += !(out[i] == expected(i));
        CHECK(different == 0);
    };
    each(x + y, [&](std::size_t i) { return a[i] + b[i]; });
    each(x - y, [&](std::size_t i) { return a[i] - b[i]; });
    each(x * y, [&](std::size_t i) { return a[i] * b[i]; });
    each(x / y, [&](std::size_t i) { return a[i] / b[i]; });
    each(-x, [&](std::size_t i) { return -a[i]; });
    each(fused(x, y, z), [&](std::size_t i) { return pt::fused(a[i], b[i], c[i]); });
    each(minimum(x, y), [&](std::size_t i) { return std::min(a[i], b[i]); });
    each(maximum(x, y), [&](std::size_t i) { return std::max(a[i], b[i]); });
    each(absolute(x), [&](std::size_t i) { return std::fabs(a[i]); });
    each(select(x < y, x, z), [&](std::size_t i) { return a[i] < b[i] ? a[i] : c[i]; });
    each(select((x > y) | (x == x), y, z), [&](std::size_t i) { return b[i]; });
    each(select((x > y) & (y < x), y, z), [&](std::size_t i) { return a[i] > b[i] ? b[i] : c[i]; });
    each(L(T(2.5)), [](std::size_t) { return T(2.5); });
    each(L(), [](std::size_t) { return T(0); });

    // A product is rounded before it is added, whatever the compiler would like to contract.
    each(x * y + z, [&](std::size_t i) {
        volatile T rounded = a[i] * b[i];
        return rounded + c[i];
    });

    for (std::size_t count = 0; count <= N; ++count) {
        const std::vector<T> exactly(a, a + count);  // a reader past the end would be seen by a sanitizer
        each(L::load(exactly.data(), count), [&](std::size_t i) { return i < count ? a[i] : T(0); });
        T partly[N];
        for (T& v : partly) v = T(99);
        x.store(partly, count);
        for (std::size_t i = 0; i < N; ++i) CHECK(partly[i] == (i < count ? a[i] : T(99)));
    }

    T tree[N];
    for (std::size_t i = 0; i < N; ++i) tree[i] = b[i];
    for (std::size_t half = N / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) tree[i] += tree[i + half];
    }
    CHECK(sum(y) == tree[0]);
    CHECK(x[N - 1] == a[N - 1]);
    CHECK_FALSE(any(x == L(std::numeric_limits<T>::quiet_NaN())));
    CHECK(any(x == L(a[3])));
}

}  // namespace

TEST_CASE("lanes compute what their numbers do", "[math][simd]") {
    check_lanes<float, 16>();
    check_lanes<double, 8>();
    check_lanes<double, 16>();
}

TEST_CASE("lanes of double load from float", "[math][simd]") {
    float from[8];
    for (int i = 0; i < 8; ++i) from[i] = 0.1f * static_cast<float>(i);
    const auto lanes = pt::Lanes<double, 8>::load(from), some = pt::Lanes<double, 8>::load(from, 5);
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(lanes[i] == static_cast<double>(from[i]));
        CHECK(some[i] == (i < 5 ? static_cast<double>(from[i]) : 0.0));
    }
}

TEST_CASE("eight sums at once have the bits of eight single ones", "[math][simd]") {
    pt::Lanes<double, 8> rows[8];
    for (int k = 0; k < 8; ++k) {
        double lane[8];
        for (int i = 0; i < 8; ++i) lane[i] = 1.0 / (3 + 8 * k + i);
        rows[k] = pt::Lanes<double, 8>::load(lane);
    }
    const auto all = sums(rows);
    for (std::size_t k = 0; k < 8; ++k) CHECK(all[k] == sum(rows[k]));
}

TEST_CASE("dot products do not depend on alignment or padding", "[math][simd]") {
    std::vector<double> a(101), b(101);
    for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = 1.0 / static_cast<double>(i + 1), b[i] = std::sqrt(static_cast<double>(i));
    for (const std::size_t n : {0u, 1u, 15u, 16u, 17u, 100u}) {
        std::vector<double> padded_a(a.begin() + 1, a.begin() + 1 + static_cast<std::ptrdiff_t>(n)),
            padded_b(b.begin() + 1, b.begin() + 1 + static_cast<std::ptrdiff_t>(n));
        padded_a.resize((n + 15) / 16 * 16);
        padded_b.resize(padded_a.size());
        double lane[16] = {};
        for (std::size_t k = 0; k < padded_a.size(); ++k)
            lane[k % 16] = pt::fused(padded_a[k], padded_b[k], lane[k % 16]);
        for (std::size_t half = 8; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
        }
        CHECK(pt::detail::dot(a.data() + 1, b.data() + 1, n) == lane[0]);
        CHECK(pt::detail::dot(padded_a.data(), padded_b.data(), padded_a.size()) == lane[0]);
    }
}

}  // namespace lanes_test
