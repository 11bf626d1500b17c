// SPDX-License-Identifier: Apache-2.0
#pragma once

// (x - mean)·inverse over rows and columns of numbers, in registers.

#include <partita/math/simd/lanes.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// A register of double, rounded to numbers of T.
template <class T>
Raw<T, native_lanes<double>> narrowed(Native<double> x) {
    return __builtin_convertvector(raw(x), Raw<T, native_lanes<double>>);
}

/// Adds up products with zero, which are zero unless a number is not finite. A compiler may fuse them: zero stays zero.
template <class T>
class FiniteTest {
  public:
    using Part = Raw<T, native_lanes<double>>;

    void look_at(Part x) { lanes_ = lanes_ + x * Part{}; }
    void look_at(T x) { rest_ += x * T(0); }
    bool all_finite() const {
        T all = rest_;
        for (std::size_t i = 0; i < native_lanes<double>; ++i) all += lanes_[i];
        return all == T(0);
    }

  private:
    Part lanes_{};
    T rest_ = 0;
};

/// to[c] = (from[c] - mean[c])·inverse[c] over the columns of one row.
template <class T>
void scale_row(const T* from, const double* mean, const double* inverse, std::size_t count, T* to,
               FiniteTest<T>& test) {
    constexpr std::size_t width = native_lanes<double>;
    std::size_t c = 0;
    for (; c + width <= count; c += width) {
        const auto deviation = load_wide(from + c) - Native<double>::load_unaligned(mean + c);
        const auto scaled = narrowed<T>(deviation * Native<double>::load_unaligned(inverse + c));
        test.look_at(scaled);
        std::memcpy(to + c, &scaled, sizeof scaled);
    }
    for (; c < count; ++c) {
        to[c] = static_cast<T>((static_cast<double>(from[c]) - mean[c]) * inverse[c]);
        test.look_at(to[c]);
    }
}

/// to[i] = (from[i] - mean)·inverse down a column of n numbers.
template <class T>
void scale_column(const T* from, double mean, double inverse, std::size_t n, T* to, FiniteTest<T>& test) {
    constexpr std::size_t width = native_lanes<double>;
    const Native<double> m(mean), v(inverse);
    std::size_t i = 0;
    for (; i + width <= n; i += width) {
        const auto scaled = narrowed<T>((load_wide(from + i) - m) * v);
        test.look_at(scaled);
        std::memcpy(to + i, &scaled, sizeof scaled);
    }
    for (; i < n; ++i) {
        to[i] = static_cast<T>((static_cast<double>(from[i]) - mean) * inverse);
        test.look_at(to[i]);
    }
}

}  // namespace partita::inline PARTITA_ABI::detail
