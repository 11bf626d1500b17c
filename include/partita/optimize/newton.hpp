// SPDX-License-Identifier: Apache-2.0
#pragma once

// Newton's method for smooth convex objectives of up to some thousand unknowns.

#include <partita/core/version.hpp>
#include <partita/math/cholesky.hpp>
#include <partita/math/simd/triangular.hpp>
#include <partita/math/triangle.hpp>
#include <partita/optimize/descent.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// -H⁻¹g in `direction`, and the slope along it; falls back on the gradient scaled by H's diagonal if that is no descent.
inline double newton_direction(std::span<const double> gradient, std::span<const double> hessian,
                               const Cholesky& factor, std::span<double> direction) {
    const std::size_t m = gradient.size();
    for (std::size_t c = 0; c < m; ++c) direction[c] = -gradient[c];
    factor.solve(direction);
    double slope = dot(gradient.data(), direction.data(), m);
    if (!(slope < 0.0)) {
        for (std::size_t c = 0; c < m; ++c) {
            const double diagonal = hessian[triangle_index(c, c, m)];
            direction[c] = -gradient[c] / (diagonal > 0.0 ? diagonal : 1.0);
        }
        slope = dot(gradient.data(), direction.data(), m);
    }
    return slope;
}

/// Below this decrease, predicted by the quadratic model, an averaged objective's Hessian hardly changes along the step.
inline constexpr double quadratic_zone = 1e-3;
/// A step with an older Hessian that leaves more than this share of the gradient calls for a new one.
inline constexpr double wanted_contraction = 0.125;

}  // namespace detail

/// Minimises `objective` from `start` by Newton's method with step halving.
///
/// `objective(point, gradient, hessian) -> double` returns the value at `point` (m) and fills `gradient` (m) and, unless it is
/// empty, `hessian` (the upper triangle row by row, m(m+1)/2). A full step is tried with a full evaluation, which the next
/// iteration then uses, so k iterations cost k + 1 passes. Close to the minimum of an average over rows the Hessian is kept
/// and asked for again only when a step leaves much of the gradient: those passes cost the gradient alone, and the last is
/// followed by one more step, too small to be looked at. Shorter steps are looked for by `objective.along` if there is one
/// (see EvaluatesAlongLine). A value that is not finite counts as too large. `proceed(const Descent&) -> bool` is called
/// after each iteration; false stops. Unknowns that the Hessian does not determine keep their start. Deterministic if the
/// objective is.
/// Cost per iteration: an evaluation and m³/6. Source: Nocedal and Wright, Numerical Optimization, 3.1 and 3.3.
template <class Objective, class Proceed>
Descent newton(std::span<const double> start, Objective&& objective, const DescentSettings& settings,
               Proceed&& proceed) {
    const std::size_t m = start.size();
    Descent d;
    d.point.assign(start.begin(), start.end());
    std::vector<double> gradient(m), hessian(triangle_size(m)), direction(m), trial(m), next_gradient(m),
        next_hessian(hessian.size());
    const auto evaluate = [&](const std::vector<double>& x, std::vector<double>& g, std::vector<double>& h) {
        ++d.evaluations;
        return objective(std::span<const double>(x), std::span<double>(g), std::span<double>(h));
    };
    const auto evaluate_gradient = [&](const std::vector<double>& x, std::vector<double>& g) {
        ++d.evaluations;
        return objective(std::span<const double>(x), std::span<double>(g), std::span<double>());
    };
    d.objective = evaluate(d.point, gradient, hessian);
    d.history.push_back(d.objective);
    d.gradient_norm = detail::largest_element(gradient);
    detail::Stall stall;
    Cholesky factor(std::span<const double>(), 0);
    bool new_hessian = true;
    while (true) {
        if (detail::gradient_is_small(d, settings)) {
            d.stopped = Stopped::gradient_small;
            if (!new_hessian && detail::newton_direction(gradient, hessian, factor, direction) < 0.0) {
                for (std::size_t c = 0; c < m; ++c) d.point[c] += direction[c];
            }
            return d;
        }
        if (d.iterations >= settings.max_iterations) {
            d.stopped = Stopped::iterations_spent;
            return d;
        }
        if (new_hessian) factor = Cholesky(hessian, m, 1e-13);
        const double slope = detail::newton_direction(gradient, hessian, factor, direction);
        const bool keep_hessian = -slope < detail::quadratic_zone;
        const double noise = detail::noise_of(d.objective);
        double step = 1.0, value = 0.0;
        bool found = false;
        const auto acceptable = [&](double v) { return v <= fused(1e-4 * step, slope, d.objective) + noise; };
        const auto move = [&] {
            for (std::size_t c = 0; c < m; ++c) trial[c] = fused(step, direction[c], d.point[c]);
        };
        for (int halvings = 0; halvings < 60 && !found && slope < 0.0; ++halvings, step *= found ? 1.0 : 0.5) {
            if constexpr (EvaluatesAlongLine<Objective>) {
                if (halvings > 0) {
                    ++d.line_evaluations;
                    const AlongLine at =
                        objective.along(std::span<const double>(d.point), std::span<const double>(direction), step);
                    if (!acceptable(at.value)) continue;
                }
            }
            move();
            value =
                keep_hessian ? evaluate_gradient(trial, next_gradient) : evaluate(trial, next_gradient, next_hessian);
            found = acceptable(value);
        }
        if (!found && !new_hessian) {  // once more with the Hessian of this point
            evaluate(d.point, gradient, hessian);
            new_hessian = true;
            continue;
        }
        if (!found) {
            d.stopped = Stopped::no_progress;
            return d;
        }
        const double decrease = d.objective - value;
        std::swap(d.point, trial);
        std::swap(gradient, next_gradient);
        if (!keep_hessian) std::swap(hessian, next_hessian);
        new_hessian = !keep_hessian;
        d.objective = value;
        d.history.push_back(value);
        const double before = d.gradient_norm;
        d.gradient_norm = detail::largest_element(gradient);
        ++d.iterations;
        if (!proceed(std::as_const(d))) {
            d.stopped = Stopped::cancelled;
            return d;
        }
        if (detail::settled(d, decrease, stall, settings)) return d;
        if (keep_hessian && d.gradient_norm > detail::wanted_contraction * before &&
            !detail::gradient_is_small(d, settings)) {
            evaluate(d.point, gradient, hessian);
            new_hessian = true;
        }
    }
}
template <class Objective>
Descent newton(std::span<const double> start, Objective&& objective, const DescentSettings& settings = {}) {
    return newton(start, objective, settings, [](const Descent&) { return true; });
}

}  // namespace partita::inline PARTITA_ABI
