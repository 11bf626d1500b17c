// SPDX-License-Identifier: Apache-2.0
#pragma once

// Logistic regression for two classes, with an L2 penalty.

#include <partita/linear/logistic_regression/labels.hpp>
#include <partita/linear/logistic_regression/model.hpp>
#include <partita/linear/logistic_regression/train.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/fit_rows.hpp>

namespace partita::inline PARTITA_ABI {

/// How much rows of each class count beyond their weights.
enum class ClassWeights {
    equal,     ///< as the rows' weights say
    balanced,  ///< both classes count the same in all: Σw / (2·Σw of the class)
};
/// How the coefficients are found.
enum class LogisticSolver {
    automatic,  ///< newton up to newton_limit coefficients, lbfgs beyond
    newton,     ///< Newton's method with Cholesky's factorisation: few passes, p³/6 and p²·8 bytes an iteration
    lbfgs,      ///< L-BFGS: more passes, no matrix
};

/// Logistic regression: the coefficients b and the intercept a that minimise
///     1/Σw Σ w (log(1 + exp(z)) - y·z) + l2/2 Σ (s_j b_j)²,    z = a + x·b,
/// where y is 1 for the second class and 0 for the first, in the order of their values (false before true, numbers ascending,
/// texts by bytes), and s_j the standard deviation of feature j (with Σw - 1 as denominator), or 1 without `standardize`.
/// The intercept is not penalised. (scikit-learn's C is 1/(l2·Σw) without `standardize`.)
///
/// Reads a vector of features (n x p: dense, sparse or one-hot) and a target of two values; writes `prediction` (of the
/// target's type) and `probability` (double, of the second class).
/// Errors: InvalidSetting; EmptyDataset; WrongClassCount for other than two classes; NonFiniteValue with row and element;
/// CollinearFeatures, where l2 = 0 leaves the solution open (newton); NotConverged if `must_converge`; WrongWidth;
/// NumericOverflow; Cancelled.
/// Determinism: the same bits on any threads, workers, policy and chunks.
/// Cost: the features are packed in memory once; two passes over the target, one for the scales, then one per iteration
/// (newton: usually 5 to 10, most of them of a sample's rows where there are many) of 2·n·p multiply-adds, and n·p²/2 for
/// newton's Hessian.
/// Source: Newton's method and L-BFGS, Nocedal and Wright, Numerical Optimization, chapters 3 and 7.
template <Name Features, Name TargetColumn, Name Prediction = "prediction", Name Probability = "probability">
struct LogisticRegression {
    double l2 = 0;                                      ///< strength of the penalty, at least 0
    bool fit_intercept = true;                          ///< false: z = x·b
    bool standardize = true;                            ///< penalise in units of standard deviations
    ClassWeights class_weights = ClassWeights::equal;   ///< see ClassWeights
    double threshold = 0.5;                             ///< predict the second class above this probability
    LogisticSolver solver = LogisticSolver::automatic;  ///< see LogisticSolver
    int newton_limit = 512;                             ///< the most coefficients that `automatic` gives to newton
    int max_iterations = 1000;                          ///< at most so many
    double tolerance = 1e-9;     ///< for the largest element of the gradient, features in units of their deviation
    bool must_converge = false;  ///< throw NotConverged rather than give the last iterate

    using stage_concept = Predictor;
    static constexpr std::string_view id = "LogisticRegression";
    static constexpr KindSet label_kinds = number_kinds | text_kinds;
    using Inputs = Columns<Read<Features, detail::linear_feature_kinds>>;
    using FitInputs = Columns<Read<Features, detail::linear_feature_kinds>, Target<TargetColumn, label_kinds>>;
    template <class X, class Y>
    using OutputsFor = Columns<Column<Prediction, detail::PredictedLabel<Y>>, Column<Probability, double>>;

    template <class X, class Y>
    struct ModelFor : LogisticModel<detail::ClassLabel<Y>> {
        template <class View, class Out>
        void operator()(const View& features, Out predictions, std::span<double> probabilities) const {
            this->apply(features, predictions, probabilities, Features.view());
        }
        BOOST_DESCRIBE_CLASS(ModelFor, (LogisticModel<detail::ClassLabel<Y>>), (), (), ())

      private:
        friend LogisticRegression;
    };

    void validate() const {
        const auto refuse = [](const char* setting, double value, const char* remedy) {
            throw InvalidSetting(
                std::string("LogisticRegression: ") + setting + " is " + detail::number_text(value) + "; " + remedy,
                Place{.setting = setting});
        };
        if (!(l2 >= 0 && l2 - l2 == 0)) refuse("l2", l2, "give a finite number of at least 0");
        if (!(threshold >= 0 && threshold <= 1)) refuse("threshold", threshold, "give a probability");
        if (!(tolerance > 0 && tolerance < 1)) refuse("tolerance", tolerance, "give a number between 0 and 1");
        const auto refuse_choice = [](const char* setting, const char* choices) {
            throw InvalidSetting(
                std::string("LogisticRegression: ") + setting + " is no value of its type; take " + choices,
                Place{.setting = setting});
        };
        if (class_weights != ClassWeights::equal && class_weights != ClassWeights::balanced)
            refuse_choice("class_weights", "ClassWeights::equal or balanced");
        if (solver < LogisticSolver::automatic || solver > LogisticSolver::lbfgs)
            refuse_choice("solver", "LogisticSolver::automatic, newton or lbfgs");
        if (max_iterations < 1) refuse("max_iterations", max_iterations, "give at least 1");
        if (newton_limit < 0) refuse("newton_limit", newton_limit, "give at least 0");
    }

    template <class X, class Y>
    ModelFor<X, Y> fit(FitRows<X, Y>& rows) const {
        using Label = detail::ClassLabel<Y>;
        const detail::LogisticPlan plan{
            l2,
            fit_intercept,
            standardize,
            class_weights == ClassWeights::balanced,
            max_iterations,
            tolerance,
            solver == LogisticSolver::automatic ? newton_limit : (solver == LogisticSolver::newton ? INT32_MAX : -1),
            Features.view(),
            TargetColumn.view()};
        rows.pack();
        detail::PackedLabels<Label> labels = detail::pack_labels<Label>(
            rows, id, plan.target, plan.balanced ? detail::PackedWeights::balanced : detail::PackedWeights::of_rows);
        const detail::LogisticFit found = detail::fit_logistic(rows, labels, plan);
        if (must_converge && !found.converged)
            throw NotConverged(
                "LogisticRegression stopped after " + std::to_string(found.history.size() - 1) +
                " iterations before its gradient was below " + detail::number_text(tolerance) +
                "; raise max_iterations, add a little l2, or accept the last iterate by must_converge = false");
        ModelFor<X, Y> model;
        model.assign(found, std::move(labels.classes), threshold);
        return model;
    }
};

}  // namespace partita::inline PARTITA_ABI
