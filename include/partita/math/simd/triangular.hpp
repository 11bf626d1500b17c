// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inner loops of triangular factors and of vectors as long as a model: dot products, and rows less multiples of rows.

#include <partita/core/version.hpp>
#include <partita/math/simd/lanes.hpp>

#include <algorithm>
#include <cstddef>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Σ a[k]·b[k]: element k adds to lane k mod 16, the lanes along the tree of halves.
inline double dot(const double* a, const double* b, std::size_t count) {
    using L = Lanes<double, 16>;
    L total;
    std::size_t k = 0;
    for (; k + 16 <= count; k += 16) total = fused(L::load(a + k), L::load(b + k), total);
    if (k < count) total = fused(L::load(a + k, count - k), L::load(b + k, count - k), total);
    return sum(total);
}

/// to[k] = to[k] + factor·from[k].
inline void add_scaled(const double* from, double factor, std::size_t count, double* to) {
    constexpr std::size_t width = native_lanes<double>;
    const Native<double> f(factor);
    std::size_t k = 0;
    for (; k + width <= count; k += width) {
        multiply_add<double>(f, Native<double>::load_unaligned(from + k), Native<double>::load_unaligned(to + k))
            .store_unaligned(to + k);
    }
    for (; k < count; ++k) to[k] = fused(factor, from[k], to[k]);
}

/// out[i] = column[i] - Σ panel[k][i] · factors[k] for i in [from, to), whole registers of rows: the sum over the `Depth` rows of
/// the panel is that of dot().
template <std::size_t Depth>
void subtract_dots(const double* column, const double* panel, std::size_t stride, const double* factors,
                   std::size_t from, std::size_t to, double* out) {
    static_assert(Depth == 16 || Depth == 32);
    for (std::size_t i = from; i < to; i += native_lanes<double>) {
        Native<double> lane[16];
#pragma GCC unroll 16
        for (std::size_t k = 0; k < 16; ++k) {
            const double* at = panel + k * stride + i;
            lane[k] = multiply_add<double>(Native<double>::load_unaligned(at), Native<double>(factors[k]),
                                           Native<double>(0.0));
            if constexpr (Depth == 32) {
                lane[k] = multiply_add<double>(Native<double>::load_unaligned(at + 16 * stride),
                                               Native<double>(factors[k + 16]), lane[k]);
            }
        }
#pragma GCC unroll 4
        for (std::size_t half = 8; half > 0; half /= 2) {
#pragma GCC unroll 8
            for (std::size_t k = 0; k < half; ++k) lane[k] = lane[k] + lane[k + half];
        }
        (Native<double>::load_unaligned(column + i) - lane[0]).store_unaligned(out + i);
    }
}

/// to[k][i] = from[i][k] for i in [0, rows) and k in [0, columns); rows and columns of `to` and `from` lie to_stride and
/// from_stride apart.
inline void transposed(const double* from, std::size_t from_stride, std::size_t rows, std::size_t columns, double* to,
                       std::size_t to_stride) {
    constexpr std::size_t tile = 8;
    for (std::size_t i = 0; i < rows; i += tile) {
        const std::size_t end = std::min(i + tile, rows);
        for (std::size_t k = 0; k < columns; ++k) {
            for (std::size_t r = i; r < end; ++r) to[k * to_stride + r] = from[r * from_stride + k];
        }
    }
}

/// For M rows from `i` on and J registers of columns from `j` on: matrix[i][j] -= Σ matrix[i][first + k] · panel[k][j].
template <std::size_t M, std::size_t J>
void subtract_panel(double* matrix, std::size_t stride, const double* panel, std::size_t depth, std::size_t first,
                    std::size_t i, std::size_t j) {
    constexpr std::size_t width = native_lanes<double>;
    Native<double> rest[M][J];
#pragma GCC unroll 8
    for (std::size_t a = 0; a < M; ++a) {
#pragma GCC unroll 8
        for (std::size_t b = 0; b < J; ++b) {
            rest[a][b] = Native<double>::load_unaligned(matrix + (i + a) * stride + j + b * width);
        }
    }
    const double* left = matrix + i * stride + first;
    for (std::size_t k = 0; k < depth; ++k) {
        Native<double> minus[J];
#pragma GCC unroll 8
        for (std::size_t b = 0; b < J; ++b)
            minus[b] = -Native<double>::load_unaligned(panel + k * stride + j + b * width);
#pragma GCC unroll 8
        for (std::size_t a = 0; a < M; ++a) {
            const Native<double> factor(left[a * stride + k]);
#pragma GCC unroll 8
            for (std::size_t b = 0; b < J; ++b) rest[a][b] = multiply_add<double>(factor, minus[b], rest[a][b]);
        }
    }
#pragma GCC unroll 8
    for (std::size_t a = 0; a < M; ++a) {
#pragma GCC unroll 8
        for (std::size_t b = 0; b < J; ++b) rest[a][b].store_unaligned(matrix + (i + a) * stride + j + b * width);
    }
}

/// Takes the products of the columns [first, last) from the lower triangle of the rows and columns from `last` on; what lies
/// right of the diagonal in those rows is overwritten. `panel` holds those columns as rows of `stride`; `last` is a multiple
/// of eight or the order itself.
inline void subtract_products(double* matrix, std::size_t stride, std::size_t order, std::size_t first,
                              std::size_t last, const double* panel) {
    constexpr std::size_t width = native_lanes<double>, across = 2;
    constexpr std::size_t down = width == 8 ? 8 : 4;  // 16 sums in 32 registers, 8 in 16
    const std::size_t depth = last - first;
    std::size_t i = last;
    for (; i + down <= order; i += down) {
        std::size_t j = last;
        for (; j + across * width <= stride && j < i + down; j += across * width) {
            subtract_panel<down, across>(matrix, stride, panel, depth, first, i, j);
        }
        for (; j < i + down; j += width) subtract_panel<down, 1>(matrix, stride, panel, depth, first, i, j);
    }
    for (; i < order; ++i) {
        for (std::size_t j = last; j <= i; j += width) subtract_panel<1, 1>(matrix, stride, panel, depth, first, i, j);
    }
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
