// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a ParameterTable does with the sum of a clock's deltas, where the key lives.

#include <partita/core/error.hpp>
#include <partita/core/number_text.hpp>
#include <partita/core/version.hpp>
#include <partita/math/fused.hpp>

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace partita::inline PARTITA_ABI {

/// How one number of a table changes by the sum of a clock's deltas: `states` is how many further numbers the rule keeps beside
/// it, all zero at first. `check()` throws InvalidSetting for settings that make no sense. A delta of zero must leave everything as
/// it is: the rule need not be run then. A number that is no more finite after an update ends the work on the table. A rule may
/// say what it is set to by a member `settings()`, which gives a std::array of numbers: workers compare them when they make a table.
/// Threads run one rule for different keys at once.
template <class Rule>
concept UpdateRule = std::copy_constructible<Rule> &&
                     requires(const Rule& rule, float& value, std::array<float, Rule::states>& state, double delta) {
                         rule.check();
                         rule.update(value, state, delta);
                     };

/// How the `width` numbers of a key change together by the sums of a clock's deltas; all of them are values that are pulled. For
/// tables of that width. Otherwise as UpdateRule.
template <class Rule>
concept KeyRule =
    std::copy_constructible<Rule> && requires(const Rule& rule, std::uint64_t key, std::span<float, Rule::width> values,
                                              std::span<const double, Rule::width> deltas) {
        rule.check();
        rule.update(key, values, deltas);
    };

namespace detail {

inline void check_rule_setting(bool fine, const char* setting, double value, const char* remedy) {
    if (fine && std::isfinite(value)) return;
    throw InvalidSetting(std::string(setting) + " is " + number_text(value) + "; " + remedy, Place{.setting = setting});
}

}  // namespace detail

/// value += delta.
struct Sum {
    static constexpr std::size_t states = 0;

    void check() const {}
    void update(float& value, std::array<float, 0>&, double delta) const {
        value = static_cast<float>(static_cast<double>(value) + delta);
    }
};

/// Gradient descent: value -= rate·delta.
struct Sgd {
    static constexpr std::size_t states = 0;
    double rate = 0.1;

    std::array<double, 1> settings() const { return {rate}; }
    void check() const { detail::check_rule_setting(rate > 0, "rate", rate, "give a positive step"); }
    void update(float& value, std::array<float, 0>&, double delta) const {
        value = static_cast<float>(fused(-rate, delta, static_cast<double>(value)));
    }
};

/// Gradient descent whose step shrinks with the squares seen: n += delta², value -= rate·delta / (√n + epsilon).
/// Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization, 2011.
struct AdaGrad {
    static constexpr std::size_t states = 1;
    double rate = 0.1;
    double epsilon = 1e-8;

    std::array<double, 2> settings() const { return {rate, epsilon}; }
    void check() const {
        detail::check_rule_setting(rate > 0, "rate", rate, "give a positive step");
        detail::check_rule_setting(epsilon > 0, "epsilon", epsilon, "give a small positive number, as 1e-8");
    }
    void update(float& value, std::array<float, 1>& state, double delta) const {
        if (delta == 0) return;
        state[0] = static_cast<float>(fused(delta, delta, static_cast<double>(state[0])));
        const double step = rate / (std::sqrt(static_cast<double>(state[0])) + epsilon);
        value = static_cast<float>(fused(-step, delta, static_cast<double>(value)));
    }
};

/// Follow the regularised leader, proximal: sparse weights, a step per coordinate. z and n are its states.
/// Source: McMahan et al., Ad click prediction: a view from the trenches, 2013, algorithm 1.
struct FtrlProximal {
    static constexpr std::size_t states = 2;
    double alpha = 0.1;
    double beta = 1;
    double l1 = 0;
    double l2 = 0;

    std::array<double, 4> settings() const { return {alpha, beta, l1, l2}; }
    void check() const {
        detail::check_rule_setting(alpha > 0, "alpha", alpha, "give a positive step");
        detail::check_rule_setting(beta >= 0, "beta", beta, "give zero or more, as 1");
        detail::check_rule_setting(l1 >= 0, "l1", l1, "give a penalty of zero or more");
        detail::check_rule_setting(l2 >= 0, "l2", l2, "give a penalty of zero or more");
    }
    void update(float& value, std::array<float, 2>& state, double delta) const {
        if (delta == 0) return;
        const double n = static_cast<double>(state[1]);
        const double n_after = fused(delta, delta, n);
        const double sigma = (std::sqrt(n_after) - std::sqrt(n)) / alpha;
        state[0] = static_cast<float>(fused(-sigma, static_cast<double>(value), static_cast<double>(state[0]) + delta));
        state[1] = static_cast<float>(n_after);
        const double z = static_cast<double>(state[0]);
        if (std::abs(z) <= l1) {
            value = 0;
            return;
        }
        const double curvature = (beta + std::sqrt(static_cast<double>(state[1]))) / alpha + l2;
        value = static_cast<float>(-(z - std::copysign(l1, z)) / curvature);
    }
};

}  // namespace partita::inline PARTITA_ABI
