// SPDX-License-Identifier: Apache-2.0
#pragma once

// Products of all pairs of columns of one block of rows: what least squares, ridge and principal components are solved from.

#include <partita/core/version.hpp>
#include <partita/math/centred_gram.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/moments.hpp>
#include <partita/math/simd/double_pair.hpp>
#include <partita/math/simd/pair_products.hpp>
#include <partita/math/simd/rows.hpp>
#include <partita/math/triangle.hpp>
#include <partita/math/weights.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// AᵀWA of one block, where A = [X y 1]: the n x p features, the target if there is one, and a column of ones; W holds the
/// weights. As pairs of doubles whose sum carries some 100 bits.
///
/// `compute` takes a block of n <= 4096 rows. Then `high()` and `low()` hold the upper triangle row by row (`triangle_index`) of
/// the matrix of order p + 2 (p + 1 without target), to be added exactly and element by element into one vector of sums over
/// all blocks; `centred_gram` makes means and centred products of that. The last column of the triangle holds Σwx, Σwy and Σw.
/// Dense products are summed around a number near the block's mean, so the pairs do not suffer from large means; sparse and
/// one-hot features are summed as they are. Returns the first cell that is NaN or infinite (column p is the target; rows of
/// weight 0 do not count), and then the sums are meaningless. Same bits on all builds for one instruction set. Cost for dense
/// features: n·p²/2 fused multiply-adds in double, one pass over X; memory 3·p² doubles.
class BlockGram {
  public:
    BlockGram(std::size_t columns, bool has_target)
        : columns_(columns),
          targets_(has_target ? 1 : 0),
          order_(columns + targets_ + 1),
          stride_(detail::padded_to_eight(order_)),
          rows_(detail::tile_rows(order_)),
          layout_(order_),
          target_at_(layout_.place(columns_)),
          ones_at_(layout_.place(order_ - 1)),
          high_(triangle_size(order_) + padding),
          low_(high_.size()),
          shift_(order_ + padding),
          differences_(order_ + padding),
          sums_(stride_ * stride_ + padding),
          pair_sums_(layout_.sums()),
          tile_(rows_ * layout_.stride) {
        if (layout_.square()) return;
        pairs_.reserve(triangle_size(order_));
        for (std::size_t i = 0; i < order_; ++i) {
            for (std::size_t j = i; j < order_; ++j)
                pairs_.push_back(static_cast<std::uint32_t>(layout_.pair(i, j).at));
        }
    }

    std::size_t order() const { return order_; }
    std::span<const double> high() const { return {high_.data(), triangle_size(order_)}; }
    std::span<const double> low() const { return {low_.data(), triangle_size(order_)}; }
    /// Adds the block to the sums of all blocks (ExactSums of triangle_size(order())). Of sparse features it visits only what
    /// their rows touched.
    template <class Sums>
    void add_to(Sums& sums) const {
        if (shifted_) {
            sums.add(high());
            sums.add(low());
            return;
        }
        for (std::size_t s = 0; s < touched_.size(); ++s) {
            const std::size_t first = s;
            while (s < touched_.size() && touched_[s]) ++s;
            if (first == s) continue;
            const std::size_t from = first * strip, to = std::min(s * strip, triangle_size(order_));
            sums.add(from, std::span(high_).subspan(from, to - from));
        }
    }

    /// `y` has n targets, or is null if there is none.
    BlockCell compute(MatrixView<const float> x, const double* y, Weights weights = {}) { return dense(x, y, weights); }
    BlockCell compute(MatrixView<const double> x, const double* y, Weights weights = {}) {
        return dense(x, y, weights);
    }

