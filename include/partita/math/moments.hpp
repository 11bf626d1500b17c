// SPDX-License-Identifier: Apache-2.0
#pragma once

// Moments of the columns of one block of rows.

#include <partita/core/version.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/simd/column_sums.hpp>
#include <partita/math/weights.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A cell of a block: its row within the block and its column. Negative where there is none.
struct BlockCell {
    std::int64_t row = -1, column = -1;

    explicit operator bool() const { return row >= 0; }
};

/// The first number, row by row, that is NaN or infinite in a row of positive weight.
template <class T>
BlockCell find_non_finite(MatrixView<const T> x, Weights weights = {}) {
    for (std::size_t r = 0; r < x.rows(); ++r) {
        if (weights[r] == 0.0) continue;
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const T v = x[r][c];
            if (!(v - v == T(0))) return {static_cast<std::int64_t>(r), static_cast<std::int64_t>(c)};
        }
    }
    return {};
}

namespace detail {

/// A number for each column to subtract before squares are summed: the mean of up to 16 rows spread over the block.
template <class T>
void provisional_means(MatrixView<const T> x, Weights weights, double* shift) {
    const std::size_t n = x.rows(), p = x.columns();
    double count = 0;
    for (std::size_t c = 0; c < p; ++c) shift[c] = 0.0;
    for (std::size_t k = 0; k < 16 && k < n; ++k) {
        const std::size_t r = n <= 16 ? k : k * n / 16;
        if (weights[r] == 0.0) continue;
        const T* row = x.data() + r * x.stride();
        for (std::size_t c = 0; c < p; ++c) shift[c] += static_cast<double>(row[c]);
        count += 1.0;
    }
    if (count > 0) {
        for (std::size_t c = 0; c < p; ++c) shift[c] /= count;
    }
}

/// The sum of the weights of n rows, along a fixed order.
inline double sum_of_weights(Weights weights, std::size_t n) {
    if (weights.unit()) return static_cast<double>(n);
    double lane[16] = {};
    for (std::size_t r = 0; r < n; ++r) lane[r % 16] += weights[r];
    fold_phases(lane, 16, 1);
    return lane[0];
}

}  // namespace detail

/// Σw, Σwx and Σwx² of each column of a block, as pairs of doubles whose sum carries some 100 bits.
///
/// `compute` takes a block of n <= 4096 rows of p columns. Then `high()` and `low()` hold 2p + 1 numbers each, to be added
/// exactly and element by element into one vector of sums over all blocks: Σw, then p times Σwx, then p times Σwx². In the end
/// `moments_of` makes mean and centred squares of them. Squares are summed around a number near the block's mean, so the pairs
/// do not suffer from large means. Returns the first cell that is NaN or infinite (rows of weight 0 do not count), and then
/// the sums are meaningless. Same bits on all builds for one instruction set. Cost: one pass at the speed of memory.
class BlockMoments {
  public:
    explicit BlockMoments(std::size_t columns)
        : columns_(columns),
          phases_(detail::phases_for(columns)),
          high_(2 * columns + 1),
          low_(2 * columns + 1),
          shift_(phases_ * columns),
          sum_(phases_ * columns),
          square_(phases_ * columns) {}

    BlockCell compute(MatrixView<const float> x, Weights weights = {}) { return run(x, weights); }
    BlockCell compute(MatrixView<const double> x, Weights weights = {}) { return run(x, weights); }

    std::size_t columns() const { return columns_; }
    std::span<const double> high() const { return high_; }
    std::span<const double> low() const { return low_; }

  private:
    template <class T>
    BlockCell run(MatrixView<const T> x, Weights weights) {
        detail::provisional_means(x, weights, shift_.data());
        const double weight = detail::sum_of_weights(weights, x.rows());
        pass(x, weights);
        if (off_centre(weight)) {
            for (std::size_t c = 0; c < columns_; ++c) shift_[c] += sum_[c] / weight;
            pass(x, weights);
        }
        return finish(weight) ? BlockCell{} : find_non_finite(x, weights);
    }

