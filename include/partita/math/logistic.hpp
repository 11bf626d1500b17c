// SPDX-License-Identifier: Apache-2.0
#pragma once

// The logistic loss of one block of rows, with gradient and Hessian. All sums are block sums in double, to be added exactly
// over the blocks; everything here gives the same bits on all builds for one instruction set.

#include <partita/core/version.hpp>
#include <partita/math/gram.hpp>
#include <partita/math/matrix_view.hpp>
#include <partita/math/simd/linear_tiles.hpp>
#include <partita/math/weights.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

// ---- from margins to losses --------------------------------------------------------------------------------------------

/// Σ w·loss over a block, and per row the weighted derivatives of the loss by the margin z.
///
/// loss = log(1 + exp(z)) - y·z for labels y of 0 or 1 (or a probability in between); `residuals` becomes w·(σ(z) - y),
/// `curvatures`, if asked for, w·σ(z)(1 - σ(z)). All have n elements. Rows of weight 0 give zeros. Relative error of each loss
/// 1e-15, for either label. A margin that is not finite gives a loss that is not.
inline double logistic_terms(std::span<const double> margins, std::span<const double> labels, Weights weights,
                             double* residuals, double* curvatures) {
    using detail::Lanes8;
    const std::size_t n = margins.size();
    Lanes8 total;
    for (std::size_t r = 0; r < n; r += 8) {
        const bool whole = r + 8 <= n;
        const auto from = [&](const double* x) { return whole ? Lanes8::load(x + r) : Lanes8::load(x + r, n - r); };
        const Lanes8 z = from(margins.data()), y = from(labels.data());
        const auto terms = detail::logistic_lanes(z, y);
        Lanes8 w(1.0);
        if (!weights.unit()) w = from(weights.data());
        else if (!whole) w = Lanes8::load(detail::ones_then_zeros + 8 - (n - r));
        const auto counts = Lanes8(0.0) < w;
        const Lanes8 zero;
        total = select(counts, fused(w, terms.loss, total), total);
        const Lanes8 residual = select(counts, w * terms.residual, zero);
        whole ? residual.store(residuals + r) : residual.store(residuals + r, n - r);
        if (curvatures) {
            const Lanes8 curvature = select(counts, w * terms.curvature, zero);
            whole ? curvature.store(curvatures + r) : curvature.store(curvatures + r, n - r);
        }
    }
    return sum(total);
}

// ---- dense features ----------------------------------------------------------------------------------------------------

/// The logistic loss of one block of dense rows, in one pass over X.
///
/// X is n x p, n <= 4096, row-major, float or double; everything is computed in double. With an intercept there are m = p + 1
/// coefficients, the intercept last; without m = p. Rows of weight 0 are skipped. Memory: a tile of 64 rows.
class LogisticBlock {
  public:
    LogisticBlock(std::size_t columns, bool intercept)
        : columns_(columns),
          intercept_(intercept),
          size_(columns + (intercept ? 1 : 0)),
          stride_(detail::padded_to_eight(size_)),
          rows_(detail::tile_rows(size_)),
          tile_(rows_ * stride_),
          coefficients_(stride_),
          gradient_(stride_),
          labels_(rows_),
          weights_(rows_),
          margins_(rows_),
          residuals_(rows_),
          curvatures_(rows_) {}

    std::size_t size() const { return size_; }

    /// Σ w·loss at `coefficients` (m). Fills `gradient` (m) with Σ w(σ - y)x and `hessian`, unless empty, with the upper triangle
    /// row by row of Σ wσ(1-σ)xxᵀ (m(m+1)/2).
    /// Cost: 2·n·m fused multiply-adds, and n·m²/2 for the Hessian.
    double compute(MatrixView<const float> x, std::span<const double> labels, Weights weights,
                   std::span<const double> coefficients, std::span<double> gradient, std::span<double> hessian) {
        return run(x, labels, weights, coefficients, gradient, hessian);
    }
    double compute(MatrixView<const double> x, std::span<const double> labels, Weights weights,
                   std::span<const double> coefficients, std::span<double> gradient, std::span<double> hessian) {
        return run(x, labels, weights, coefficients, gradient, hessian);
    }

