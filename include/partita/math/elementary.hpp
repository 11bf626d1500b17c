// SPDX-License-Identifier: Apache-2.0
#pragma once

// exp, log and their kin in double, our own so that they give the same bits everywhere. Each is written once, over a type of
// numbers: here for one double, in <partita/math/simd/elementary.hpp> for lanes of them, with the same bits.

#include <partita/core/version.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/fused.hpp>

#include <bit>
#include <cstdint>

namespace partita::inline PARTITA_ABI {

namespace detail {

// ---- what the formulas need of one number (Lanes bring their own) -----------------------------------------------------

inline double select(bool mask, double yes, double no) { return mask ? yes : no; }
inline double minimum(double a, double b) { return a < b ? a : b; }
inline double maximum(double a, double b) { return a > b ? a : b; }
inline double absolute(double a) {
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(a) & ~(std::uint64_t(1) << 63));
}

/// 2^n, where `shifted` is n + 1.5·2^52 and -1022 <= n <= 1023.
inline double power_of_two(double shifted) {
    return std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) << 52) + 0x3ff0000000000000u);
}
/// x = mantissa · 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)), for positive normal x.
inline void split_exponent(double x, double& exponent, double& mantissa) {
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t biased = bits - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    exponent = std::bit_cast<double>((biased >> 52) | 0x4330000000000000u) - 0x1.00000000003ffp+52;
    mantissa = std::bit_cast<double>(bits - (biased & 0xfff0000000000000u) + 0x3ff0000000000000u);
}

// The building blocks are inlined for good: passed in memory, lanes would cost more than what is computed on them.

// ---- the formulas ------------------------------------------------------------------------------------------------------

inline constexpr double shifter = 0x1.8p+52;  // adding it rounds to an integer
inline constexpr double log2_of_e = 0x1.71547652b82fep+0;
inline constexpr double ln2_high = 0x1.62e42feep-1;  // 32 bits: its product with an exponent is exact
inline constexpr double ln2_low = 0x1.a39ef35793c76p-33;

/// (exp(r) - 1 - r - r²/2) / r³ for |r| <= ln(2)/2: interpolated at Chebyshev nodes; relative error of exp 2^-59.
template <class V>
[[gnu::always_inline]] inline V exp_tail(const V& r) {
    const V r2 = r * r;
    const V r4 = r2 * r2;
    const V a = fused(r, V(0x1.5555555555555p-5), V(0x1.5555555555556p-3));
    const V b = fused(r, V(0x1.6c16c16c167e1p-10), V(0x1.11111111109b3p-7));
    const V c = fused(r, V(0x1.a01a01a47b054p-16), V(0x1.a01a01a7c41d5p-13));
    const V d = fused(r, V(0x1.27e4e1f48534fp-22), V(0x1.71de0dae63bb3p-19));
    const V e = fused(r, V(0x1.1f66df7fca49fp-29), V(0x1.af38a9b0ec855p-26));
    const V high = fused(r4, e, fused(r2, d, c));
    return fused(r4, high, fused(r2, b, a));
}

/// exp(r) - 1 for the reduced argument, and the whole powers of two: x = n ln 2 + r, `shifted` = n + shifter.
template <class V>
[[gnu::always_inline]] inline V reduced_expm1(const V& x, V& shifted, V& n) {
    shifted = fused(x, V(log2_of_e), V(shifter));
    n = shifted - V(shifter);
    const V near = fused(n, V(-ln2_high), x);
    const V r = fused(n, V(-ln2_low), near);
    const V lost = fused(n, V(-ln2_low), near - r);  // what rounding r lost
    const V r2 = r * r;
    return r + fused(r2, fused(r, exp_tail(r), V(0.5)), lost);
}

template <class V>
V exp_of(const V& x) {
    V shifted, n;
    const V bounded = minimum(maximum(x, V(-746.0)), V(710.0));
    const V fraction = reduced_expm1(bounded, shifted, n) + V(1.0);
    const V half = fused(n, V(0.5), V(shifter));  // two factors: each is a normal number
    const V rest = (n - (half - V(shifter))) + V(shifter);
    const V value = (fraction * power_of_two(half)) * power_of_two(rest);
    return select(x == x, value, x);
}

/// exp(x) for x in [-708, 0] without the cases at the borders; the same bits as exp_of there.
template <class V>
[[gnu::always_inline]] inline V exp_of_negative(const V& x) {
    V shifted, n;
    const V fraction = reduced_expm1(x, shifted, n) + V(1.0);
    return product(fraction, power_of_two(shifted));
}

template <class V>
V expm1_of(const V& x) {
    V shifted, n;
    const V bounded = minimum(maximum(x, V(-40.0)), V(40.0));
    const V fraction = reduced_expm1(bounded, shifted, n);
    const V scale = power_of_two(shifted);
    const V value = select(n == V(0.0), fraction, fused(scale, fraction, scale - V(1.0)));
    const V proper = select(x > V(40.0), exp_of(x), value);
    return select(x == x, select(x == V(0.0), x, proper), x);
}

