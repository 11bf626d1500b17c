// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/output_view.hpp>
#include <partita/linear/linear_features.hpp>
#include <partita/math/elementary.hpp>
#include <partita/stage/class_types.hpp>

#include <boost/describe/class.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// What a fit found, in units of the features as they are.
struct LogisticFit {
    std::vector<double> coefficients, history;
    double intercept = 0;
    bool converged = false;
};

}  // namespace detail

/// The fitted model: the probability of the second class is 1 / (1 + exp(-(features·coefficients + intercept))).
template <class Label>
class LogisticModel {
  public:
    /// One number for each element of the features: what the log-odds of the second class gain where that element grows by 1.
    const std::vector<double>& coefficients() const { return coefficients_; }
    /// The log-odds of the second class where all features are 0; 0 if no intercept was fitted.
    double intercept() const { return intercept_; }
    /// The two classes in order; `probability` is that of the second.
    const std::vector<Label>& classes() const { return classes_; }
    double threshold() const { return threshold_; }
    /// The objective at the start and after every iteration.
    const std::vector<double>& objective_history() const { return objective_history_; }
    bool converged() const { return converged_; }

    void validate() const {
        if (classes_.size() != 2) throw ModelFileInvalid("there are not two classes");
        if (!(classes_[0] < classes_[1])) throw ModelFileInvalid("the classes are not in order");
        if (!(threshold_ >= 0 && threshold_ <= 1)) throw ModelFileInvalid("the threshold is no probability");
        if (!std::isfinite(intercept_)) throw ModelFileInvalid("the intercept is not finite");
        for (double value : coefficients_)
            if (!std::isfinite(value)) throw ModelFileInvalid("a coefficient is not finite");
    }

  protected:
    void assign(const detail::LogisticFit& fit, std::vector<Label> classes, double threshold) {
        coefficients_ = fit.coefficients;
        intercept_ = fit.intercept;
        objective_history_ = fit.history;
        converged_ = fit.converged;
        classes_ = std::move(classes);
        threshold_ = threshold;
    }
    template <class View, class Out>
    void apply(const View& features, Out& predictions, std::span<double> probabilities, std::string_view column) const {
        detail::checked_margins(features, coefficients_, intercept_, probabilities, column);
        for (std::size_t row = 0; row < probabilities.size(); ++row) {
            probabilities[row] = sigmoid(probabilities[row]);
            const Label& label = classes_[probabilities[row] > threshold_ ? 1 : 0];
            if constexpr (std::is_same_v<Label, std::string>) {
                predictions.set(row, label);
            } else {
                predictions[row] = static_cast<std::remove_reference_t<decltype(predictions[row])>>(label);
            }
        }
    }

  private:
    std::vector<double> coefficients_, objective_history_;
    std::vector<Label> classes_;
    double intercept_ = 0, threshold_ = 0.5;
    bool converged_ = false;

    BOOST_DESCRIBE_CLASS(LogisticModel, (), (), (),
                         (coefficients_, objective_history_, classes_, intercept_, threshold_, converged_))
};

}  // namespace partita::inline PARTITA_ABI