    template <class T>
    BlockCell compute(SparseView<T> x, const double* y, Weights weights = {}) {
        start_from_zero();
        for (std::size_t r = 0; r < x.rows; ++r) {
            const double w = weights[r];
            if (w == 0.0) continue;
            for (std::int64_t a = x.offsets[r]; a < x.offsets[r + 1]; ++a) {
                const auto i = static_cast<std::size_t>(x.indices[a]);
                const std::size_t row = triangle_index(i, 0, order_);
                const double v = w * static_cast<double>(x.values[a]);
                for (std::int64_t b = a; b < x.offsets[r + 1]; ++b) {
                    touch(row + static_cast<std::size_t>(x.indices[b]), v, static_cast<double>(x.values[b]));
                }
                touch_last(row, v, y, r);
            }
            touch_target(w, y, r);
        }
        if (diagonal_is_finite()) return {};
        for (std::size_t r = 0; r < x.rows; ++r) {
            if (weights[r] == 0.0) continue;
            for (std::int64_t a = x.offsets[r]; a < x.offsets[r + 1]; ++a) {
                if (!(x.values[a] - x.values[a] == T(0))) return {static_cast<std::int64_t>(r), x.indices[a]};
            }
            if (BlockCell bad = bad_target(y, r)) return bad;
        }
        return {};
    }

    BlockCell compute(OneHotView x, const double* y, Weights weights = {}) {
        start_from_zero();
        for (std::size_t r = 0; r < x.rows; ++r) {
            const double w = weights[r];
            if (w == 0.0) continue;
            if (x.codes[r] >= 0) {
                const auto i = static_cast<std::size_t>(x.codes[r]);
                const std::size_t row = triangle_index(i, 0, order_);
                touch(row + i, w, 1.0);
                touch_last(row, w, y, r);
            }
            touch_target(w, y, r);
        }
        if (diagonal_is_finite()) return {};
        for (std::size_t r = 0; r < x.rows; ++r) {
            if (weights[r] == 0.0) continue;
            if (BlockCell bad = bad_target(y, r)) return bad;
        }
        return {};
    }

  private:
    template <class T>
    BlockCell dense(MatrixView<const T> x, const double* y, Weights weights) {
        detail::provisional_means(x, weights, shift_.data());
        if (targets_)
            detail::provisional_means(MatrixView<const double>(y, x.rows(), 1), weights, shift_.data() + columns_);
        shift_[order_ - 1] = 0.0;
        shifted_ = true;
        if (find_common_values(x, weights)) {
            pass_over_differences(x, y, weights);
        } else {
            pass(x, y, weights);
        }
        if (off_centre()) {
            const double* last = sums_.data() + order_ - 1;
            const double weight = last[(order_ - 1) * stride_];
            for (std::size_t c = 0; c + 1 < order_; ++c) shift_[c] += last[c * stride_] / weight;
            pass(x, y, weights);
        }
        finish();
        if (diagonal_is_finite()) return {};
        BlockCell bad = find_non_finite(x, weights);
        for (std::size_t r = 0; targets_ && r < x.rows() && !bad; ++r) {
            if (weights[r] != 0.0) bad = bad_target(y, r);
        }
        return bad;
    }

    /// Whether most rows have the same number in most columns (one-hot columns, scaled or not). Then those numbers become the
    /// shifts, since around them only few products differ from zero. Looks at 16 rows.
    template <class T>
    bool find_common_values(MatrixView<const T> x, Weights weights) {
        constexpr std::size_t looks = 16;
        if (order_ < 64 || x.rows() < 4 * looks) return false;
        const T* rows[looks];
        for (std::size_t k = 0; k < looks; ++k) {
            const std::size_t r = k * x.rows() / looks;
            if (weights[r] == 0.0) return false;
            rows[k] = x.data() + r * x.stride();
        }
        common_.assign(shift_.begin(), shift_.end());
        std::size_t differing = looks * (targets_ + 1);
        for (std::size_t c = 0; c < columns_; ++c) {
            T candidate = rows[0][c];  // the majority's number, if there is a majority (Boyer and Moore)
            int votes = 0;
            for (const T* row : rows) {
                if (votes == 0) candidate = row[c];
                votes += row[c] == candidate ? 1 : -1;
            }
            std::size_t same = 0;
            for (const T* row : rows) same += row[c] == candidate;
            if (4 * same >= 3 * looks) common_[c] = static_cast<double>(candidate);
            differing += 4 * same >= 3 * looks ? looks - same : looks;
        }
        if (16 * differing * differing > looks * looks * order_ * order_) return false;
        std::copy(common_.begin(), common_.end(), shift_.begin());
        columns_of_row_.resize(order_);
        row_.resize(order_);
        return true;
    }

