// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers of twice the precision of double: an unevaluated sum of two. Block kernels hand raw moments to their callers as such
// pairs, so that a variance survives a mean a thousand million times its size.

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The rounded product, which no compiler may fuse with a later addition.
inline double product(double a, double b) {
    double value = a * b;
#if defined(__x86_64__)
    asm("" : "+x"(value));
#elif defined(__aarch64__)
    asm("" : "+w"(value));
#else
    asm("" : "+m"(value));
#endif
    return value;
}

}  // namespace detail

/// high + low, where |low| is at most half a unit in the last place of `high`: some 106 bits.
struct DoublePair {
    double high = 0.0, low = 0.0;

    /// a + b exactly.
    static DoublePair sum(double a, double b) {
        const double s = a + b;
        const double t = s - a;
        return {s, (a - (s - t)) + (b - t)};
    }
    /// a·b exactly (barring underflow and overflow).
    static DoublePair product(double a, double b) {
        const double p = detail::product(a, b);
        return {p, __builtin_fma(a, b, -p)};
    }

    friend DoublePair operator+(DoublePair a, DoublePair b) {
        const DoublePair s = sum(a.high, b.high), t = sum(a.low, b.low);
        const DoublePair u = sum(s.high, s.low + t.high);
        return sum(u.high, u.low + t.low);
    }
    friend DoublePair operator-(DoublePair a) { return {-a.high, -a.low}; }
    friend DoublePair operator-(DoublePair a, DoublePair b) { return a + -b; }
    friend DoublePair operator*(DoublePair a, DoublePair b) {
        const DoublePair p = product(a.high, b.high);
        return sum(p.high, p.low + __builtin_fma(a.high, b.low, detail::product(a.low, b.high)));
    }
    friend DoublePair operator/(DoublePair a, double b) {
        const double q = a.high / b;
        const DoublePair rest = a - product(q, b);
        return sum(q, (rest.high + rest.low) / b);
    }
};

}  // namespace partita::inline PARTITA_ABI