/// log(mantissa) + exponent·ln 2 + extra for a mantissa in [sqrt(1/2), sqrt(2)) and a small `extra`: with f = mantissa - 1 and
/// s = f / (2 + f) it is 2 artanh(s), written as f - (f²/2 - s (f²/2 + R)) so that the large part is exact.
template <class V>
[[gnu::always_inline]] inline V log_of_parts(const V& exponent, const V& mantissa, const V& extra) {
    const V f = mantissa - V(1.0);
    const V s = f / (f + V(2.0));
    const V z = s * s;
    const V z2 = z * z;
    const V a = fused(z, V(0x1.99999999952d7p-2), V(0x1.5555555555558p-1));
    const V b = fused(z, V(0x1.c71c62e3f11e6p-3), V(0x1.2492492df281ap-2));
    const V c = fused(z, V(0x1.39fe51a7c18f9p-3), V(0x1.7462b51cb66b1p-3));
    const V tail = product(fused(z2, fused(z2, fused(z2, V(0x1.2b5900de53b32p-3), c), b), a), z);
    const V half_square = product(f * V(0.5), f);
    const V low = fused(s, half_square + tail, fused(exponent, V(ln2_low), extra));
    return fused(exponent, V(ln2_high), f - (half_square - low));
}

template <class V>
V log_of(const V& x) {
    const V infinity(__builtin_inf());
    const auto subnormal = x < V(0x1p-1022);
    const V scaled = select(subnormal, x * V(0x1p+54), x);
    V exponent, mantissa;
    split_exponent(scaled, exponent, mantissa);
    exponent = select(subnormal, exponent - V(54.0), exponent);
    const V value = log_of_parts(exponent, mantissa, V(0.0));
    const V edge = select(x == V(0.0), -infinity, select(x < V(0.0), V(__builtin_nan("")), x));
    return select(x > V(0.0), select(x == infinity, x, value), edge);
}

template <class V>
V log1p_of(const V& x) {
    const V infinity(__builtin_inf());
    const V u = V(1.0) + x;
    const V back = u - V(1.0);
    const V lost = (V(1.0) - (u - back)) + (x - back);  // 1 + x = u + lost exactly
    V exponent, mantissa;
    split_exponent(u, exponent, mantissa);
    const V value = log_of_parts(exponent, mantissa, lost / u);
    const V tiny = select(absolute(x) < V(0x1p-54), x, value);  // keeps the sign of zero
    const V edge = select(x == V(-1.0), -infinity, select(x < V(-1.0), V(__builtin_nan("")), x));
    return select(x > V(-1.0), select(x == infinity, x, tiny), edge);
}

/// exp(-|x|), 1 / (1 + it) and log(1 + it): what the logistic functions are made of. |x| is cut at 708.
template <class V>
struct LogisticParts {
    V power, reciprocal, log;
};
template <class V>
[[gnu::always_inline]] inline LogisticParts<V> logistic_parts(const V& x) {
    const V power = exp_of_negative(-minimum(absolute(x), V(708.0)));
    const V u = V(1.0) + power;
    const V lost = power - (u - V(1.0));
    const V reciprocal = V(1.0) / u;
    const auto upper = u > V(0x1.6a09e667f3bccp+0);
    const V mantissa = select(upper, u * V(0.5), u);
    const V exponent = select(upper, V(1.0), V(0.0));
    return {power, reciprocal, log_of_parts(exponent, mantissa, product(lost, reciprocal))};
}

template <class V>
V sigmoid_of(const V& x) {
    const LogisticParts<V> parts = logistic_parts(x);
    const V value = select(x < V(0.0), product(parts.power, parts.reciprocal), parts.reciprocal);
    return select(x == x, value, x);
}

template <class V>
V softplus_of(const V& x) {
    const V value = maximum(x, V(0.0)) + logistic_parts(x).log;
    return select(x == x, value, x);
}

}  // namespace detail

/// e to the x: within 1 ulp, subnormal results included; overflow gives infinity. Same bits on all builds for one
/// instruction set.
inline double exp(double x) { return detail::exp_of(x); }
/// e to the x, less one: within 2 ulp, also near 0.
inline double expm1(double x) { return detail::expm1_of(x); }
/// The natural logarithm: within 1 ulp; -infinity at 0, NaN below.
inline double log(double x) { return detail::log_of(x); }
/// The natural logarithm of 1 + x: within 2 ulp, also near 0.
inline double log1p(double x) { return detail::log1p_of(x); }
/// 1 / (1 + exp(-x)): within 3 ulp above -708, exactly the value there below (3e-308).
inline double sigmoid(double x) { return detail::sigmoid_of(x); }
/// log(1 + exp(x)) without overflow: within 2 ulp above -708, the value there below (3e-308).
inline double softplus(double x) { return detail::softplus_of(x); }

}  // namespace partita::inline PARTITA_ABI
