// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/elementary.hpp>
#include <partita/math/simd/elementary.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace elementary_test {

namespace pt = partita;

namespace {

using Lanes8 = pt::Lanes<double, 8>;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The distance between a double and the true value, in units of the true value's last place (long double has 11 more bits).
double ulps(double got, long double truth) {
    if (std::isinf(got) || std::isinf(static_cast<double>(truth)))
        return got == static_cast<double>(truth) ? 0.0 : infinity;
    const long double magnitude = std::fabs(truth);
    const int exponent = magnitude > 0 ? std::max(std::ilogb(magnitude), -1022) : -1022;
    return static_cast<double>(std::fabs(static_cast<long double>(got) - truth) / std::ldexp(1.0L, exponent - 52));
}

std::vector<double> arguments(double low, double high, bool also_tiny) {
    std::mt19937_64 random(7);
    std::vector<double> x;
    for (int i = 0; i < 200000; ++i) {
        const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
        x.push_back(low + unit * (high - low));
        if (also_tiny) x.push_back(std::ldexp(unit - 0.5, -static_cast<int>(random() % 60)));
    }
    return x;
}

std::vector<double> special() {
    return {0.0,
            -0.0,
            infinity,
            -infinity,
            not_a_number,
            std::numeric_limits<double>::denorm_min(),
            -0x1p-1060,
            0x1p-1022,
            -0x1p-1022,
            std::numeric_limits<double>::max(),
            std::numeric_limits<double>::lowest(),
            1.0,
            -1.0,
            0x1p-54,
            -0x1p-54,
            709.7,
            709.8,
            710.5,
            -708.3,
            -708.5,
            -740.0,
            -745.1,
            -745.2,
            -746.0,
            -1000.0,
            40.0,
            -40.0,
            40.1,
            0x1.6a09e667f3bcdp-1,
            0x1.6a09e667f3bccp-1,
            std::sqrt(2.0),
            2.0,
            0.5,
            -0.999999999999,
            1e300,
            1e-300,
            37.0,
            -37.0,
            -700.0};
}

template <class Scalar, class OnLanes, class Truth>
double worst(const std::vector<double>& x, Scalar scalar, OnLanes on_lanes, Truth truth) {
    double worst_ulps = 0;
    std::size_t different = 0;
    std::vector<double> padded = x;
    while (padded.size() % 8) padded.push_back(0.25);
    for (std::size_t i = 0; i < padded.size(); i += 8) {
        double lanes[8];
        on_lanes(Lanes8::load(padded.data() + i)).store(lanes);
        for (std::size_t k = 0; k < 8; ++k) {
            const double value = scalar(padded[i + k]);
            const bool both_nan = value != value && lanes[k] != lanes[k];
            different += !both_nan && std::bit_cast<std::uint64_t>(value) != std::bit_cast<std::uint64_t>(lanes[k]);
            const long double exact = truth(static_cast<long double>(padded[i + k]));
            if (exact == exact && value == value) worst_ulps = std::max(worst_ulps, ulps(value, exact));
            else different += (exact == exact) != (value == value);
        }
    }
    CHECK(different == 0);  // lanes and scalars give the same bits, NaN exactly where there is none
    return worst_ulps;
}

#define PARTITA_TEST_WORST(f, x, truth) \
    worst(x, [](double v) { return pt::f(v); }, [](const Lanes8& v) { return f(v); }, truth)

}  // namespace

