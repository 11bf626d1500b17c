// SPDX-License-Identifier: Apache-2.0
#pragma once

// L-BFGS: for smooth objectives of many unknowns.

#include <partita/core/version.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/simd/triangular.hpp>
#include <partita/optimize/descent_state.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The last steps and the changes of the gradient along them: an approximation of the inverse Hessian.
class StepMemory {
  public:
    void clear() { pairs_.clear(); }
    bool empty() const { return pairs_.empty(); }

    /// Remembers a step, unless the curvature along it is not positive; forgets the oldest beyond `capacity`.
    void remember(std::size_t capacity, std::span<const double> from, std::span<const double> to,
                  std::span<const double> gradient_from, std::span<const double> gradient_to) {
        Pair pair;
        if (pairs_.size() >= capacity) {
            pair = std::move(pairs_.front());
            pairs_.erase(pairs_.begin());
        }
        const std::size_t m = from.size();
        pair.step.resize(m);
        pair.change.resize(m);
        for (std::size_t c = 0; c < m; ++c) {
            pair.step[c] = to[c] - from[c];
            pair.change[c] = gradient_to[c] - gradient_from[c];
        }
        pair.curvature = dot(pair.step.data(), pair.change.data(), m);
        pair.change_squared = dot(pair.change.data(), pair.change.data(), m);
        if (pair.curvature > 0x1p-52 * pair.change_squared) pairs_.push_back(std::move(pair));
    }

    /// direction = -(approximate inverse Hessian)·gradient, by the two loops.
    void direction(std::span<const double> gradient, std::span<double> direction) const {
        const std::size_t m = gradient.size();
        std::vector<double> share(pairs_.size());
        for (std::size_t c = 0; c < m; ++c) direction[c] = -gradient[c];
        for (std::size_t k = pairs_.size(); k-- > 0;) {
            share[k] = dot(pairs_[k].step.data(), direction.data(), m) / pairs_[k].curvature;
            add_scaled(pairs_[k].change.data(), -share[k], m, direction.data());
        }
        if (!pairs_.empty()) {
            const double scale = pairs_.back().curvature / pairs_.back().change_squared;
            for (double& v : direction) v *= scale;
        }
        for (std::size_t k = 0; k < pairs_.size(); ++k) {
            const double again = dot(pairs_[k].change.data(), direction.data(), m) / pairs_[k].curvature;
            add_scaled(pairs_[k].step.data(), share[k] - again, m, direction.data());
        }
    }

    /// Whether these are at most so many steps of so many unknowns: for what was read from a file.
    bool fits(std::size_t capacity, std::size_t unknowns) const {
        return pairs_.size() <= capacity && (pairs_.empty() || pairs_[0].step.size() == unknowns);
    }
    [[gnu::cold]] void save(ModelWriter& writer) const {
        std::vector<double> all;
        for (const Pair& pair : pairs_) {
            all.insert(all.end(), pair.step.begin(), pair.step.end());
            all.insert(all.end(), pair.change.begin(), pair.change.end());
            all.push_back(pair.curvature);
            all.push_back(pair.change_squared);
        }
        writer.vector("steps", all);
    }
    [[gnu::cold]] void load(ModelReader& reader, std::size_t unknowns) {
        const std::vector<double> all = reader.vector<double>("steps");
        const std::size_t size = 2 * unknowns + 2;
        if (all.size() % size != 0) reader.malformed("the remembered steps are not of as many unknowns as the point");
        pairs_.clear();
        for (const double* at = all.data(); at != all.data() + all.size(); at += size) {
            const double *change = at + unknowns, *end = change + unknowns;
            pairs_.push_back({{at, change}, {change, end}, end[0], end[1]});
        }
    }

  private:
    struct Pair {
        std::vector<double> step, change;
        double curvature = 0.0, change_squared = 0.0;
    };
    std::vector<Pair> pairs_;
};

/// A function along a line: its value and its slope by the step.
struct AlongLine {
    double value = 0.0, slope = 0.0;
};

