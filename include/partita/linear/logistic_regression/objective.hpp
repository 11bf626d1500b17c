// SPDX-License-Identifier: Apache-2.0
#pragma once

// The objective of a logistic regression: one pass per evaluation.

#include <partita/linear/linear_features.hpp>
#include <partita/linear/logistic_regression/plan.hpp>
#include <partita/math/cholesky.hpp>
#include <partita/math/elementary.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/fixed_sums.hpp>
#include <partita/math/logistic.hpp>
#include <partita/math/margins.hpp>
#include <partita/math/moments.hpp>
#include <partita/math/scratch.hpp>
#include <partita/math/triangle.hpp>

#include <boost/describe/class.hpp>

#include <bit>
#include <cmath>

namespace partita::inline PARTITA_ABI::detail {

/// Features as the kernels take them: dense as they are, one-hot as sparse rows of ones.
template <class T>
MatrixView<T> as_kernel_features(MatrixView<T> x, std::vector<std::int64_t>&, std::vector<std::int32_t>&,
                                 std::vector<float>&) {
    return x;
}
template <class T>
SparseView<T> as_kernel_features(const SparseView<T>& x, std::vector<std::int64_t>&, std::vector<std::int32_t>&,
                                 std::vector<float>&) {
    return x;
}
inline SparseView<float> as_kernel_features(const OneHotView& x, std::vector<std::int64_t>& offsets,
                                            std::vector<std::int32_t>& indices, std::vector<float>& ones) {
    offsets.assign(1, 0);
    indices.clear();
    for (std::size_t row = 0; row < x.rows; ++row) {
        if (x.codes[row] >= 0) indices.push_back(x.codes[row]);
        offsets.push_back(static_cast<std::int64_t>(indices.size()));
    }
    ones.assign(indices.size(), 1.0f);
    return {offsets.data(), indices.data(), ones.data(), x.rows, x.columns};
}

/// What the first pass over the features finds: their scales and sizes.
class ScalesSummary {
  public:
    FeatureWidth width;
    ExactSums moments;  ///< Σw, Σwx of each feature, Σwx² of each
    Max<double> largest_value, largest_weight;

    template <class T>
    void update(MatrixView<const T> x, Weights weights, std::string_view column) {
        if (x.rows() == 0 || !takes(x.columns())) return;
        BlockMoments block(x.columns());
        const BlockCell bad = block.compute(x, weights);
        if (bad) refuse_features(column, "the features", bad.row, bad.column);
        moments.add(block.high());
        moments.add(block.low());
    }
    template <class T>
    void update(const SparseView<T>& x, Weights weights, std::string_view column) {
        if (x.rows == 0 || !takes(x.columns)) return;
        double weight = 0, largest = 0, heaviest = 0;
        for (std::size_t row = 0; row < x.rows; ++row) {
            const double w = weights[row];
            if (w == 0) continue;
            weight += w;
            heaviest = std::max(heaviest, w);
            for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) {
                const auto at = static_cast<std::size_t>(x.indices[k]);
                const double value = static_cast<double>(x.values[k]);
                if (!(value - value == 0))
                    refuse_features(column, "the features", static_cast<std::int64_t>(row), x.indices[k]);
                largest = std::max(largest, std::abs(value));
                if (sums_.size() < 2 * x.columns) sums_.resize(2 * x.columns);
                sums_[at] = fused(w, value, sums_[at]);
                sums_[x.columns + at] = fused(w * value, value, sums_[x.columns + at]);
            }
        }
        moments.add(0, weight);
        if (!sums_.empty()) moments.add(1, sums_);
        std::fill(sums_.begin(), sums_.end(), 0.0);
        largest_value.add(largest);
        largest_weight.add(heaviest);
    }

  private:
    BOOST_DESCRIBE_CLASS(ScalesSummary, (), (width, moments, largest_value, largest_weight), (), ())

    bool takes(std::size_t columns) {
        if (!width.add(columns)) return false;
        if (moments.size() == 0) moments.resize(2 * columns + 1);
        return true;
    }
    std::vector<double> sums_;
};

/// The sums of one evaluation: loss, gradient and, if asked for, the Hessian's triangle.
class EvaluationSums {
  public:
    ExactSums sums;
    FixedSums wide;  ///< the gradient of sparse features where it is longer than sums can be

    struct Task {
        std::span<const double> coefficients;  ///< the intercept last, if there is one
        std::size_t columns = 0;
        bool intercept = false, hessian = false;
        double wide_scale = 0;  ///< units of the wide gradient, or 0
    };
    EvaluationSums() = default;
    explicit EvaluationSums(const Task& task)
        : task_(task),
          sums_size_(1 + (task.wide_scale > 0 ? (task.intercept ? 1 : 0) : size()) +
                     (task.hessian ? triangle_size(size()) : 0) + 1) {
        sums.resize(sums_size_);
        if (task.wide_scale > 0) wide = FixedSums(task.columns);
    }