TEST_CASE("elementary functions are within their stated error of long double, and lanes equal scalars", "[math]") {
    const auto truth_exp = [](long double v) { return std::exp(v); };
    const auto truth_expm1 = [](long double v) { return std::expm1(v); };
    const auto truth_log = [](long double v) { return std::log(v); };
    const auto truth_log1p = [](long double v) { return std::log1p(v); };
    const auto truth_sigmoid = [](long double v) { return 1.0L / (1.0L + std::exp(-v)); };
    const auto truth_softplus = [](long double v) {
        return v > 0 ? v + std::log1p(std::exp(-v)) : std::log1p(std::exp(v));
    };

    // The bounds are those of the doc comments: what was found plus a margin. Without fma an operation more is rounded.
#if defined(__FMA__)
    const double slack = 0.0;
#else
    const double slack = 1.0;
#endif
    CHECK(PARTITA_TEST_WORST(exp, arguments(-745, 710, true), truth_exp) <= 1.0 + slack);
    CHECK(PARTITA_TEST_WORST(exp, arguments(-1, 1, false), truth_exp) <= 1.0 + slack);
    CHECK(PARTITA_TEST_WORST(expm1, arguments(-50, 710, true), truth_expm1) <= 2.0 + slack);
    CHECK(PARTITA_TEST_WORST(expm1, arguments(-2, 2, false), truth_expm1) <= 2.0 + slack);
    CHECK(PARTITA_TEST_WORST(log, arguments(0, 1e6, false), truth_log) <= 1.0 + slack);
    CHECK(PARTITA_TEST_WORST(log, arguments(0.5, 2, false), truth_log) <= 1.0 + slack);
    CHECK(PARTITA_TEST_WORST(log1p, arguments(-1, 100, true), truth_log1p) <= 2.0 + slack);
    CHECK(PARTITA_TEST_WORST(log1p, arguments(-0.5, 1, false), truth_log1p) <= 2.0 + slack);
    CHECK(PARTITA_TEST_WORST(sigmoid, arguments(-707, 707, true), truth_sigmoid) <= 3.0 + slack);
    CHECK(PARTITA_TEST_WORST(sigmoid, arguments(-40, 40, false), truth_sigmoid) <= 3.0 + slack);
    CHECK(PARTITA_TEST_WORST(softplus, arguments(-707, 707, true), truth_softplus) <= 2.0 + slack);
    CHECK(PARTITA_TEST_WORST(softplus, arguments(-40, 40, false), truth_softplus) <= 2.0 + slack);

    CHECK(PARTITA_TEST_WORST(exp, special(), truth_exp) <= 1.0 + slack);
    CHECK(PARTITA_TEST_WORST(expm1, special(), truth_expm1) <= 2.0 + slack);
    CHECK(PARTITA_TEST_WORST(log, special(), truth_log) <= 1.0 + slack);
    CHECK(PARTITA_TEST_WORST(log1p, special(), truth_log1p) <= 2.0 + slack);
}

TEST_CASE("elementary functions at the borders", "[math]") {
    CHECK(pt::exp(0.0) == 1.0);
    CHECK(pt::exp(infinity) == infinity);
    CHECK(pt::exp(-infinity) == 0.0);
    CHECK(pt::exp(709.8) == infinity);
    CHECK(pt::exp(-745.1) == std::numeric_limits<double>::denorm_min());
    CHECK(std::isnan(pt::exp(not_a_number)));
    CHECK(std::signbit(pt::expm1(-0.0)));
    CHECK(pt::expm1(-infinity) == -1.0);
    CHECK(pt::expm1(infinity) == infinity);
    CHECK(pt::log(0.0) == -infinity);
    CHECK(pt::log(1.0) == 0.0);
    CHECK(std::isnan(pt::log(-1.0)));
    CHECK(pt::log(infinity) == infinity);
    CHECK(pt::log1p(-1.0) == -infinity);
    CHECK(std::isnan(pt::log1p(-1.5)));
    CHECK(pt::log1p(infinity) == infinity);
    CHECK(std::signbit(pt::log1p(-0.0)));
    CHECK(pt::sigmoid(0.0) == 0.5);
    CHECK(pt::sigmoid(infinity) == 1.0);
    CHECK(pt::sigmoid(-infinity) < 1e-307);
    CHECK(std::isnan(pt::sigmoid(not_a_number)));
    CHECK(pt::softplus(infinity) == infinity);
    CHECK(pt::softplus(-infinity) < 1e-307);
    CHECK(std::isnan(pt::softplus(not_a_number)));
    CHECK(pt::softplus(1000.0) == 1000.0);
}

}  // namespace elementary_test
