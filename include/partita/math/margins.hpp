// SPDX-License-Identifier: Apache-2.0
#pragma once

// What rows of features give for a vector of coefficients.

#include <partita/core/version.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/simd/lanes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::inline PARTITA_ABI {

/// margins[r] = x_r·w + intercept for n dense rows of p features, in double.
///
/// Determinism: the same bits for a row whether it stands alone or in a block, on all builds for one instruction set: lane l of
/// eight takes the columns l, l + 8, …
template <class T>
void block_margins(MatrixView<const T> x, std::span<const double> coefficients, double intercept,
                   std::span<double> margins) {
    using Lanes8 = Lanes<double, 8>;
    const std::size_t p = x.columns(), whole = p - p % 8;
    const double* w = coefficients.data();
    const Lanes8 last = p == whole ? Lanes8() : Lanes8::load(w + whole, p - whole);
    for (std::size_t r = 0; r < x.rows(); ++r) {
        const T* row = x.data() + r * x.stride();
        Lanes8 dot;
        for (std::size_t c = 0; c < whole; c += 8) dot = fused(Lanes8::load(row + c), Lanes8::load(w + c), dot);
        if (p != whole) dot = fused(Lanes8::load(row + whole, p - whole), last, dot);
        margins[r] = sum(dot) + intercept;
    }
}

/// margins[r] = x_r·w + intercept: even entries of the row, odd entries, then both and the intercept.
template <class T>
void block_margins(SparseView<T> x, std::span<const double> coefficients, double intercept, std::span<double> margins) {
    for (std::size_t r = 0; r < x.rows; ++r) {
        double even = 0.0, odd = 0.0;
        std::int64_t a = x.offsets[r];
        const std::int64_t end = x.offsets[r + 1];
        const auto w = [&](std::int64_t k) { return coefficients[static_cast<std::size_t>(x.indices[k])]; };
        for (; a + 1 < end; a += 2) {
            even = fused(static_cast<double>(x.values[a]), w(a), even);
            odd = fused(static_cast<double>(x.values[a + 1]), w(a + 1), odd);
        }
        if (a < end) even = fused(static_cast<double>(x.values[a]), w(a), even);
        margins[r] = (even + odd) + intercept;
    }
}
inline void block_margins(OneHotView x, std::span<const double> coefficients, double intercept,
                          std::span<double> margins) {
    for (std::size_t r = 0; r < x.rows; ++r) {
        margins[r] = x.codes[r] < 0 ? intercept : coefficients[static_cast<std::size_t>(x.codes[r])] + intercept;
    }
}

}  // namespace partita::inline PARTITA_ABI