    template <class T>
    void pass_over_differences(MatrixView<const T> x, const double* y, Weights weights) {
        for (double& sum : sums_) sum = 0.0;
        for (std::size_t r = 0; r < x.rows(); ++r) {
            const double w = weights[r];
            if (w == 0.0) continue;
            std::size_t found = detail::differing_row(x.data() + r * x.stride(), shift_.data(), columns_,
                                                      columns_of_row_.data(), row_.data());
            if (targets_) {
                columns_of_row_[found] = static_cast<std::uint32_t>(columns_);
                row_[found++] = y[r] - shift_[columns_];
            }
            columns_of_row_[found] = static_cast<std::uint32_t>(order_ - 1);
            row_[found++] = 1.0;
            for (std::size_t a = 0; a < found; ++a) {
                const double v = w * row_[a];
                for (std::size_t b = a; b < found; ++b) add(columns_of_row_[a], columns_of_row_[b], v, row_[b]);
            }
        }
    }

    template <class T>
    void pass(MatrixView<const T> x, const double* y, Weights weights) {
        for (double& sum : layout_.square() ? sums_ : pair_sums_) sum = 0.0;
        for (double& cell : tile_) cell = 0.0;
        if (!weights.unit()) weighted_.resize(tile_.size());
        for (std::size_t first = 0; first < x.rows(); first += rows_) {
            const std::size_t rows = std::min(rows_, x.rows() - first);
            const double* left = fill_tile(x, y, weights, first, rows);
            const detail::Upcoming upcoming =
                detail::next_tile(x.data() + first * x.stride(), rows_, x.stride(), columns_,
                                  detail::pace_of_products(stride_, columns_ * sizeof(T)));
            if (layout_.square()) {
                detail::add_products(left, tile_.data(), rows, stride_, sums_.data(), upcoming);
            } else {
                detail::add_pair_products(layout_, left, tile_.data(), rows, pair_sums_.data(), upcoming);
            }
        }
        if (layout_.square()) return;
        std::size_t at = 0;
        for (std::size_t i = 0; i < order_; ++i) {
            for (std::size_t j = i; j < order_; ++j) sums_[i * stride_ + j] = pair_sums_[pairs_[at++]];
        }
    }