  private:
    /// Rows first … of x as the tile: padded to a multiple of eight rows, zero where the weight is. Returns that multiple.
    template <class T>
    std::size_t load(MatrixView<const T> x, Weights weights, std::size_t first, std::size_t rows) {
        for (std::size_t r = 0; r < rows; ++r) {
            double* to = tile_.data() + r * stride_;
            const T* from = x.data() + (first + r) * x.stride();
            if (weights[first + r] == 0.0) {
                std::fill_n(to, size_, 0.0);
            } else {
                detail::widened_row(from, columns_, to);
                if (intercept_) to[columns_] = 1.0;
            }
        }
        const std::size_t padded = detail::padded_to_eight(rows);
        std::fill_n(tile_.data() + rows * stride_, (padded - rows) * stride_, 0.0);
        return padded;
    }

    template <class T>
    double run(MatrixView<const T> x, std::span<const double> labels, Weights weights,
               std::span<const double> coefficients, std::span<double> gradient, std::span<double> hessian) {
        std::copy_n(coefficients.data(), size_, coefficients_.data());
        std::fill(gradient_.begin(), gradient_.end(), 0.0);
        if (!hessian.empty()) {
            products_.assign(stride_ * stride_, 0.0);
            weighted_.resize(tile_.size());
        }
        detail::Lanes8 loss;
        for (std::size_t first = 0; first < x.rows(); first += rows_) {
            const std::size_t rows = std::min(rows_, x.rows() - first), padded = load(x, weights, first, rows);
            detail::Upcoming upcoming =
                detail::next_tile(x.data() + first * x.stride(), rows_, x.stride(), columns_, 1);
            detail::margins_of_tile(tile_.data(), padded, stride_, coefficients_.data(), margins_.data());
            loss = terms(labels, weights, first, rows, padded, loss, upcoming);
            detail::add_gradient_of_tile(tile_.data(), padded, stride_, residuals_.data(), gradient_.data());
            if (!hessian.empty()) {
                for (std::size_t r = 0; r < rows; ++r) {
                    detail::scaled_row(tile_.data() + r * stride_, curvatures_[r], stride_,
                                       weighted_.data() + r * stride_);
                }
                detail::add_products(weighted_.data(), tile_.data(), rows, stride_, products_.data(),
                                     detail::Upcoming{});
            }
        }
        std::copy_n(gradient_.data(), size_, gradient.data());
        if (!hessian.empty()) {
            for (std::size_t i = 0, at = 0; i < size_; ++i) {
                for (std::size_t j = i; j < size_; ++j, ++at) hessian[at] = products_[i * stride_ + j];
            }
        }
        return sum(loss);
    }

    /// Losses, residuals and curvatures of a tile; row r of the block adds to lane r mod 8, as in logistic_terms.
    detail::Lanes8 terms(std::span<const double> labels, Weights weights, std::size_t first, std::size_t rows,
                         std::size_t padded, detail::Lanes8 loss, detail::Upcoming& upcoming) {
        using detail::Lanes8;
        const double* y = labels.data() + first;
        const double* w = weights.unit() ? nullptr : weights.data() + first;
        if (rows != padded) {
            std::copy_n(y, rows, labels_.data());
            std::fill(labels_.begin() + static_cast<std::ptrdiff_t>(rows), labels_.end(), 0.0);
            for (std::size_t r = 0; r < rows_; ++r) weights_[r] = r < rows ? weights[first + r] : 0.0;
            y = labels_.data();
            w = weights_.data();
        }
        const Lanes8 zero;
        for (std::size_t r = 0; r < padded; r += 8) {
            for (std::size_t k = 0; k < columns_; k += 2) upcoming.ask();  // eight rows of float are columns / 2 lines
            const auto part = detail::logistic_lanes(Lanes8::load(margins_.data() + r), Lanes8::load(y + r));
            if (!w) {
                loss = loss + part.loss;
                part.residual.store(residuals_.data() + r);
                part.curvature.store(curvatures_.data() + r);
            } else {
                const Lanes8 weight = Lanes8::load(w + r);
                const auto counts = zero < weight;
                loss = select(counts, fused(weight, part.loss, loss), loss);
                select(counts, weight * part.residual, zero).store(residuals_.data() + r);
                select(counts, weight * part.curvature, zero).store(curvatures_.data() + r);
            }
        }
        return loss;
    }

