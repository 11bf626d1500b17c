// SPDX-License-Identifier: Apache-2.0
#pragma once

// Products of small matrices of float, and what is done with their elements. Every element of a product is one chain of fused
// multiply-adds over the inner dimension in ascending order, so neither the size of tiles nor that of registers shows in it.

#include <partita/core/version.hpp>
#include <partita/math/simd/elementary.hpp>
#include <partita/math/simd/lanes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace partita::inline PARTITA_ABI::detail {

/// The left factor of a product: element (row, k) lies at data[row·row_step + k·inner_step].
struct LeftFactor {
    const float* data = nullptr;
    std::size_t rows = 0, inner = 0, row_step = 0, inner_step = 0;
};
/// The right factor: `inner` rows of `columns` numbers, a multiple of 16, `stride` apart; a product begins with `start` (null: 0).
struct RightFactor {
    const float* data = nullptr;
    std::size_t columns = 0, stride = 0;
    const float* start = nullptr;
};

/// R rows and C registers of columns of a product; finish(r, c, register) takes them.
template <std::size_t R, std::size_t C, class Finish>
[[gnu::always_inline]] inline void product_tile(const float* left, std::size_t row_step, std::size_t inner_step,
                                                std::size_t inner, const float* right, std::size_t stride,
                                                const float* start, Finish&& finish) {
    constexpr std::size_t width = native_lanes<float>;
    Native<float> sum[R][C];
#pragma GCC unroll 8
    for (std::size_t c = 0; c < C; ++c) {
        const Native<float> first =
            start == nullptr ? Native<float>(0.0f) : Native<float>::load_unaligned(start + c * width);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) sum[r][c] = first;
    }
    for (std::size_t k = 0; k < inner; ++k) {
        Native<float> row[C];
#pragma GCC unroll 8
        for (std::size_t c = 0; c < C; ++c) row[c] = Native<float>::load_unaligned(right + k * stride + c * width);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < R; ++r) {
            const Native<float> x(left[r * row_step + k * inner_step]);
#pragma GCC unroll 8
            for (std::size_t c = 0; c < C; ++c) sum[r][c] = multiply_add<float>(x, row[c], sum[r][c]);
        }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (std::size_t c = 0; c < C; ++c) finish(r, c * width, sum[r][c]);
    }
}

template <std::size_t C, class Finish>
void product_strip(const LeftFactor& a, const RightFactor& b, std::size_t column, Finish& finish) {
    const float* start = b.start == nullptr ? nullptr : b.start + column;
    std::size_t row = 0;
    const auto tile = [&]<std::size_t R>(std::integral_constant<std::size_t, R>) {
        product_tile<R, C>(
            a.data + row * a.row_step, a.row_step, a.inner_step, a.inner, b.data + column, b.stride, start,
            [&](std::size_t r, std::size_t c, const Native<float>& value) { finish(row + r, column + c, value); });
        row += R;
    };
    while (row + 6 <= a.rows) tile(std::integral_constant<std::size_t, 6>{});
    if (row + 4 <= a.rows) tile(std::integral_constant<std::size_t, 4>{});
    if (row + 2 <= a.rows) tile(std::integral_constant<std::size_t, 2>{});
    if (row < a.rows) tile(std::integral_constant<std::size_t, 1>{});
}

/// Calls finish(row, column, register) for every register of the product.
template <class Finish>
void for_each_product(const LeftFactor& a, const RightFactor& b, Finish finish) {
    constexpr std::size_t width = native_lanes<float>;
    std::size_t column = 0;
    if (a.rows == 1) {  // one row has no rows to work on at once, so it takes more columns
        for (; column + 4 * width <= b.columns; column += 4 * width) {
            product_tile<1, 4>(
                a.data, a.row_step, a.inner_step, a.inner, b.data + column, b.stride,
                b.start == nullptr ? nullptr : b.start + column,
                [&](std::size_t r, std::size_t c, const Native<float>& value) { finish(r, column + c, value); });
        }
    }
    for (; column + 2 * width <= b.columns; column += 2 * width) product_strip<2>(a, b, column, finish);
    for (; column < b.columns; column += width) product_strip<1>(a, b, column, finish);
}

inline void product_into(const LeftFactor& a, const RightFactor& b, float* to, std::size_t stride) {
    for_each_product(a, b, [&](std::size_t row, std::size_t column, const Native<float>& value) {
        value.store_unaligned(to + row * stride + column);
    });
}

/// What a deposit says of its elements.
struct Deposit {
    bool inside = true;  ///< all were numbers below the limit in size
    float largest = 0;   ///< the largest of those that are numbers
};

/// sums[row·stride + column] += the element of the product in units of 1/scale, rounded to an integer. `scale` is a power of
/// two, `limit` at most 2^50/scale; where an element is not inside, the sums are undefined.
inline Deposit deposit_product(const LeftFactor& a, const RightFactor& b, double scale, float limit, std::int64_t* sums,
                               std::size_t stride) {
    constexpr std::size_t width = native_lanes<float>, half = native_lanes<double>;
    using Integers = Raw<std::int64_t, half>;
    const Native<double> factor(scale), shift(shifter);
    const Native<float> bound(limit);
    Native<float> largest(0.0f);
    auto inside = bound == bound;
    for_each_product(a, b, [&](std::size_t row, std::size_t column, const Native<float>& value) {
        const Native<float> size = greater<float>(value, -value);
        inside = inside & (size < bound);
        largest = greater<float>(size, largest);
        float buffer[width];
        value.store_unaligned(buffer);
        std::int64_t* to = sums + row * stride + column;
#pragma GCC unroll 4
        for (std::size_t k = 0; k < width; k += half) {
            // Exact but for the rounding to an integer, which the shift does; its bits are taken off again.
            const Native<double> shifted = multiply_add<double>(load_wide(buffer + k), factor, shift);
            Integers sum;
            std::memcpy(&sum, to + k, sizeof sum);
            sum += (Integers)raw<double>(shifted) - static_cast<std::int64_t>(0x4338000000000000);
            std::memcpy(to + k, &sum, sizeof sum);
        }
    });
    Deposit deposit;
    deposit.inside = xsimd::all(inside);
    float sizes[width];
    largest.store_unaligned(sizes);
    for (const float size : sizes) deposit.largest = size > deposit.largest ? size : deposit.largest;
    return deposit;
}

using Floats16 = Lanes<float, 16>;
using Doubles8 = Lanes<double, 8>;

/// tanh by expm1; `x` is cut at ±20, beyond which it is ±1 in float by far.
[[gnu::always_inline]] inline Doubles8 tanh_of(const Doubles8& x) {
    const Doubles8 size = minimum(Doubles8(20.0), absolute(x));
    const Doubles8 power = expm1(size + size);
    const Doubles8 value = power / (power + Doubles8(2.0));
    return select(x < Doubles8(0.0), -value, value);
}

}  // namespace partita::inline PARTITA_ABI::detail
