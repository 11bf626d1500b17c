// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inner loops of triangular factors and of vectors as long as a model: dot products, and rows less multiples of rows.

#include <partita/core/version.hpp>
#include <partita/math/simd/lanes.hpp>

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
    for (std::size_t k = 0; k < depth; ++k) {
        Native<double> column[J];
#pragma GCC unroll 8
        for (std::size_t b = 0; b < J; ++b)
            column[b] = Native<double>::load_unaligned(panel + k * stride + j + b * width);
#pragma GCC unroll 8
        for (std::size_t a = 0; a < M; ++a) {
            const Native<double> minus(-matrix[(i + a) * stride + first + k]);
#pragma GCC unroll 8
            for (std::size_t b = 0; b < J; ++b) rest[a][b] = multiply_add<double>(minus, column[b], rest[a][b]);
        }
    }
#pragma GCC unroll 8
    for (std::size_t a = 0; a < M; ++a) {
#pragma GCC unroll 8
        for (std::size_t b = 0; b < J; ++b) rest[a][b].store_unaligned(matrix + (i + a) * stride + j + b * width);
    }
}

/// Takes the products of the columns [first, last) from the lower triangle of the rows and columns from `last` on; what lies
/// right of the diagonal in those rows is overwritten. `panel` has room for last - first rows of `stride`; `last` is a multiple
/// of eight or the order itself.
inline void subtract_products(double* matrix, std::size_t stride, std::size_t order, std::size_t first,
                              std::size_t last, double* panel) {
    constexpr std::size_t width = native_lanes<double>, across = 2;
    const std::size_t depth = last - first;
    for (std::size_t i = last; i < order; ++i) {
        for (std::size_t k = 0; k < depth; ++k) panel[k * stride + i] = matrix[i * stride + first + k];
    }
    std::size_t i = last;
    for (; i + 4 <= order; i += 4) {
        std::size_t j = last;
        for (; j + across * width <= stride && j <= i + 3; j += across * width) {
            subtract_panel<4, across>(matrix, stride, panel, depth, first, i, j);
        }
        for (; j <= i + 3; j += width) subtract_panel<4, 1>(matrix, stride, panel, depth, first, i, j);
    }
    for (; i < order; ++i) {
        for (std::size_t j = last; j <= i; j += width) subtract_panel<1, 1>(matrix, stride, panel, depth, first, i, j);
    }
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
