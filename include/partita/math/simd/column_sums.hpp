// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sums down the columns of a block of rows, near the speed of memory.

#include <partita/core/version.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/simd/lanes.hpp>
#include <partita/math/weights.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Rows are dealt to so many phases, and each phase and column has a sum of its own: enough to hide the latency of an
/// addition, whatever the width. A function of the columns alone.
constexpr std::size_t phases_for(std::size_t columns) {
    std::size_t phases = 64;
    while (phases > 1 && phases * columns > 256) phases /= 2;
    return phases;
}

/// sum[k] += x[k] - shift[k] and square[k] += (x[k] - shift[k])², over `groups` runs of `count` numbers `stride` apart.
template <class T>
void add_deviations(const T* x, std::size_t stride, std::size_t groups, std::size_t count, const double* shift,
                    double* sum, double* square) {
    constexpr std::size_t width = native_lanes<double>;
    std::size_t k = 0;
    for (; k + 2 * width <= count; k += 2 * width) {
        const auto m0 = Native<double>::load_unaligned(shift + k),
                   m1 = Native<double>::load_unaligned(shift + k + width);
        auto s0 = Native<double>::load_unaligned(sum + k), s1 = Native<double>::load_unaligned(sum + k + width);
        auto q0 = Native<double>::load_unaligned(square + k), q1 = Native<double>::load_unaligned(square + k + width);
        const T* from = x + k;
        for (std::size_t g = 0; g < groups; ++g, from += stride) {
            prefetch(from, groups * stride * sizeof(T));  // the same place in the next call's rows
            const auto d0 = load_wide(from) - m0, d1 = load_wide(from + width) - m1;
            s0 = s0 + d0;
            s1 = s1 + d1;
            q0 = multiply_add<double>(d0, d0, q0);
            q1 = multiply_add<double>(d1, d1, q1);
        }
        s0.store_unaligned(sum + k);
        s1.store_unaligned(sum + k + width);
        q0.store_unaligned(square + k);
        q1.store_unaligned(square + k + width);
    }
    for (; k < count; ++k) {
        for (std::size_t g = 0; g < groups; ++g) {
            const double d = static_cast<double>(x[g * stride + k]) - shift[k];
            sum[k] += d;
            square[k] = fused(d, d, square[k]);
        }
    }
}

/// The same for one row of weight w.
template <class T>
void add_weighted_deviations(const T* x, double w, std::size_t count, const double* shift, double* sum,
                             double* square) {
    constexpr std::size_t width = native_lanes<double>;
    const Native<double> weight(w);
    std::size_t k = 0;
    for (; k + width <= count; k += width) {
        const auto d = load_wide(x + k) - Native<double>::load_unaligned(shift + k);
        const auto wd = weight * d;  // only ever a factor or, below, an explicit fma
        multiply_add<double>(weight, d, Native<double>::load_unaligned(sum + k)).store_unaligned(sum + k);
        multiply_add<double>(wd, d, Native<double>::load_unaligned(square + k)).store_unaligned(square + k);
    }
    for (; k < count; ++k) {
        const double d = static_cast<double>(x[k]) - shift[k];
        sum[k] = fused(w, d, sum[k]);
        square[k] = fused(w * d, d, square[k]);
    }
}

/// Folds `phases` runs of `columns` sums into the first, along the tree of halves.
inline void fold_phases(double* sums, std::size_t phases, std::size_t columns) {
    for (std::size_t half = phases / 2; half > 0; half /= 2) {
        for (std::size_t k = 0; k < half * columns; ++k) sums[k] += sums[k + half * columns];
    }
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