/// The minimum of the cubic through two values and slopes, kept off the ends of the interval; its middle if there is none.
inline double cubic_minimum(double a, AlongLine at_a, double b, AlongLine at_b) {
    const double low = a < b ? a : b, width = a < b ? b - a : a - b;
    const double d1 = fused(-3.0, (at_a.value - at_b.value) / (a - b), at_a.slope + at_b.slope);
    const double square = fused(d1, d1, -product(at_a.slope, at_b.slope));
    double t = fused(0.5, width, low);
    if (square >= 0.0) {
        const double root = b > a ? __builtin_sqrt(square) : -__builtin_sqrt(square);
        const double share = ((at_b.slope + root) - d1) / fused(2.0, root, at_b.slope - at_a.slope);
        const double cubic = fused(-(b - a), share, b);
        if (cubic == cubic) t = cubic;
    }
    const double first = fused(0.1, width, low), last = fused(0.9, width, low);
    return t < first ? first : t > last ? last : t;
}

/// What a line search found.
struct FoundStep {
    double step = 0.0;
    bool found = false;
};

/// A step that meets the strong Wolfe conditions with 1e-4 and 0.9, from at(0) = `start` and a first guess.
/// `at(step) -> AlongLine`. Source: Nocedal and Wright, algorithms 3.5 and 3.6. A value that is not finite counts as too large;
/// where rounding hides the decrease, a flat enough step is taken for good.
template <class At>
FoundStep strong_wolfe(const AlongLine& start, double guess, At&& at) {
    const double noise = noise_of(start.value);
    const auto low_enough = [&](double step, const AlongLine& v) {
        return v.value <= fused(1e-4 * step, start.slope, start.value) + noise;
    };
    const auto flat = [&](const AlongLine& v) { return v.slope <= -0.9 * start.slope && v.slope >= 0.9 * start.slope; };
    double before = 0.0, step = guess;
    AlongLine at_before = start;
    double low = 0.0, high = 0.0;
    AlongLine at_low, at_high;
    bool bracketed = false;
    for (int k = 0; k < 40 && !bracketed; ++k) {
        const AlongLine v = at(step);
        const bool finite = v.value - v.value == 0.0 && v.slope - v.slope == 0.0;
        if (!finite) {
            step = fused(0.5, step - before, before);  // back into where it is finite
            continue;
        }
        if (!low_enough(step, v) || (k > 0 && v.value >= at_before.value + noise)) {
            low = before, at_low = at_before, high = step, at_high = v, bracketed = true;
        } else if (flat(v)) {
            return {step, true};
        } else if (v.slope >= 0.0) {
            low = step, at_low = v, high = before, at_high = at_before, bracketed = true;
        } else {
            before = step;
            at_before = v;
            step *= 2.0;
        }
    }
    if (!bracketed) return {before, before > 0.0};
    for (int k = 0; k < 40; ++k) {
        const double t = cubic_minimum(low, at_low, high, at_high);
        const AlongLine v = at(t);
        if (!(v.value - v.value == 0.0) || !low_enough(t, v) || v.value >= at_low.value + noise) {
            high = t, at_high = v;
        } else {
            if (flat(v)) return {t, true};
            if (v.slope * (high - low) >= 0.0) high = low, at_high = at_low;
            low = t, at_low = v;
        }
        const double width = high > low ? high - low : low - high;
        if (width <= 0x1p-50 * (low > high ? low : high)) break;
    }
    return {low, low > 0.0};
}

}  // namespace detail

/// Settings of lbfgs.
struct LbfgsSettings : DescentSettings {
    int memory = 10;  ///< how many steps the approximate Hessian is made of
};

/// All that the next iteration of lbfgs stands on: what a checkpoint keeps of it.
class LbfgsState {
  public:
    LbfgsState() = default;
    /// A descent from `start` that has not begun.
    explicit LbfgsState(std::span<const double> start) { descent_.point.assign(start.begin(), start.end()); }

    const Descent& descent() const { return descent_; }
    /// Whether lbfgs can go on from here, with so many unknowns and these settings: for states that were read from a file.
    bool fits(std::size_t unknowns, const LbfgsSettings& settings) const {
        return descent_.point.size() == unknowns && gradient_.size() == unknowns &&
               memory_.fits(capacity(settings), unknowns);
    }