    template <class T>
    void update(MatrixView<const T> x, std::span<const std::uint8_t> labels, Weights weights) {
        labels_.assign(labels.begin(), labels.end());
        LogisticBlock& kernel = kernel_.get(task_.columns, task_.intercept);
        block_.assign(sums_size_, 0.0);
        const std::span<double> gradient(block_.data() + 1, size()),
            hessian(block_.data() + 1 + size(), task_.hessian ? triangle_size(size()) : 0);
        block_[0] = kernel.compute(x, labels_, weights, task_.coefficients, gradient, hessian);
        block_.back() = sum_of_weights(weights, x.rows());
        sums.add(block_);
    }
    template <class T>
    void update(const SparseView<T>& x, std::span<const std::uint8_t> labels, Weights weights) {
        labels_.assign(labels.begin(), labels.end());
        const std::size_t n = x.rows, p = task_.columns;
        margins_.resize(n);
        residuals_.resize(n);
        curvatures_.resize(n);
        block_margins(x, task_.coefficients.first(p), task_.intercept ? task_.coefficients[p] : 0.0, margins_);
        block_.assign(sums_size_, 0.0);
        block_[0] =
            logistic_terms(margins_, labels_, weights, residuals_.data(), task_.hessian ? curvatures_.data() : nullptr);
        const std::size_t narrow = task_.wide_scale > 0 ? 0 : p;
        if (narrow > 0) {
            add_block_gradient(x, residuals_, std::span<double>(block_.data() + 1, p));
        } else if (p > 0) {
            add_block_gradient(x, residuals_, task_.wide_scale, wide.sums());
        }
        if (task_.intercept) {
            double total = 0;
            for (double residual : residuals_) total += residual;
            block_[1 + narrow] = total;
        }
        if (task_.hessian)
            add_block_hessian(
                x, curvatures_, task_.intercept,
                std::span<double>(block_.data() + (sums_size_ - 1 - triangle_size(size())), triangle_size(size())));
        block_.back() = sum_of_weights(weights, n);
        sums.add(block_);
    }

    double value() const { return sums.value(0); }
    double weight() const { return sums.value(sums_size_ - 1); }
    /// Element i of the gradient, the intercept's last.
    double gradient(std::size_t i) const {
        if (task_.wide_scale == 0) return sums.value(1 + i);
        return i < task_.columns ? static_cast<double>(wide.sums()[i]) / task_.wide_scale : sums.value(1);
    }
    double hessian(std::size_t at) const { return sums.value(sums_size_ - 1 - triangle_size(size()) + at); }

  private:
    BOOST_DESCRIBE_CLASS(EvaluationSums, (), (sums, wide), (), ())

    std::size_t size() const { return task_.columns + (task_.intercept ? 1 : 0); }

    Task task_;
    std::size_t sums_size_ = 0;
    Scratch<LogisticBlock> kernel_;
    std::vector<double> block_, labels_, margins_, residuals_, curvatures_;
};

/// The objective in scaled coefficients c_j = s_j·b_j, so that steps and tolerances mean the same for every feature.
template <class Rows, class Labels>
class LogisticObjective {
  public:
    LogisticObjective(Rows& rows, const Labels& labels, const LogisticPlan& plan)
        : rows_(rows), labels_(labels), plan_(plan) {
        find_scales();
    }

    std::size_t size() const { return columns_ + (plan_.fit_intercept ? 1 : 0); }
    bool use_newton() const { return static_cast<std::int64_t>(size()) <= plan_.newton_limit; }

    std::vector<double> start() const {
        std::vector<double> point(size(), 0.0);
        const double share = labels_.class_weights[1] / (labels_.class_weights[0] + labels_.class_weights[1]);
        if (plan_.fit_intercept) point.back() = plan_.balanced ? 0.0 : log(share) - log1p(-share);
        return point;
    }

    double operator()(std::span<const double> point, std::span<double> gradient, std::span<double> hessian) {
        return evaluate(point, gradient, hessian, 1, 0);
    }
    double operator()(std::span<const double> point, std::span<double> gradient) {
        return (*this)(point, gradient, {});
    }

    /// How many times fewer rows still tell roughly where the minimum is; 1 where there are too few to leave any out.
    std::int64_t sample_every() {
        const std::int64_t enough = 512 * static_cast<std::int64_t>(size()),
                           every = std::min<std::int64_t>(16, rows_.count() / enough);
        return every < 4 ? 1 : every;
    }

