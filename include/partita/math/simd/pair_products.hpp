// SPDX-License-Identifier: Apache-2.0
#pragma once

// Products of all pairs of columns of a tile of rows, nearly each once.
//
// Columns are taken by fours, and most of them stand in a ring: each four is multiplied by itself and by the fours that follow
// it, half-way around the ring, so that every pair of the ring meets and only the pairs within a four meet twice. With a ring
// of 7 fours that is 56 registers of 8 products for 28 columns, where squares of 8 x 8 on and above the diagonal take 80. The
// columns left over (the target, the ones) are multiplied by everything.

#include <partita/core/version.hpp>
#include <partita/math/simd/rows.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Where the columns of a matrix lie in the rows of such a tile, and their products in the sums.
struct PairLayout {
    std::size_t order = 0;    ///< columns of the matrix
    std::size_t ring = 0;     ///< those in the ring, a multiple of four; there may be columns of zeros among the last
    std::size_t window = 0;   ///< columns that each four of the ring is multiplied by, a multiple of eight
    std::size_t rest = 0;     ///< columns left over
    std::size_t ring_at = 0;  ///< where the ring begins, after those left over and on a cache line
    std::size_t breadth = 0;  ///< columns that those left over are multiplied by, a multiple of eight
    std::size_t stride = 0;   ///< from row to row

    /// More columns have no ring: their longer rows would leave the nearest cache, and the squares on the diagonal matter less.
    static constexpr std::size_t most_columns = 64;
    bool square() const { return order > most_columns; }

    explicit PairLayout(std::size_t columns) : order(columns) {
        if (square()) {
            ring = stride = padded_to_eight(order);
            return;
        }
        std::size_t least = ~std::size_t(0);
        for (std::size_t fours = 0; fours <= (order + 3) / 4; ++fours) {
            PairLayout tried;
            tried.order = order;
            tried.set_ring(4 * fours);
            const std::size_t products = tried.ring * tried.window + tried.rest * tried.breadth;
            if (products <= least) {
                least = products;
                *this = tried;
            }
        }
    }

    std::size_t place(std::size_t column) const { return column < ring ? ring_at + column : column - ring; }
    /// Where the sum for columns i <= j lies, and which of them is the left factor of its products.
    struct Pair {
        std::size_t at;
        bool left_is_j;
    };
    Pair pair(std::size_t i, std::size_t j) const {
        if (square()) return {i * stride + j, false};
        if (j >= ring) return {ring * window + (j - ring) * breadth + place(i), true};
        const std::size_t first = i / 4 * 4, distance = j / 4 * 4 - first;
        if (distance <= ring / 2) return {i * window + j - first, false};
        return {j * window + ring - distance + i % 4, true};
    }
    std::size_t sums() const { return ring * window + rest * breadth; }

  private:
    PairLayout() = default;
    void set_ring(std::size_t columns) {
        ring = columns;
        rest = order > ring ? order - ring : 0;
        window = ring > 0 ? padded_to_eight(ring / 8 * 4 + 4) : 0;
        ring_at = padded_to_eight(rest);
        breadth = padded_to_eight(ring_at + ring);
        stride = padded_to_eight(ring_at + ring + (window > 0 ? window - 4 : 0));
    }
};

/// sums[m · window + n] += sum over the rows of left[m] · right[m / 4 · 4 + n], for M columns and J registers of n: each four has
/// a window of its own.
template <std::size_t M, std::size_t J>
void add_window_products(const double* left, const double* right, std::size_t rows, std::size_t stride, double* sums,
                         std::size_t window, Upcoming& upcoming) {
    constexpr std::size_t width = native_lanes<double>;
    Upcoming asked = upcoming;
    Native<double> sum[M][J];
#pragma GCC unroll 8
    for (std::size_t m = 0; m < M; ++m) {
#pragma GCC unroll 8
        for (std::size_t j = 0; j < J; ++j) sum[m][j] = Native<double>(0.0);
    }
    for (std::size_t row = 0; row < rows; ++row, left += stride, right += stride) {
        asked.ask();
        Native<double> b[J];
#pragma GCC unroll 8
        for (std::size_t m = 0; m < M; ++m) {
            if (m % 4 == 0) {
#pragma GCC unroll 8
                for (std::size_t j = 0; j < J; ++j) b[j] = Native<double>::load_unaligned(right + m + j * width);
            }
            const Native<double> a(left[m]);
#pragma GCC unroll 8
            for (std::size_t j = 0; j < J; ++j) sum[m][j] = multiply_add<double>(a, b[j], sum[m][j]);
        }
    }
    upcoming = asked;
#pragma GCC unroll 8
    for (std::size_t m = 0; m < M; ++m) {
#pragma GCC unroll 8
        for (std::size_t j = 0; j < J; ++j) {
            double* to = sums + m * window + j * width;
            (Native<double>::load_unaligned(to) + sum[m][j]).store_unaligned(to);
        }
    }
}

