// SPDX-License-Identifier: Apache-2.0
#pragma once

// (x - mean)·inverse over rows and columns of numbers, in registers.

#include <partita/math/double_pair.hpp>
#include <partita/math/simd/lanes.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Adds up products with zero, which are zero unless a number is not finite. A compiler may fuse them: zero stays zero.
template <class T>
class FiniteTest {
  public:
    template <std::size_t N>
    void look_at(const Raw<T, N>& x) {
        if constexpr (N == native_lanes<double>) {
            lanes_ = lanes_ + x * Raw<T, N>{};
        } else {
            four_ = four_ + x * Raw<T, N>{};
        }
    }
    void look_at(T x) { rest_ += x * T(0); }
    bool all_finite() const {
        T lane[native_lanes<double>];
        std::memcpy(lane, &lanes_, sizeof lane);
        for (std::size_t half = native_lanes<double> / 2; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
        }
        return lane[0] + ((four_[0] + four_[1]) + (four_[2] + four_[3])) + rest_ == T(0);
    }

  private:
    Raw<T, native_lanes<double>> lanes_{};
    Raw<T, 4> four_{};
    T rest_ = 0;
};

/// to[i] = (from[i] - mean[i])·inverse[i] for N numbers.
template <std::size_t N, class T>
void scale_lanes(const T* from, const Raw<double, N>& mean, const Raw<double, N>& inverse, T* to, FiniteTest<T>& test) {
    const Raw<T, N> scaled = __builtin_convertvector((widened<N>(from) - mean) * inverse, Raw<T, N>);
    test.template look_at<N>(scaled);
    std::memcpy(to, &scaled, sizeof scaled);
}

/// to[c] = (from[c] - mean[c])·inverse[c] over the columns of one row.
template <class T>
void scale_row(const T* from, const double* mean, const double* inverse, std::size_t count, T* to,
               FiniteTest<T>& test) {
    constexpr std::size_t width = native_lanes<double>;
    std::size_t c = 0;
    for (; c + width <= count; c += width)
        scale_lanes<width>(from + c, widened<width>(mean + c), widened<width>(inverse + c), to + c, test);
    if constexpr (width > 4) {
        if (c + 4 <= count) {
            scale_lanes<4>(from + c, widened<4>(mean + c), widened<4>(inverse + c), to + c, test);
            c += 4;
        }
    }
    for (; c < count; ++c) {
        to[c] = static_cast<T>(product(static_cast<double>(from[c]) - mean[c], inverse[c]));
        test.look_at(to[c]);
    }
}

/// to[i] = (from[i] - mean)·inverse down a column of n numbers.
template <class T>
void scale_column(const T* from, double mean, double inverse, std::size_t n, T* to, FiniteTest<T>& test) {
    constexpr std::size_t width = native_lanes<double>;
    const Raw<double, width> m = raw(Native<double>(mean)), v = raw(Native<double>(inverse));
    std::size_t i = 0;
    for (; i + width <= n; i += width) scale_lanes<width>(from + i, m, v, to + i, test);
    for (; i < n; ++i) {
        to[i] = static_cast<T>(product(static_cast<double>(from[i]) - mean, inverse));
        test.look_at(to[i]);
    }
}

}  // namespace partita::inline PARTITA_ABI::detail
