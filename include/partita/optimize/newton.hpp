// SPDX-License-Identifier: Apache-2.0
#pragma once

// Newton's method for smooth convex objectives of up to some thousand unknowns.

#include <partita/core/version.hpp>
#include <partita/math/cholesky.hpp>
#include <partita/math/simd/triangular.hpp>
#include <partita/math/triangle.hpp>
#include <partita/optimize/descent_state.hpp>

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

/// All that the next iteration of newton stands on: what a checkpoint keeps of it.
class NewtonState {
  public:
    NewtonState() = default;
    /// A descent from `start` that has not begun.
    explicit NewtonState(std::span<const double> start) { descent_.point.assign(start.begin(), start.end()); }

    const Descent& descent() const { return descent_; }
    /// Whether newton can go on from here with so many unknowns: for states that were read from a file.
    bool fits(std::size_t unknowns) const {
        return descent_.point.size() == unknowns && gradient_.size() == unknowns &&
               hessian_.size() == triangle_size(unknowns);
    }

    [[gnu::cold]] void save(ModelWriter& writer) const {
        detail::save_descent(writer, descent_, stall_);
        writer.vector("gradient", gradient_);
        writer.vector("hessian", hessian_);
        writer.scalar("of_this_point", of_this_point_);
        writer.scalar("good_enough", good_enough_);
    }
    [[gnu::cold]] void load(ModelReader& reader) {
        detail::load_descent(reader, descent_, stall_);
        gradient_ = reader.vector<double>("gradient");
        hessian_ = reader.vector<double>("hessian");
        of_this_point_ = reader.scalar<bool>("of_this_point");
        good_enough_ = reader.scalar<bool>("good_enough");
    }

  private:
    Descent descent_;
    std::vector<double> gradient_, hessian_;
    bool of_this_point_ = true, good_enough_ = true;  // the Hessian
    detail::Stall stall_;

    template <class Objective, class After>
    friend Descent newton(NewtonState state, Objective&& objective, const DescentSettings& settings, After&& after);
};

/// Minimises `objective` from `state` by Newton's method with step halving.
///
/// `objective(point, gradient, hessian) -> double` returns the value at `point` (m) and fills `gradient` (m) and, unless it is
/// empty, `hessian` (the upper triangle row by row, m(m+1)/2). A full step is tried with a full evaluation, which the next
/// iteration then uses, so k iterations cost k + 1 passes. Close to the minimum of an average over rows the Hessian is kept
/// and asked for again only when a step leaves much of the gradient: those passes cost the gradient alone, and the last is
/// followed by one more step, too small to be looked at. A value that is not finite counts as too large. Unknowns that the
/// Hessian does not determine keep their start. `after(state)` is called after every iteration: a descent that goes on from a state
/// it was given is the descent that gave it. Deterministic if the objective is.
/// Cost per iteration: an evaluation and m³/6. Source: Nocedal and Wright, Numerical Optimization, 3.1 and 3.3.
template <class Objective, class After>
Descent newton(NewtonState state, Objective&& objective, const DescentSettings& settings, After&& after) {
    Descent& d = state.descent_;
    std::vector<double>&gradient = state.gradient_, &hessian = state.hessian_;
    bool &of_this_point = state.of_this_point_, &good_enough = state.good_enough_;
    detail::Stall& stall = state.stall_;
    const std::size_t m = d.point.size();
    std::vector<double> direction(m), trial(m), next_gradient(m), next_hessian(triangle_size(m));
    const auto evaluate = [&](const std::vector<double>& x, std::vector<double>& g, std::span<double> h) {
        ++d.evaluations;
        return objective(std::span<const double>(x), std::span<double>(g), h);
    };
    if (d.history.empty()) {
        gradient.resize(m);
        hessian.resize(triangle_size(m));
        d.objective = evaluate(d.point, gradient, hessian);
        d.history.push_back(d.objective);
        d.gradient_norm = detail::largest_element(gradient);
    }
    Cholesky factor(std::span<const double>(), 0);
    if (!of_this_point) factor = Cholesky(hessian, m, 1e-13);  // an older point's is still that of `hessian`
    while (!detail::finished(d, stall, settings)) {
        if (!good_enough) {
            evaluate(d.point, gradient, hessian);
            of_this_point = good_enough = true;
        }
        if (of_this_point) factor = Cholesky(hessian, m, 1e-13);
        const double slope = detail::newton_direction(gradient, hessian, factor, direction);
        const bool keep_hessian = -slope < detail::quadratic_zone;
        const double noise = detail::noise_of(d.objective);
        double value = 0.0;
        bool found = false;
        for (double step = 1.0; step >= 0x1p-59 && !found && slope < 0.0; step *= 0.5) {
            for (std::size_t c = 0; c < m; ++c) trial[c] = fused(step, direction[c], d.point[c]);
            value = evaluate(trial, next_gradient, keep_hessian ? std::span<double>() : std::span(next_hessian));
            found = value <= fused(1e-4 * step, slope, d.objective) + noise;
        }
        if (!found) {
            if (of_this_point) {
                d.stopped = Stopped::no_progress;
                return d;
            }
            good_enough = false;
            continue;
        }
        const double decrease = d.objective - value, before = d.gradient_norm;
        std::swap(d.point, trial);
        std::swap(gradient, next_gradient);
        if (!keep_hessian) std::swap(hessian, next_hessian);
        d.objective = value;
        d.history.push_back(value);
        d.gradient_norm = detail::largest_element(gradient);
        of_this_point = !keep_hessian;
        good_enough = of_this_point || d.gradient_norm <= detail::wanted_contraction * before;
        ++d.iterations;
        stall.look_at(decrease, d.gradient_norm);
        after(std::as_const(state));
    }
    if (d.converged() && !of_this_point && detail::newton_direction(gradient, hessian, factor, direction) < 0.0) {
        for (std::size_t c = 0; c < m; ++c) d.point[c] += direction[c];
    }
    return d;
}

/// The same from a point.
template <class Objective>
Descent newton(std::span<const double> start, Objective&& objective, const DescentSettings& settings = {}) {
    return newton(NewtonState(start), objective, settings, detail::nothing_after);
}

}  // namespace partita::inline PARTITA_ABI
