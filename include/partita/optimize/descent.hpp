// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the descent methods share: when they stop and what they report.

#include <partita/core/version.hpp>
#include <partita/math/along_line.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Why a descent method stopped.
enum class Stopped {
    gradient_small,     ///< the largest element of the gradient met its tolerance
    objective_settled,  ///< an iteration lowered the objective by less than its tolerance
    iterations_spent,   ///< the limit of iterations was reached
    no_progress,  ///< no step along the search direction lowers the objective any more, though the gradient is not small
    cancelled,    ///< the caller's callback asked for it
};

/// When a descent method stops. The objective is best an average over rows, so that the tolerances mean the same for any
/// number of rows.
struct DescentSettings {
    int max_iterations = 100;
    double gradient_tolerance = 1e-9;  ///< for the largest element of the gradient, relative to max(1, |objective|)
    double objective_tolerance =
        0.0;  ///< for the decrease in one iteration, relative to max(1, |objective|); 0: not used
};

/// What a descent method found.
struct Descent {
    std::vector<double> point;
    double objective = 0.0;
    double gradient_norm = 0.0;  ///< largest element in size
    int iterations = 0;
    int evaluations = 0;       ///< of the objective with its derivatives: passes over the data
    int line_evaluations = 0;  ///< of the objective along a line alone
    Stopped stopped = Stopped::iterations_spent;
    std::vector<double> history;  ///< the objective at the start and after every iteration

    bool converged() const { return stopped == Stopped::gradient_small || stopped == Stopped::objective_settled; }
};

/// Objectives that can be evaluated along a line without a pass over the data say so by a member
/// `along(point, direction, step) -> AlongLine`: the value and the slope at point + step·direction.
template <class Objective>
concept EvaluatesAlongLine =
    requires(Objective& objective, std::span<const double> x) { AlongLine(objective.along(x, x, 1.0)); };

namespace detail {

inline double largest_element(std::span<const double> x) {
    double largest = 0.0;
    for (const double v : x) {
        const double size = v < 0 ? -v : v;
        if (!(size <= largest)) largest = size;  // also keeps a NaN
    }
    return largest;
}
inline double at_least_one(double x) {
    const double size = x < 0 ? -x : x;
    return size > 1.0 ? size : 1.0;
}
/// What rounding may change an objective of this size by: a sum of some thousand terms, averaged. Within it slopes decide.
inline double noise_of(double objective) { return 0x1p-44 * at_least_one(objective); }
inline bool gradient_is_small(const Descent& d, const DescentSettings& settings) {
    return d.gradient_norm <= settings.gradient_tolerance * at_least_one(d.objective);
}
/// Iterations in a row that neither lowered the objective nor flattened the gradient.
struct Stall {
    int count = 0;
    double best_norm = __builtin_inf();
};
/// Whether an iteration that lowered the objective by `decrease` was the last, though the gradient may not be small.
inline bool settled(Descent& d, double decrease, Stall& stall, const DescentSettings& settings) {
    if (gradient_is_small(d, settings)) return false;  // the caller's next look finds that
    if (settings.objective_tolerance > 0.0 && decrease <= settings.objective_tolerance * at_least_one(d.objective)) {
        d.stopped = Stopped::objective_settled;
        return true;
    }
    const bool flatter = d.gradient_norm < stall.best_norm;
    if (flatter) stall.best_norm = d.gradient_norm;
    stall.count = decrease > 0.0 || flatter ? 0 : stall.count + 1;
    if (stall.count < 5) return false;
    d.stopped = Stopped::no_progress;  // rounding is all that moves it
    return true;
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
