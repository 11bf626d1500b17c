// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a linear model computes on one tile of rows (see rows.hpp): X·w, Xᵀ·r, and the logistic loss with its derivatives.

#include <partita/core/version.hpp>
#include <partita/math/simd/elementary.hpp>
#include <partita/math/simd/rows.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

namespace detail {

using Lanes8 = Lanes<double, 8>;

/// Eight lanes read from `ones_then_zeros + 8 - k` are k ones and then zeros.
inline constexpr double ones_then_zeros[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};

/// dots[k] = row k of R rows times `coefficients`: lane l takes the columns l, l + 8, …
template <std::size_t R>
void dot_rows(const double* tile, std::size_t stride, const double* coefficients, Lanes8* dots) {
    Lanes8 dot[R];
    for (std::size_t c = 0; c < stride; c += 8) {
        const Lanes8 w = Lanes8::load(coefficients + c);
#pragma GCC unroll 8
        for (std::size_t k = 0; k < R; ++k) dot[k] = fused(Lanes8::load(tile + k * stride + c), w, dot[k]);
    }
#pragma GCC unroll 8
    for (std::size_t k = 0; k < R; ++k) dots[k] = dot[k];
}

/// margins[r] = row r · coefficients, for a multiple of eight rows.
inline void margins_of_tile(const double* tile, std::size_t rows, std::size_t stride, const double* coefficients,
                            double* margins) {
    constexpr std::size_t at_once = native_lanes<double>;  // as many rows as the registers hold
    for (std::size_t r = 0; r < rows; r += 8) {
        Lanes8 dots[8];
#pragma GCC unroll 8
        for (std::size_t k = 0; k < 8; k += at_once) {
            dot_rows<at_once>(tile + (r + k) * stride, stride, coefficients, dots + k);
        }
        sums(dots).store(margins + r);
    }
}

/// gradient[c] += sum over the rows of residuals[r] · tile[r][c]: even rows, odd rows, then both.
template <std::size_t J>
void add_gradient_of_tile(const double* tile, std::size_t rows, std::size_t stride, const double* residuals,
                          double* gradient) {
    constexpr std::size_t width = native_lanes<double>;
    Native<double> even[J], odd[J];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < J; ++j) even[j] = odd[j] = Native<double>(0.0);
    for (std::size_t r = 0; r < rows; r += 2) {
        const Native<double> a(residuals[r]), b(residuals[r + 1]);
        const double* row = tile + r * stride;
#pragma GCC unroll 4
        for (std::size_t j = 0; j < J; ++j) {
            even[j] = multiply_add<double>(a, Native<double>::load_unaligned(row + j * width), even[j]);
            odd[j] = multiply_add<double>(b, Native<double>::load_unaligned(row + stride + j * width), odd[j]);
        }
    }
#pragma GCC unroll 4
    for (std::size_t j = 0; j < J; ++j) {
        double* to = gradient + j * width;
        (Native<double>::load_unaligned(to) + (even[j] + odd[j])).store_unaligned(to);
    }
}
inline void add_gradient_of_tile(const double* tile, std::size_t rows, std::size_t stride, const double* residuals,
                                 double* gradient) {
    constexpr std::size_t width = native_lanes<double>;
    std::size_t c = 0;
    for (; c + 4 * width <= stride; c += 4 * width) {
        add_gradient_of_tile<4>(tile + c, rows, stride, residuals, gradient + c);
    }
    for (; c < stride; c += width) add_gradient_of_tile<1>(tile + c, rows, stride, residuals, gradient + c);
}

/// The loss of eight rows and its derivatives by the margin, before weights.
struct LogisticLanes {
    Lanes8 loss, residual, curvature;
};
[[gnu::always_inline]] inline LogisticLanes logistic_lanes(const Lanes8& margin, const Lanes8& label) {
    const LogisticParts<Lanes8> parts = logistic_parts(margin);
    const Lanes8 small = parts.power * parts.reciprocal;  // the probability of the less likely class
    const auto negative = margin < Lanes8(0.0);
    const Lanes8 one = select(negative, small, parts.reciprocal), zero = select(negative, parts.reciprocal, small);
    // Written so that neither label loses digits by cancellation, and so that a margin that is no number shows in the loss.
    const Lanes8 loss = fused(-label, margin, maximum(margin, Lanes8(0.0))) + parts.log;
    return {loss, fused(Lanes8(1.0) - label, one, -(label * zero)), small * parts.reciprocal};
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