    /// The objective over the blocks whose id leaves `rest` when divided by `every`.
    double evaluate(std::span<const double> point, std::span<double> gradient, std::span<double> hessian,
                    std::int64_t every, std::int64_t rest) {
        EvaluationSums::Task task;
        const auto raw = unscaled(point);
        task.coefficients = raw;
        task.columns = columns_;
        task.intercept = plan_.fit_intercept;
        task.hessian = !hessian.empty();
        task.wide_scale = wide_scale_;
        const auto sums =
            rows_.aggregate_sample(EvaluationSums(task), every, rest,
                                   [&](EvaluationSums& state, std::size_t index, const auto& x, const auto&, Weights) {
                                       std::vector<std::int64_t> offsets;
                                       std::vector<std::int32_t> indices;
                                       std::vector<float> ones;
                                       state.update(as_kernel_features(x, offsets, indices, ones),
                                                    labels_.values[index], labels_.weights_of(index));
                                   });
        const double weight = sums.weight();
        double value = sums.value() / weight;
        for (std::size_t i = 0; i < size(); ++i) {
            gradient[i] = sums.gradient(i) / (weight * scale(i));
            if (i == columns_) continue;
            const double penalty = plan_.l2 * penalty_[i];
            value = fused(0.5 * penalty * point[i], point[i], value);
            gradient[i] = fused(penalty, point[i], gradient[i]);
        }
        if (!hessian.empty()) {
            for (std::size_t i = 0, at = 0; i < size(); ++i)
                for (std::size_t j = i; j < size(); ++j, ++at)
                    hessian[at] = sums.hessian(at) / (weight * (scale(i) * scale(j)));
            for (std::size_t i = 0; i < columns_; ++i) {
                double& diagonal = hessian[triangle_index(i, i, size())];
                diagonal = fused(plan_.l2, penalty_[i], diagonal);
            }
            if (every == 1 && !checked_) refuse_collinear(hessian);
        }
        if (every == 1) rows_.session().progress().advance(1);
        return value;
    }

    /// Goes on with a descent that has seen the first Hessian and found no column to be a combination of others.
    void has_been_checked() { checked_ = true; }

    /// Coefficients of the features as they are.
    std::vector<double> unscaled(std::span<const double> point) const {
        std::vector<double> raw(point.begin(), point.end());
        for (std::size_t i = 0; i < columns_; ++i) raw[i] /= scales_[i];
        return raw;
    }
    std::size_t columns() const { return columns_; }

  private:
    double scale(std::size_t i) const { return i < columns_ ? scales_[i] : 1.0; }

    void find_scales() {
        const auto found = rows_.aggregate_indexed(
            ScalesSummary(), [&](ScalesSummary& state, std::size_t index, const auto& x, const auto&, Weights) {
                std::vector<std::int64_t> offsets;
                std::vector<std::int32_t> indices;
                std::vector<float> ones;
                state.update(as_kernel_features(x, offsets, indices, ones), labels_.weights_of(index), plan_.features);
            });
        columns_ = found.width.agreed(plan_.features);
        weight_ = found.moments.value(0);
        scales_.assign(columns_, 1.0);
        penalty_.assign(columns_, 1.0);
        for (std::size_t i = 0; i < columns_; ++i) {
            const DoublePair sum = found.moments.value2(1 + i), squares = found.moments.value2(1 + columns_ + i);
            if (!(sum.high - sum.high == 0 && squares.high - squares.high == 0)) {
                Place place;
                place.column = std::string(plan_.features);
                place.element = static_cast<std::int64_t>(i);
                throw NumericOverflow(
                    "the squares of element " + std::to_string(i) + " of the features \"" + place.column +
                        "\" sum to more than a double holds; scale them, by StandardScale for instance",
                    place);
            }
            const Moments moments = moments_of(weight_, sum, squares);
            const double deviation = __builtin_sqrt(moments.centred_squares / (weight_ > 1 ? weight_ - 1 : weight_));
            if (deviation > 0) scales_[i] = deviation;
            if (!plan_.standardize) penalty_[i] = 1.0 / (scales_[i] * scales_[i]);
        }
        if (found.largest_value.value() && columns_ > narrow_gradient) {
            const double value = std::max(*found.largest_value.value(), 0x1p-500),
                         heaviest = std::max(*found.largest_weight.value(), 0x1p-500);
            if (!(value * heaviest * 0x1p11 < 0x1p1000 && value * weight_ < 0x1p1000))
                throw NumericOverflow("the features \"" + std::string(plan_.features) +
                                          "\" and their weights are too large to sum; scale them",
                                      Place{.column = std::string(plan_.features)});
            const int bits = std::ilogb(std::max(value * heaviest * 0x1p11, value * weight_)) +
                             1;  // of Σ|x·r|, and of one term far below
            wide_scale_ = std::ldexp(1.0, 61 - bits);
        }
    }

    void refuse_collinear(std::span<const double> hessian) {
        checked_ = true;
        if (plan_.l2 > 0) return;
        const Cholesky cholesky(hessian, size());
        if (cholesky.full_rank()) return;
        Place place;
        place.column = std::string(plan_.features);
        const std::int64_t at = cholesky.first_dependent();
        if (at < static_cast<std::int64_t>(columns_)) place.element = at;
        throw CollinearFeatures(
            (place.element < 0 ? std::string("a constant, or a combination of constants,")
                               : "element " + std::to_string(at)) +
                " among the features \"" + place.column +
                "\" is a combination of other elements and the intercept, so no unique coefficients exist; leave it "
                "out, or set l2 above 0",
            place);
    }

    static constexpr std::size_t narrow_gradient = 4096;

    Rows& rows_;
    const Labels& labels_;
    const LogisticPlan& plan_;
    std::size_t columns_ = 0;
    double weight_ = 0, wide_scale_ = 0;
    std::vector<double> scales_, penalty_;
    bool checked_ = false;
};

}  // namespace partita::inline PARTITA_ABI::detail