    std::size_t columns_;
    bool intercept_;
    std::size_t size_, stride_, rows_;
    detail::AlignedVector<double> tile_, coefficients_, gradient_, labels_, weights_, margins_, residuals_, curvatures_;
    detail::AlignedVector<double> weighted_, products_;
};

// ---- sparse and one-hot features ---------------------------------------------------------------------------------------

/// gradient += Xᵀ·residuals (p), row after row; the intercept's element is the sum of the residuals.
template <class T>
void add_block_gradient(SparseView<T> x, std::span<const double> residuals, std::span<double> gradient) {
    for (std::size_t r = 0; r < x.rows; ++r) {
        if (residuals[r] == 0.0) continue;
        for (std::int64_t a = x.offsets[r]; a < x.offsets[r + 1]; ++a) {
            double& g = gradient[static_cast<std::size_t>(x.indices[a])];
            g = fused(static_cast<double>(x.values[a]), residuals[r], g);
        }
    }
}

/// The same into integers of unit 1/scale: exact whatever the order of rows and blocks, for gradients longer than a block has
/// entries. `scale` is a power of two, chosen before the pass so that scale · Σ|x·r| stays below 2^62 and scale · |x·r| below
/// 2^51 for every entry. Each term is rounded once.
template <class T>
void add_block_gradient(SparseView<T> x, std::span<const double> residuals, double scale,
                        std::span<std::int64_t> gradient) {
    constexpr double shifter = 0x1.8p+52;
    for (std::size_t r = 0; r < x.rows; ++r) {
        const double residual = residuals[r];
        if (residual == 0.0) continue;
        for (std::int64_t a = x.offsets[r]; a < x.offsets[r + 1]; ++a) {
            const double term = fused(static_cast<double>(x.values[a]) * residual, scale, shifter);
            gradient[static_cast<std::size_t>(x.indices[a])] +=
                std::bit_cast<std::int64_t>(term) - std::bit_cast<std::int64_t>(shifter);
        }
    }
}

/// hessian += Σ curvature·xxᵀ: the upper triangle row by row, of order p + 1 with the intercept last, or p without.
template <class T>
void add_block_hessian(SparseView<T> x, std::span<const double> curvatures, bool intercept, std::span<double> hessian) {
    const std::size_t order = x.columns + (intercept ? 1 : 0);
    for (std::size_t r = 0; r < x.rows; ++r) {
        if (curvatures[r] == 0.0) continue;
        for (std::int64_t a = x.offsets[r]; a < x.offsets[r + 1]; ++a) {
            const auto i = static_cast<std::size_t>(x.indices[a]);
            const double scaled = curvatures[r] * static_cast<double>(x.values[a]);
            for (std::int64_t b = a; b < x.offsets[r + 1]; ++b) {
                double& h = hessian[triangle_index(i, static_cast<std::size_t>(x.indices[b]), order)];
                h = fused(scaled, static_cast<double>(x.values[b]), h);
            }
            if (intercept) {
                double& h = hessian[triangle_index(i, x.columns, order)];
                h = fused(curvatures[r], static_cast<double>(x.values[a]), h);
            }
        }
        if (intercept) hessian[triangle_index(x.columns, x.columns, order)] += curvatures[r];
    }
}

}  // namespace partita::inline PARTITA_ABI
