// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of a block as tiles of double: what the kernels over dense features work on. A tile is row-major, its rows are padded
// with zeros to a multiple of eight columns, and it stays in the first-level cache.

#include <partita/core/version.hpp>
#include <partita/math/simd/lanes.hpp>
#include <partita/math/weights.hpp>

#include <cstddef>
#include <cstdint>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The smallest multiple of eight that is at least `count`.
constexpr std::size_t padded_to_eight(std::size_t count) { return (count + 7) / 8 * 8; }

/// How many rows a tile of so many columns has; a function of the columns alone, since sums are folded tile by tile.
constexpr std::size_t tile_rows(std::size_t columns) { return columns <= 256 ? 64 : 256; }

/// Columns and differences of the numbers that differ from `common`, NaN among them; returns how many there are.
template <class T>
std::size_t differing_row(const T* from, const double* common, std::size_t count, std::uint32_t* columns,
                          double* differences) {
    constexpr std::size_t width = native_lanes<double>;
    std::size_t c = 0, found = 0;
    const auto look_at = [&](double difference) {
        columns[found] = static_cast<std::uint32_t>(c);
        differences[found] = difference;
        found += difference != 0.0;
        ++c;
    };
    while (c + width <= count) {
        const Native<double> d = load_wide(from + c) - Native<double>::load_unaligned(common + c);
        if (xsimd::all(d == Native<double>(0.0))) {
            c += width;
            continue;
        }
        double lanes[width];
        d.store_unaligned(lanes);
        for (const double lane : lanes) look_at(lane);
    }
    while (c < count) look_at(static_cast<double>(from[c]) - common[c]);
    return found;
}

/// to[c] = from[c] in double.
template <class T>
void widened_row(const T* from, std::size_t count, double* to) {
    constexpr std::size_t width = native_lanes<double>;
    std::size_t c = 0;
    for (; c + width <= count; c += width) load_wide(from + c).store_unaligned(to + c);
    if constexpr (width > 4) {
        if (c + 4 <= count) {
            const Raw<double, 4> d = widened<4>(from + c);
            std::memcpy(to + c, &d, sizeof d);
            c += 4;
        }
    }
    for (; c < count; ++c) to[c] = static_cast<double>(from[c]);
}

/// to[c] = factor · from[c] over `count` columns, a multiple of eight.
inline void scaled_row(const double* from, double factor, std::size_t count, double* to) {
    const Native<double> f(factor);
    for (std::size_t c = 0; c < count; c += native_lanes<double>) {
        (f * Native<double>::load_unaligned(from + c)).store_unaligned(to + c);
    }
}

/// Cache lines that are asked for one by one while something else is computed, so that they have arrived when it is done.
struct Upcoming {
    const void* from = nullptr;
    std::size_t ahead_bytes = 0, end_bytes = 0;
    std::size_t pace = 1, wait = 1;  ///< every how many calls one line is asked for

    void ask() {
        if (--wait > 0) return;
        wait = pace;
        if (ahead_bytes < end_bytes) prefetch(from, ahead_bytes);
        ahead_bytes += 64;
    }
};

/// A pace at which a tile of so many bytes a row is asked for evenly over add_products.
constexpr std::size_t pace_of_products(std::size_t stride, std::size_t row_bytes) {
    const std::size_t registers = stride / 8, calls = registers * (registers + 2) / 4;  // for each row, about
    return calls * 64 > row_bytes ? calls * 64 / row_bytes : 1;
}

/// The rows that follow `rows` rows from `first` on, as many again; nothing where rows lie far apart or are long.
template <class T>
Upcoming next_tile(const T* first, std::size_t rows, std::size_t stride, std::size_t columns, std::size_t pace) {
    const std::size_t size_bytes = rows * stride * sizeof(T);
    return columns <= 256 && stride <= columns + 16 ? Upcoming{first, size_bytes, 2 * size_bytes, pace, pace}
                                                    : Upcoming{};
}

/// sums[i · stride + j] += sum over the rows of left[row · stride + i] · right[row · stride + j], for i in
/// [first, first + M) and the J registers from column `second` on.
template <std::size_t M, std::size_t J>
void add_products_of_tile(const double* left, const double* right, std::size_t rows, std::size_t stride,
                          std::size_t first, std::size_t second, double* sums, Upcoming& upcoming) {
    constexpr std::size_t width = native_lanes<double>;
    Native<double> sum[M][J];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < M; ++i) {
#pragma GCC unroll 8
        for (std::size_t j = 0; j < J; ++j) sum[i][j] = Native<double>(0.0);
    }
    const double* l = left + first;
    const double* r = right + second;
    for (std::size_t row = 0; row < rows; ++row, l += stride, r += stride) {
        upcoming.ask();
        Native<double> b[J];
#pragma GCC unroll 8
        for (std::size_t j = 0; j < J; ++j) b[j] = Native<double>::load_unaligned(r + j * width);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < M; ++i) {
            const Native<double> a(l[i]);
#pragma GCC unroll 8
            for (std::size_t j = 0; j < J; ++j) sum[i][j] = multiply_add<double>(a, b[j], sum[i][j]);
        }
    }
#pragma GCC unroll 8
    for (std::size_t i = 0; i < M; ++i) {
#pragma GCC unroll 8
        for (std::size_t j = 0; j < J; ++j) {
            double* to = sums + (first + i) * stride + second + j * width;
            (Native<double>::load_unaligned(to) + sum[i][j]).store_unaligned(to);
        }
    }
}

/// Adds the upper triangle of leftᵀ·right (with some elements below the diagonal) to sums, stride x stride, for tiles of
/// `rows` rows; every element is one chain over the rows, so blocking by registers leaves its bits alone.
inline void add_products(const double* left, const double* right, std::size_t rows, std::size_t stride, double* sums,
                         Upcoming upcoming) {
    constexpr std::size_t width = native_lanes<double>;
    constexpr std::size_t down = width == 8 ? 8 : 4;  // 16 sums in 32 registers, 12 or 8 in 16
    constexpr std::size_t across = width == 4 ? 3 : 2;
    for (std::size_t i = 0; i < stride; i += down) {
        std::size_t j = i / width * width;
        for (; j + across * width <= stride; j += across * width) {
            add_products_of_tile<down, across>(left, right, rows, stride, i, j, sums, upcoming);
        }
        if constexpr (across == 3) {
            if (j + 2 * width <= stride) {
                add_products_of_tile<down, 2>(left, right, rows, stride, i, j, sums, upcoming);
                j += 2 * width;
            }
        }
        if (j < stride) add_products_of_tile<down, 1>(left, right, rows, stride, i, j, sums, upcoming);
    }
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
