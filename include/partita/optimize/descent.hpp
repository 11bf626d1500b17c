// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the descent methods share: when they stop and what they report.

#include <partita/core/version.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Why a descent method stopped.
enum class Stopped {
    gradient_small,    ///< the largest element of the gradient met its tolerance
    iterations_spent,  ///< the limit of iterations was reached
    no_progress,  ///< no step along the search direction lowers the objective any more, though the gradient is not small
};

/// When a descent method stops. The objective is best an average over rows, so that the tolerances mean the same for any
/// number of rows.
struct DescentSettings {
    int max_iterations = 100;
    double gradient_tolerance = 1e-9;  ///< for the largest element of the gradient, relative to max(1, |objective|)
};

/// What a descent method found.
struct Descent {
    std::vector<double> point;
    double objective = 0.0;
    double gradient_norm = 0.0;  ///< largest element in size
    int iterations = 0;
    int evaluations = 0;  ///< of the objective with its derivatives: passes over the data
    Stopped stopped = Stopped::iterations_spent;
    std::vector<double> history;  ///< the objective at the start and after every iteration

    bool converged() const { return stopped == Stopped::gradient_small; }
};

namespace detail {

/// What happens after an iteration if nobody asks.
inline constexpr auto nothing_after = [](const auto&) {};

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
/// Iterations in a row that neither lowered the objective nor flattened the gradient: rounding is all that moves it then.
struct Stall {
    int count = 0;
    double best_norm = __builtin_inf();

    void look_at(double decrease, double gradient_norm) {
        const bool flatter = gradient_norm < best_norm;
        if (flatter) best_norm = gradient_norm;
        count = decrease > 0.0 || flatter ? 0 : count + 1;
    }
};
/// Whether a descent is over, and why.
inline bool finished(Descent& d, const Stall& stall, const DescentSettings& settings) {
    if (d.gradient_norm <= settings.gradient_tolerance * at_least_one(d.objective)) {
        d.stopped = Stopped::gradient_small;
    } else if (stall.count >= 5) {
        d.stopped = Stopped::no_progress;
    } else if (d.iterations >= settings.max_iterations) {
        d.stopped = Stopped::iterations_spent;
    } else {
        return false;
    }
    return true;
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
