// SPDX-License-Identifier: Apache-2.0
#pragma once

// Least squares, plain or with an L2 penalty, by the normal equations.

#include <partita/linear/linear_features.hpp>
#include <partita/math/cholesky.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/gram.hpp>
#include <partita/math/scratch.hpp>
#include <partita/math/simd/triangular.hpp>
#include <partita/stage/concepts.hpp>

#include <boost/describe/class.hpp>

#include <algorithm>
#include <cmath>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Exact sums of all products of features and target: everything that least squares needs of the rows, in one pass.
class LeastSquaresSummary {
  public:
    LeastSquaresSummary() = default;
    LeastSquaresSummary(std::string_view features, std::string_view target) : features_(features), target_(target) {}

    template <class Features, class Y>
    void update(const Features& x, std::span<const Y> y, Weights weights) {
        if (y.empty()) return;
        const std::size_t p = feature_width(x);
        if (!width.add(p)) return;
        if (products.size() == 0) products.resize(triangle_size(p + 2));
        BlockGram& kernel = kernel_.get(p, true);
        targets_.resize(y.size());
        for (std::size_t i = 0; i < y.size(); ++i) targets_[i] = static_cast<double>(y[i]);
        const BlockCell bad = kernel.compute(x, targets_.data(), weights);
        if (bad && bad.column == static_cast<std::int64_t>(p)) refuse_features(target_, "the target", bad.row);
        if (bad) refuse_features(features_, "the features", bad.row, bad.column);
        kernel.add_to(products);
    }
    /// Errors: WrongWidth for rows of two widths.
    void check() const { width.agreed(features_); }

    FeatureWidth width;
    ExactSums products;  ///< of features, target and the column of ones

  private:
    BOOST_DESCRIBE_CLASS(LeastSquaresSummary, (), (width, products), (), ())

    std::string_view features_, target_;
    Scratch<BlockGram> kernel_;
    std::vector<double> targets_;
};

}  // namespace detail

/// The fitted hyperplane: prediction = features·coefficients + intercept.
class LinearModel {
  public:
    /// One number for each element of the features: what the prediction gains where that element grows by 1.
    const std::vector<double>& coefficients() const { return coefficients_; }
    /// The prediction where all features are 0; 0 if no intercept was fitted.
    double intercept() const { return intercept_; }
    /// Σw of the rows of the fit.
    double weight() const { return weight_; }
    /// The mean squared residual of the fit.
    double mean_squared_error() const { return mean_squared_error_; }
    /// Σw less the number of fitted coefficients: what t values are distributed with.
    double degrees_of_freedom() const { return degrees_of_freedom_; }
    /// Of each coefficient; empty with a penalty, without more rows than coefficients, and for a perfect fit.
    const std::vector<double>& standard_errors() const { return standard_errors_; }
    double intercept_standard_error() const { return intercept_standard_error_; }
    /// Each coefficient over its standard error; empty where there are none. Their p values are in linear/p_values.hpp.
    std::vector<double> t_values() const {
        std::vector<double> t(standard_errors_.size());
        for (std::size_t i = 0; i < t.size(); ++i) t[i] = coefficients_[i] / standard_errors_[i];
        return t;
    }

    void validate() const {
        if (!standard_errors_.empty() && standard_errors_.size() != coefficients_.size())
            throw ModelFileInvalid("there are more standard errors than coefficients, or fewer");
        for (double value : coefficients_)
            if (!std::isfinite(value)) throw ModelFileInvalid("a coefficient is not finite");
        if (!std::isfinite(intercept_)) throw ModelFileInvalid("the intercept is not finite");
        for (double value : standard_errors_)
            if (!(value >= 0)) throw ModelFileInvalid("a standard error is negative");
        if (!(weight_ > 0)) throw ModelFileInvalid("the weight of the fit is not positive");
    }

  protected:
    std::vector<double> coefficients_, standard_errors_;
    double intercept_ = 0, intercept_standard_error_ = 0, weight_ = 0, mean_squared_error_ = 0, degrees_of_freedom_ = 0;

    void solve(const detail::LeastSquaresSummary& summary, double l2, bool fit_intercept, std::string_view features);

    BOOST_DESCRIBE_CLASS(LinearModel, (), (),
                         (coefficients_, standard_errors_, intercept_, intercept_standard_error_, weight_,
                          mean_squared_error_, degrees_of_freedom_),
                         ())
};

/// Linear regression: the coefficients b and the intercept a that minimise
///     1/(2 Σw) Σ w (y - a - x·b)² + l2/2 |b|².
/// The intercept is not penalised. (scikit-learn's Ridge has alpha = l2·Σw.)
///
/// Reads a vector of features (n x p, dense, sparse or one-hot) and a number as target; writes `prediction` (double).
/// Errors: InvalidSetting; EmptyDataset; NonFiniteValue with row and element; CollinearFeatures, naming one, where l2 = 0
/// leaves the solution open; WrongWidth; NumericOverflow. Determinism: the same bits on any threads, workers, policy and chunks.
/// Cost: one pass, n·p²/2 multiply-adds and p²/2 exact sums a block; p³/6 to solve; p²·8 bytes to reduce.
/// Source: normal equations of centred columns, summed exactly between blocks and centred in twice the precision.
template <Name Features, Name TargetColumn, Name Prediction = "prediction">
struct LinearRegression {
    double l2 = 0;              ///< strength of the penalty, at least 0
    bool fit_intercept = true;  ///< false: the plane goes through the origin

