// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fit of a logistic regression: a descent of its objective, which may go on from a checkpoint.

#include <partita/linear/logistic_regression/model.hpp>
#include <partita/linear/logistic_regression/objective.hpp>
#include <partita/optimize/lbfgs.hpp>
#include <partita/optimize/newton.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Where Newton's method begins: at the minimum over a sample of the blocks, where another sample agrees that this is nearer than
/// the start without features. Most iterations then see a sixteenth of the rows.
template <class Objective>
std::vector<double> newton_start(Objective& objective) {
    std::vector<double> start = objective.start();
    const std::int64_t every = objective.sample_every();
    if (every == 1) return start;
    const auto sampled = [&](std::span<const double> point, std::span<double> gradient, std::span<double> hessian) {
        return objective.evaluate(point, gradient, hessian, every, 0);
    };
    DescentSettings rough;
    rough.max_iterations = 12;
    rough.gradient_tolerance = 1e-3;
    const Descent found = newton(start, sampled, rough);
    std::vector<double> gradient(start.size());
    const auto elsewhere = [&](const std::vector<double>& point) {
        return objective.evaluate(point, gradient, {}, every, every / 2);
    };
    return found.converged() && elsewhere(found.point) < elsewhere(start) ? found.point : start;
}

template <class Rows, class Labels>
LogisticFit fit_logistic(Rows& rows, const Labels& labels, const LogisticPlan& plan) {
    LogisticObjective<Rows, Labels> objective(rows, labels, plan);
    const ProgressScope progress(rows.session().progress(), "LogisticRegression",
                                 static_cast<std::uint64_t>(plan.max_iterations));
    LbfgsSettings settings;
    settings.max_iterations = plan.max_iterations;
    settings.gradient_tolerance = plan.tolerance;
    Checkpoints checkpoints(rows.session(), [&] { return plan.identity().add("rows", rows.checksum()); });
    const auto keep = [&](const auto& state) { checkpoints.keep(state.descent().iterations, state); };
    const auto descend = [&] {
        if (objective.use_newton()) {
            NewtonState state;
            if (checkpoints.resume(state, [&](const NewtonState& read) { return read.fits(objective.size()); })) {
                objective.has_been_checked();
            } else {
                state = NewtonState(newton_start(objective));
            }
            return newton(std::move(state), objective, settings, keep);
        }
        LbfgsState state(objective.start());
        checkpoints.resume(state, [&](const LbfgsState& read) { return read.fits(objective.size(), settings); });
        return lbfgs(std::move(state), objective, settings, keep);
    };
    const Descent found = descend();

    LogisticFit fit;
    fit.coefficients = objective.unscaled(found.point);
    if (plan.fit_intercept) {
        fit.intercept = fit.coefficients.back();
        fit.coefficients.pop_back();
    }
    fit.history = found.history;
    fit.converged = found.converged();
    return fit;
}

}  // namespace partita::inline PARTITA_ABI::detail