    template <class T>
    void pass(MatrixView<const T> x, Weights weights) {
        const std::size_t lanes = phases_ * columns_;
        for (std::size_t k = columns_; k < lanes; ++k) shift_[k] = shift_[k - columns_];
        for (std::size_t k = 0; k < lanes; ++k) sum_[k] = square_[k] = 0.0;
        if (!weights.unit()) {
            for (std::size_t r = 0; r < x.rows(); ++r) {
                if (weights[r] == 0.0) continue;
                const std::size_t at = r % phases_ * columns_;
                detail::add_weighted_deviations(x.data() + r * x.stride(), weights[r], columns_, shift_.data() + at,
                                                sum_.data() + at, square_.data() + at);
            }
        } else {
            unit_pass(x);
        }
        detail::fold_phases(sum_.data(), phases_, columns_);
        detail::fold_phases(square_.data(), phases_, columns_);
    }

    template <class T>
    void unit_pass(MatrixView<const T> x) {
        const std::size_t groups = x.rows() / phases_, rest = x.rows() % phases_, stride = x.stride() * phases_;
        if (x.stride() == columns_) {
            for (std::size_t g = 0; g < groups; g += groups_at_once) {
                add(x.data() + g * stride, stride, std::min(groups_at_once, groups - g), stride, 0);
            }
            add(x.data() + groups * stride, 0, 1, rest * columns_, 0);
        } else {
            for (std::size_t g = 0; g < groups; g += groups_at_once) {
                for (std::size_t f = 0; f < phases_; ++f) {
                    add(x.data() + g * stride + f * x.stride(), stride, std::min(groups_at_once, groups - g), columns_,
                        f * columns_);
                }
            }
            for (std::size_t f = 0; f < rest; ++f) {
                add(x.data() + groups * stride + f * x.stride(), 0, 1, columns_, f * columns_);
            }
        }
    }

    template <class T>
    void add(const T* x, std::size_t stride, std::size_t groups, std::size_t count, std::size_t at) {
        detail::add_deviations(x, stride, groups, count, shift_.data() + at, sum_.data() + at, square_.data() + at);
    }

    /// Whether the shift of some column lies so far from its mean that squares around it lose digits.
    bool off_centre(double weight) const {
        bool off = false;
        for (std::size_t c = 0; c < columns_; ++c) {
            const double around_mean = fused(-sum_[c] / weight, sum_[c], square_[c]);
            off = off || (square_[c] > 4.0 * around_mean && square_[c] < std::numeric_limits<double>::infinity());
        }
        return off && weight > 0.0;
    }

    /// Makes the pairs; false if a sum is not finite.
    bool finish(double weight) {
        high_[0] = weight;
        low_[0] = 0.0;
        double finite = 0.0;
        for (std::size_t c = 0; c < columns_; ++c) {
            const double s = shift_[c], d = sum_[c];
            const DoublePair total = DoublePair::product(weight, s) + DoublePair{d, 0.0};
            const DoublePair cross = DoublePair::product(s, d);
            const DoublePair squares = DoublePair::product(s, s) * DoublePair{weight, 0.0} +
                                       (DoublePair{2.0 * cross.high, 2.0 * cross.low} + DoublePair{square_[c], 0.0});
            high_[1 + c] = total.high;
            low_[1 + c] = total.low;
            high_[1 + columns_ + c] = squares.high;
            low_[1 + columns_ + c] = squares.low;
            finite += square_[c] - square_[c];
        }
        return finite == 0.0;
    }

    static constexpr std::size_t groups_at_once = 8;

    std::size_t columns_, phases_;
    std::vector<double> high_, low_;
    detail::AlignedVector<double> shift_, sum_, square_;
};

/// What the sums of one column over all rows say.
struct Moments {
    double weight = 0.0;           ///< Σw
    double mean = 0.0;             ///< Σwx / Σw
    double centred_squares = 0.0;  ///< Σw(x - mean)²: over Σw it is the variance, over Σw - 1 the unbiased one
};

/// Mean and centred squares from Σw, Σwx and Σwx² over all rows, the latter two as pairs: read an exact sum as `high`, its
/// rounded value, and `low`, what it has beyond. What is too small against Σwx² to be told from zero (2^-96) is zero.
inline Moments moments_of(double weight, DoublePair sum, DoublePair squares) {
    if (!(weight > 0.0)) return {};
    const DoublePair mean = sum / weight;
    const DoublePair centred = squares - (sum * sum) / weight;
    const bool resolved = centred.high > squares.high * 0x1p-96;
    return {weight, mean.high, resolved ? centred.high : 0.0};
}

}  // namespace partita::inline PARTITA_ABI