    [[gnu::cold]] void save(ModelWriter& writer) const {
        detail::save_descent(writer, descent_, stall_);
        writer.vector("gradient", gradient_);
        memory_.save(writer);
    }
    [[gnu::cold]] void load(ModelReader& reader) {
        detail::load_descent(reader, descent_, stall_);
        gradient_ = reader.vector<double>("gradient");
        memory_.load(reader, descent_.point.size());
    }

  private:
    static std::size_t capacity(const LbfgsSettings& settings) {
        return static_cast<std::size_t>(settings.memory > 0 ? settings.memory : 1);
    }

    Descent descent_;
    std::vector<double> gradient_;
    detail::StepMemory memory_;
    detail::Stall stall_;

    template <class Objective, class After>
    friend Descent lbfgs(LbfgsState state, Objective&& objective, const LbfgsSettings& settings, After&& after);
};

/// Minimises `objective` from `state` by L-BFGS with a strong Wolfe line search.
///
/// `objective(point, gradient) -> double` returns the value at `point` (m) and fills `gradient` (m). A value that is not finite
/// counts as too large. `after(state)` is called after every iteration: a descent that goes on from a state it was given is the
/// descent that gave it. Deterministic if the objective is.
/// Cost per iteration: usually one evaluation, 4·memory·m operations; memory: 2·memory·m doubles.
/// Source: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5.
template <class Objective, class After>
Descent lbfgs(LbfgsState state, Objective&& objective, const LbfgsSettings& settings, After&& after) {
    Descent& d = state.descent_;
    std::vector<double>& gradient = state.gradient_;
    detail::StepMemory& memory = state.memory_;
    detail::Stall& stall = state.stall_;
    const std::size_t m = d.point.size();
    std::vector<double> direction(m), trial(m), trial_gradient(m);
    const auto evaluate = [&](const std::vector<double>& x, std::vector<double>& g) {
        ++d.evaluations;
        return objective(std::span<const double>(x), std::span<double>(g));
    };
    if (d.history.empty()) {
        gradient.resize(m);
        d.objective = evaluate(d.point, gradient);
        d.history.push_back(d.objective);
        d.gradient_norm = detail::largest_element(gradient);
    }
    while (!detail::finished(d, stall, settings)) {
        memory.direction(gradient, direction);
        detail::AlongLine here{d.objective, detail::dot(gradient.data(), direction.data(), m)};
        if (!(here.slope < 0.0) && !memory.empty()) {
            memory.clear();
            memory.direction(gradient, direction);
            here.slope = detail::dot(gradient.data(), direction.data(), m);
        }
        double guess = 1.0;
        if (memory.empty()) {
            const double norm = __builtin_sqrt(-here.slope);
            guess = norm > 1.0 ? 1.0 / norm : 1.0;
        }
        double evaluated_step = -1.0, value = 0.0;
        const auto at = [&](double step) {
            for (std::size_t c = 0; c < m; ++c) trial[c] = fused(step, direction[c], d.point[c]);
            value = evaluate(trial, trial_gradient);
            evaluated_step = step;
            return detail::AlongLine{value, detail::dot(trial_gradient.data(), direction.data(), m)};
        };
        const detail::FoundStep found = detail::strong_wolfe(here, guess, at);
        if (!found.found) {
            if (memory.empty()) {
                d.stopped = Stopped::no_progress;
                return d;
            }
            memory.clear();  // once more along the gradient itself
            ++stall.count;
            continue;
        }
        if (evaluated_step != found.step) at(found.step);
        memory.remember(LbfgsState::capacity(settings), d.point, trial, gradient, trial_gradient);
        const double decrease = d.objective - value;
        std::swap(d.point, trial);
        std::swap(gradient, trial_gradient);
        d.objective = value;
        d.history.push_back(value);
        d.gradient_norm = detail::largest_element(gradient);
        ++d.iterations;
        stall.look_at(decrease, d.gradient_norm);
        after(std::as_const(state));
    }
    return d;
}

/// The same from a point.
template <class Objective>
Descent lbfgs(std::span<const double> start, Objective&& objective, const LbfgsSettings& settings = {}) {
    return lbfgs(LbfgsState(start), objective, settings, detail::nothing_after);
}

}  // namespace partita::inline PARTITA_ABI