/// The same for M columns and a window of any number of registers, J at once and then fewer.
template <std::size_t M, std::size_t J>
void add_window_products(const double* left, const double* right, std::size_t rows, std::size_t stride, double* sums,
                         std::size_t window, std::size_t from, Upcoming& upcoming) {
    constexpr std::size_t columns = J * native_lanes<double>;
    for (; from + columns <= window; from += columns) {
        add_window_products<M, J>(left, right + from, rows, stride, sums + from, window, upcoming);
    }
    if constexpr (J > 1) add_window_products<M, J - 1>(left, right, rows, stride, sums, window, from, upcoming);
}

/// Adds the products of all pairs of columns to sums, for tiles of `rows` rows; every sum is one chain over the rows, so
/// blocking by registers leaves its bits alone.
inline void add_pair_products(const PairLayout& layout, const double* left, const double* right, std::size_t rows,
                              double* sums, Upcoming upcoming) {
    constexpr std::size_t width = native_lanes<double>;
    constexpr std::size_t four_by = width == 8 ? 4 : width == 4 ? 3 : 2, two_by = width == 2 ? 4 : 6;
    const std::size_t stride = layout.stride, window = layout.window, breadth = layout.breadth;
    std::size_t i = 0;
    if constexpr (width == 8) {
        for (; window <= 16 && i + 8 <= layout.ring; i += 8) {  // two fours at once, so that enough sums are under way
            const std::size_t at = layout.ring_at + i;
            add_window_products<8, 2>(left + at, right + at, rows, stride, sums + i * window, window, 0, upcoming);
        }
    }
    for (; i < layout.ring; i += 4) {
        const std::size_t at = layout.ring_at + i;
        add_window_products<4, four_by>(left + at, right + at, rows, stride, sums + i * window, window, 0, upcoming);
    }
    double* to = sums + layout.ring * window;
    std::size_t k = 0;
    for (; k + 4 <= layout.rest; k += 4, to += 4 * breadth) {
        add_window_products<4, four_by>(left + k, right, rows, stride, to, breadth, 0, upcoming);
    }
    for (; k + 2 <= layout.rest; k += 2, to += 2 * breadth) {
        add_window_products<2, two_by>(left + k, right, rows, stride, to, breadth, 0, upcoming);
    }
    if (k < layout.rest) add_window_products<1, 4>(left + k, right, rows, stride, to, breadth, 0, upcoming);
}

/// to[r · to_stride + c] = from[r · stride + c] - shift[c] in double for a tile of rows, from column c on, J registers at once
/// and then fewer.
template <std::size_t J, class T>
void shifted_rows(const T* from, std::size_t stride, std::size_t rows, const double* shift, std::size_t count,
                  double* to, std::size_t to_stride, std::size_t c = 0) {
    constexpr std::size_t width = native_lanes<double>;
    for (; c + J * width <= count; c += J * width) {
        Native<double> s[J];
#pragma GCC unroll 4
        for (std::size_t j = 0; j < J; ++j) s[j] = Native<double>::load_unaligned(shift + c + j * width);
        const T* f = from + c;
        double* t = to + c;
        for (std::size_t r = 0; r < rows; ++r, f += stride, t += to_stride) {
#pragma GCC unroll 4
            for (std::size_t j = 0; j < J; ++j) (load_wide(f + j * width) - s[j]).store_unaligned(t + j * width);
        }
    }
    if constexpr (J > 1) {
        shifted_rows<J - 1>(from, stride, rows, shift, count, to, to_stride, c);
    } else {
        if constexpr (width > 4) {
            if (c + 4 <= count) {
                Raw<double, 4> s;
                std::memcpy(&s, shift + c, sizeof s);
                for (std::size_t r = 0; r < rows; ++r) {
                    const Raw<double, 4> d = widened<4>(from + r * stride + c) - s;
                    std::memcpy(to + r * to_stride + c, &d, sizeof d);
                }
                c += 4;
            }
        }
        for (; c < count; ++c) {
            const double s = shift[c];
            for (std::size_t r = 0; r < rows; ++r)
                to[r * to_stride + c] = static_cast<double>(from[r * stride + c]) - s;
        }
    }
}

/// Repeats the beginning of the ring after its end.
inline void close_ring(const PairLayout& layout, std::size_t rows, double* tile) {
    const std::size_t stride = layout.stride, ring = layout.ring;
    for (std::size_t c = 0; c + 4 < layout.window; c += 4) {
        double* from = tile + layout.ring_at + c;
#pragma GCC unroll 4
        for (std::size_t r = 0; r < rows; ++r, from += stride) {
            Raw<double, 4> four;
            std::memcpy(&four, from, sizeof four);
            std::memcpy(from + ring, &four, sizeof four);
        }
    }
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
