// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cholesky's factorisation of symmetric positive definite matrices, with the column named that makes one singular.

#include <partita/core/version.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/simd/rows.hpp>
#include <partita/math/simd/triangular.hpp>
#include <partita/math/triangle.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A = L·Lᵀ for a symmetric positive definite matrix of order p, and what is solved with it.
///
/// Before factoring, A is scaled to a unit diagonal, so `tolerance` compares like with like: column j is a combination of the
/// columns before it if no more than that share of its own diagonal element remains after they are eliminated. Such a column
/// (also one of zero diagonal) is left out: its solution is 0, its row and column of the inverse are 0. Same bits on all builds
/// for one instruction set. Cost: p³/6 fused multiply-adds, p² doubles. Source: Golub and Van Loan, Matrix Computations, 4.2.
class Cholesky {
  public:
    /// `triangle` is the upper triangle row by row (`triangle_index`), p(p+1)/2 finite numbers.
    Cholesky(std::span<const double> triangle, std::size_t order, double tolerance = 1e-11)
        : order_(order),
          stride_(detail::padded_to_eight(order)),
          scale_(order),
          factor_(order * stride_),
          dropped_(order) {
        for (std::size_t j = 0; j < order_; ++j) {
            const double diagonal = triangle[triangle_index(j, j, order_)];
            scale_[j] = diagonal > 0.0 ? 1.0 / __builtin_sqrt(diagonal) : 0.0;
        }
        constexpr std::size_t tile =
            8;  // of rows of the triangle, which become columns: so rows are written by cache lines
        for (std::size_t first = 0; first < order_; first += tile) {
            for (std::size_t j = first; j < order_; ++j) {
                for (std::size_t i = first; i < first + tile && i <= j; ++i)
                    row(j)[i] = (triangle[triangle_index(i, j, order_)] * scale_[i]) * scale_[j];
            }
        }
        factor(tolerance);
    }

    std::size_t order() const { return order_; }
    /// How many columns were kept.
    std::size_t rank() const { return rank_; }
    bool full_rank() const { return rank_ == order_; }
    /// The first column that is a combination of the columns before it (or zero); -1 if there is none.
    std::int64_t first_dependent() const { return first_dependent_; }

    /// Solves A·x = b in place.
    void solve(std::span<double> b) const {
        for (std::size_t i = 0; i < order_; ++i) {
            const double rest = detail::product(b[i], scale_[i]) - detail::dot(row(i), b.data(), i);
            b[i] = dropped_[i] ? 0.0 : rest / row(i)[i];
        }
        for (std::size_t i = order_; i-- > 0;) {
            b[i] = dropped_[i] ? 0.0 : b[i] / row(i)[i];
            detail::add_scaled(row(i), -b[i], i, b.data());
        }
        for (std::size_t i = 0; i < order_; ++i) b[i] *= scale_[i];
    }

    /// The diagonal of the inverse of A, p numbers: for standard errors.
    std::vector<double> inverse_diagonal() const {
        std::vector<double> diagonal(order_, 0.0), column(order_);
        for (std::size_t j = 0; j < order_; ++j) {  // column j of the inverse of L has zeros above j
            if (dropped_[j]) continue;
            column.assign(order_, 0.0);
            column[j] = 1.0 / row(j)[j];
            double squares = detail::product(column[j], column[j]);
            for (std::size_t i = j + 1; i < order_; ++i) {
                if (dropped_[i]) continue;
                column[i] = -detail::dot(row(i) + j, column.data() + j, i - j) / row(i)[i];
                squares = fused(column[i], column[i], squares);
            }
            diagonal[j] = (squares * scale_[j]) * scale_[j];
        }
        return diagonal;
    }

  private:
    double* row(std::size_t i) { return factor_.data() + i * stride_; }
    const double* row(std::size_t i) const { return factor_.data() + i * stride_; }

    /// In panels of columns: the rows below a panel are updated by all its columns at once.
    void factor(double tolerance) {
        detail::AlignedVector<double> before(panel * stride_), columns(panel * stride_);
        for (std::size_t first = 0; first < order_; first += panel) {
            const std::size_t last = std::min(first + panel, order_), rows = order_ - first;
            detail::transposed(row(first) + first, stride_, rows, last - first, before.data() + first, stride_);
            std::fill(columns.begin(), columns.end(), 0.0);
            for (std::size_t j = first; j < last; ++j)
                factor_column(j, first, tolerance, before.data() + (j - first) * stride_, columns.data());
            detail::transposed(columns.data() + first, stride_, last - first, rows, row(first) + first, stride_);
            detail::subtract_products(factor_.data(), stride_, order_, first, last, columns.data());
        }
    }

    /// Column j of a panel that starts at `first`, from what it was `before`, which has lost the products of all earlier panels.
    /// The columns of the panel are rows of `columns`, zeros from j on.
    void factor_column(std::size_t j, std::size_t first, double tolerance, const double* before, double* columns) {
        double factors[panel];
        for (std::size_t k = 0; k < panel; ++k) factors[k] = columns[k * stride_ + j];
        double* column = columns + (j - first) * stride_;
        const std::size_t from = j / 8 * 8;
        if (j - first <= 16) {
            detail::subtract_dots<16>(before, columns, stride_, factors, from, stride_, column);
        } else {
            detail::subtract_dots<32>(before, columns, stride_, factors, from, stride_, column);
        }
        const double pivot = column[j];
        const bool drop = !(pivot > tolerance);
        dropped_[j] = drop;
        if (drop) {
            if (first_dependent_ < 0) first_dependent_ = static_cast<std::int64_t>(j);
            std::fill(column + from, column + stride_, 0.0);
            return;
        }
        ++rank_;
        const double root = __builtin_sqrt(pivot);
        for (std::size_t i = j + 1; i < order_; ++i) column[i] /= root;
        column[j] = root;
    }

    static constexpr std::size_t panel = 32;

    std::size_t order_, stride_, rank_ = 0;
    std::int64_t first_dependent_ = -1;
    std::vector<double> scale_;
    detail::AlignedVector<double> factor_;
    std::vector<unsigned char> dropped_;
};

}  // namespace partita::inline PARTITA_ABI
