// SPDX-License-Identifier: Apache-2.0
#pragma once

// Registers of DoublePair: the same operations, so the same bits, several numbers at a time.

#include <partita/core/version.hpp>
#include <partita/math/simd/lanes.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// a·b + c, rounded once on every instruction set.
inline Native<double> exactly_fused(Native<double> a, Native<double> b, Native<double> c) {
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA)
    return multiply_add<double>(a, b, c);
#else
    constexpr std::size_t width = native_lanes<double>;
    double x[width], y[width], z[width];
    a.store_unaligned(x);
    b.store_unaligned(y);
    c.store_unaligned(z);
    for (std::size_t k = 0; k < width; ++k) z[k] = __builtin_fma(x[k], y[k], z[k]);
    return Native<double>::load_unaligned(z);
#endif
}

/// See DoublePair.
struct DoublePairs {
    using Part = Native<double>;
    Part high, low;

    static DoublePairs sum(Part a, Part b) {
        const Part s = a + b;
        const Part t = s - a;
        return {s, (a - (s - t)) + (b - t)};
    }
    static DoublePairs product(Part a, Part b) {
        const Part p = rounded<double>(a * b);
        return {p, exactly_fused(a, b, -p)};
    }
    friend DoublePairs operator+(DoublePairs a, DoublePairs b) {
        const DoublePairs s = sum(a.high, b.high), t = sum(a.low, b.low);
        const DoublePairs u = sum(s.high, s.low + t.high);
        return sum(u.high, u.low + t.low);
    }
    friend DoublePairs operator-(DoublePairs a, DoublePairs b) { return a + DoublePairs{-b.high, -b.low}; }
    friend DoublePairs operator*(DoublePairs a, DoublePairs b) {
        const DoublePairs p = product(a.high, b.high);
        return sum(p.high, p.low + exactly_fused(a.high, b.low, rounded<double>(a.low * b.high)));
    }
};

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