    /// Rows into the tile; returns the left factors of their products.
    template <class T>
    const double* fill_tile(MatrixView<const T> x, const double* y, Weights weights, std::size_t first,
                            std::size_t rows) {
        const std::size_t in_ring = std::min(columns_, layout_.ring), stride = layout_.stride;
        const T* from = x.data() + first * x.stride();
        double* to = tile_.data();
        detail::shifted_rows<4>(from, x.stride(), rows, shift_.data(), in_ring, to + layout_.ring_at, stride);
        detail::shifted_rows<4>(from + in_ring, x.stride(), rows, shift_.data() + in_ring, columns_ - in_ring, to,
                                stride);
        if (targets_) {
            const double target_shift = shift_[columns_];
            for (std::size_t r = 0; r < rows; ++r) to[r * stride + target_at_] = y[first + r] - target_shift;
        }
        if (first == 0 || !weights.unit()) {
            for (std::size_t r = 0; r < rows; ++r) to[r * stride + ones_at_] = 1.0;
        }
        for (std::size_t r = 0; !weights.unit() && r < rows; ++r) {
            if (weights[first + r] == 0.0) std::fill_n(to + r * stride, stride, 0.0);  // whatever the row holds
        }
        detail::close_ring(layout_, rows, to);
        if (weights.unit()) return tile_.data();
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t at = r * stride;
            detail::scaled_row(tile_.data() + at, weights[first + r], stride, weighted_.data() + at);
        }
        return weighted_.data();
    }

    bool off_centre() const {
        const double weight = sums_[(order_ - 1) * stride_ + order_ - 1];
        bool off = false;
        for (std::size_t c = 0; c + 1 < order_; ++c) {
            const double square = sums_[c * stride_ + c], sum = sums_[c * stride_ + order_ - 1];
            const double around_mean = fused(-sum / weight, sum, square);
            off = off || (square > 4.0 * around_mean && square < std::numeric_limits<double>::infinity());
        }
        return off && weight > 0.0;
    }

    /// From sums around the shifts to raw sums, in pairs: Σw(xᵢ-sᵢ)(xⱼ-sⱼ) + sᵢΣw(xⱼ-sⱼ) + sⱼΣw(xᵢ-sᵢ) + sᵢsⱼΣw.
    void finish() {
        const std::size_t ones = order_ - 1;
        const double weight = sums_[ones * stride_ + ones];
        std::size_t at = 0;
        using Pairs = detail::DoublePairs;
        using Part = Pairs::Part;
        for (std::size_t j = 0; j < order_; ++j) differences_[j] = sums_[j * stride_ + ones];
        for (std::size_t i = 0; i < order_; ++i, at += order_ - i + 1) {
            const Part zero(0.0), si(shift_[i]), di(differences_[i]);
            const Pairs weighted_shift = Pairs::product(Part(weight), si);
            // Registers reach beyond the end of a row; the next row, written later, puts that right.
            for (std::size_t j = i; j < order_; j += Part::size) {
                const Part sj = Part::load_unaligned(&shift_[j]), dj = Part::load_unaligned(&differences_[j]);
                Pairs total = {Part::load_unaligned(&sums_[i * stride_ + j]), zero};
                total = total + (Pairs::product(si, dj) + Pairs::product(sj, di));
                total = total + weighted_shift * Pairs{sj, zero};
                total.high.store_unaligned(&high_[at + j - i]);
                total.low.store_unaligned(&low_[at + j - i]);
            }
        }
    }
    /// Whether all sums of squares are finite, so that all values are.
    bool diagonal_is_finite() const {
        double zero = 0.0;
        for (std::size_t i = 0; i < order_; ++i) {
            const double sum = shifted_ ? sums_[i * stride_ + i] : high_[triangle_index(i, i, order_)];
            zero += sum - sum;
        }
        return zero == 0.0;
    }

    void start_from_zero() {
        if (shifted_ || touched_.empty()) {
            shifted_ = false;
            std::fill(high_.begin(), high_.end(), 0.0);
            std::fill(low_.begin(), low_.end(), 0.0);
            touched_.assign((triangle_size(order_) + strip - 1) / strip, 0);
        }
        for (std::size_t s = 0; s < touched_.size(); ++s) {
            if (touched_[s]) std::fill_n(high_.begin() + static_cast<std::ptrdiff_t>(s * strip), strip, 0.0);
            touched_[s] = 0;
        }
    }
    void touch(std::size_t at, double a, double b) {
        high_[at] = fused(a, b, high_[at]);
        touched_[at / strip] = 1;
    }
    /// The products with the target and with one, in the row of the triangle that starts at `row`.
    void touch_last(std::size_t row, double v, const double* y, std::size_t r) {
        if (targets_) touch(row + columns_, v, y[r]);
        touch(row + order_ - 1, v, 1.0);
    }
    void touch_target(double w, const double* y, std::size_t r) {
        if (targets_) touch_last(triangle_index(columns_, 0, order_), w * y[r], y, r);
        touch(triangle_size(order_) - 1, w, 1.0);
    }
    void add(std::size_t i, std::size_t j, double a, double b) {
        double& sum = sums_[i * stride_ + j];
        sum = fused(a, b, sum);
    }
    BlockCell bad_target(const double* y, std::size_t r) const {
        if (targets_ && !(y[r] - y[r] == 0.0))
            return {static_cast<std::int64_t>(r), static_cast<std::int64_t>(columns_)};
        return {};
    }

    static constexpr std::size_t padding = 64;  // what registers and the last strip may touch beyond the end
    static constexpr std::size_t strip = 64;    // elements of the triangle that are visited together

    std::size_t columns_, targets_, order_, stride_, rows_;
    detail::PairLayout layout_;
    std::size_t target_at_, ones_at_;
    bool shifted_ = false;
    std::vector<double> high_, low_;
    detail::AlignedVector<double> shift_, differences_, sums_, pair_sums_, tile_, weighted_, common_, row_;
    std::vector<std::uint32_t> columns_of_row_, pairs_;
    std::vector<std::uint8_t> touched_;  // of each strip, whether a sparse block has something there
};

}  // namespace partita::inline PARTITA_ABI