    using stage_concept = Predictor;
    static constexpr std::string_view id = "LinearRegression";
    using Inputs = Columns<Read<Features, detail::linear_feature_kinds>>;
    using FitInputs = Columns<Read<Features, detail::linear_feature_kinds>, Target<TargetColumn, number_kinds>>;
    using Outputs = Columns<Column<Prediction, double>>;
    using Summary = detail::LeastSquaresSummary;

    struct Model : LinearModel {
        template <class X>
        void operator()(const X& features, std::span<double> predictions) const {
            detail::checked_margins(features, this->coefficients_, this->intercept_, predictions, Features.view());
        }
        BOOST_DESCRIBE_CLASS(Model, (LinearModel), (), (), ())

      private:
        friend LinearRegression;
    };

    void validate() const {
        if (!(l2 >= 0 && std::isfinite(l2)))
            throw InvalidSetting(
                "LinearRegression: l2 is " + detail::number_text(l2) + "; give a finite number of at least 0",
                Place{.setting = "l2"});
    }
    Summary start() const { return {Features.view(), TargetColumn.view()}; }
    Model finish(const Summary& summary) const {
        Model model;
        model.solve(summary, l2, fit_intercept, Features.view());
        return model;
    }
};

inline void LinearModel::solve(const detail::LeastSquaresSummary& summary, double l2, bool fit_intercept,
                               std::string_view features) {
    const std::size_t p = summary.width.agreed(features), order = p + 2;
    std::vector<double> high(summary.products.size()), low(high.size());
    for (std::size_t i = 0; i < high.size(); ++i) {
        const DoublePair sum = summary.products.value2(i);
        high[i] = sum.high;
        low[i] = sum.low;
        if (!std::isfinite(sum.high))
            throw NumericOverflow("the products of the features \"" + std::string(features) +
                                      "\" are beyond the range of double; scale them, by StandardScale for instance",
                                  Place{.column = std::string(features)});
    }
    if (high.empty() || !(high.back() > 0))
        throw EmptyDataset("LinearRegression has no rows of positive weight to fit",
                           Place{.column = std::string(features)});
    weight_ = high.back();

    // Centred products with an intercept, raw ones without: either way a symmetric system of order p, and the target beside it.
    std::vector<double> products(triangle_size(p)), right(p), means(p, 0.0);
    double target_mean = 0, target_square = 0;
    const auto take = [&](const std::vector<double>& from, std::size_t from_order) {
        for (std::size_t i = 0; i < p; ++i) {
            std::copy_n(&from[triangle_index(i, i, from_order)], p - i, &products[triangle_index(i, i, p)]);
            right[i] = from[triangle_index(i, p, from_order)];
        }
        target_square = from[triangle_index(p, p, from_order)];
    };
    if (fit_intercept) {
        const CentredGram gram = centred_gram(high, low, order);
        take(gram.products, p + 1);
        std::copy_n(gram.means.begin(), p, means.begin());
        target_mean = gram.means[p];
    } else {
        take(high, order);
    }
    std::vector<double> diagonal(p);
    for (std::size_t i = 0; i < p; ++i) {
        double& element = products[triangle_index(i, i, p)];
        diagonal[i] = element;
        element = fused(l2, weight_, element);
    }
    const Cholesky cholesky(products, p);
    for (std::size_t i = 0; i < p; ++i) products[triangle_index(i, i, p)] = diagonal[i];
    if (!cholesky.full_rank()) {
        Place place;
        place.column = std::string(features);
        place.element = cholesky.first_dependent();
        throw CollinearFeatures("element " + std::to_string(place.element) + " of the features \"" + place.column +
                                    "\" is constant, or a combination of elements before it, so no unique coefficients "
                                    "exist; leave it out, or set l2 above 0",
                                place);
    }
    coefficients_ = right;
    cholesky.solve(coefficients_);

    double shift = 0, explained = 0;
    std::vector<double> explains(p, 0.0);  // G·b; row i of the triangle completes element i and adds to those after it
    for (std::size_t i = 0; i < p; ++i) {
        shift = fused(coefficients_[i], means[i], shift);
        const double* row = &products[triangle_index(i, i, p)];
        for (std::size_t j = i; j < p; ++j) explains[i] = fused(row[j - i], coefficients_[j], explains[i]);
        detail::add_scaled(row + 1, coefficients_[i], p - i - 1, explains.data() + i + 1);
        explained = fused(coefficients_[i], fused(2.0, right[i], -explains[i]), explained);  // 2 b'c - b'Gb
    }
    intercept_ = target_mean - shift;
    const double residual_square = std::max(0.0, target_square - explained);
    mean_squared_error_ = residual_square / weight_;
    degrees_of_freedom_ = weight_ - static_cast<double>(p) - (fit_intercept ? 1 : 0);
    standard_errors_.clear();
    intercept_standard_error_ = 0;
    if (l2 > 0 || !(degrees_of_freedom_ > 0) || !(residual_square > 0)) return;

    const double variance = residual_square / degrees_of_freedom_;
    const std::vector<double> inverse = cholesky.inverse_diagonal();
    standard_errors_.resize(p);
    for (std::size_t i = 0; i < p; ++i) standard_errors_[i] = std::sqrt(variance * inverse[i]);
    if (!fit_intercept) return;
    std::vector<double> towards_means = means;
    cholesky.solve(towards_means);
    double spread = 1.0 / weight_;
    for (std::size_t i = 0; i < p; ++i) spread = fused(means[i], towards_means[i], spread);
    intercept_standard_error_ = std::sqrt(variance * spread);
}

}  // namespace partita::inline PARTITA_ABI
