// SPDX-License-Identifier: Apache-2.0
#pragma once

// How weights move: row by row within a slice of a block, and all slices of a clock together where a key lives.
//
// A key has two numbers: its weight v before any penalty, and n, the sum of its squared gradients. With L(n) = (beta + √n) / alpha, a
// row's gradient g makes n' = n + g² and v' = v - g / L(n'): AdaGrad's step, and FTRL-proximal's where there is no penalty
// (its z is -v·L(n)). The slices of a clock all start from the same numbers, and the movements of many add up to too much where
// each has already gone all the way. So each is taken for what it is, a small Newton step: L(n) is the precision of
// what was known before, c·D with D the slice's squares (they estimate the loss's curvature) that of what the slice saw,
// and P = (v' - v)·(L + c·D) what the slice adds to the precision-weighted mean. P and D add up, exactly, and
//     n += ΣD,  v += ΣP / (L(n) + c·ΣD).
// One slice alone gives its own v'; rare keys, for which c·ΣD is small beside L, take the sum of the gradients, as FTRL does; and
// keys that all slices have learnt take the mean of what they learnt.

#include <partita/comm/update_rules.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/simd/lanes.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::inline PARTITA_ABI::detail {

/// How many keys of a row learn the same thing together: c above. Rows of 39 keys (1M of them, one pass) lose the same to 0.1 %
/// from 4 to 16, rows of 7 (60,000, in 15 clocks) have their least loss from 2 to 4.
inline constexpr double shared_curvature = 4;

/// What a step needs to know.
struct SparseSteps {
    enum class Penalty : std::uint8_t { none, ftrl, adagrad };
    float alpha = 0.1f, beta = 1, l1 = 0, l2 = 0;
    Penalty penalty = Penalty::none;

    double precision(double squares) const {
        return (static_cast<double>(beta) + std::sqrt(squares)) / static_cast<double>(alpha);
    }
    /// The weight that v stands for.
    float weight(float v, float squares) const {
        if (penalty != Penalty::ftrl) return v;
        const double before = precision(static_cast<double>(squares));
        const double kept = fused(std::abs(static_cast<double>(v)), before, -static_cast<double>(l1));
        if (!(kept > 0)) return 0;
        return static_cast<float>(std::copysign(kept / (before + static_cast<double>(l2)), static_cast<double>(v)));
    }
};

/// The rule of the table: values are v and n, deltas P and D in units that keep both below 1.
struct SparseRule {
    static constexpr std::size_t width = 2;
    SparseSteps steps;
    double unit_of_moves = 1, unit_of_squares = 1;

    std::array<double, 7> settings() const {
        const auto number = [](auto setting) { return static_cast<double>(setting); };
        return {number(steps.alpha),   number(steps.beta), number(steps.l1), number(steps.l2),
                number(steps.penalty), unit_of_moves,      unit_of_squares};
    }
    void check() const {}
    void update(std::uint64_t, std::span<float, 2> values, std::span<const double, 2> deltas) const {
        const double squares = deltas[1] * unit_of_squares;
        values[1] = static_cast<float>(static_cast<double>(values[1]) + squares);
        const double precision = fused(shared_curvature, squares, steps.precision(static_cast<double>(values[1])));
        values[0] = static_cast<float>(static_cast<double>(values[0]) + deltas[0] * unit_of_moves / precision);
    }
};

/// A key as a slice learns it.
struct LocalKey {
    float v = 0, before = 0, squares = 0;  ///< its weight; n before the slice, and what the slice has added to it
    float weight = 0;                      ///< for ftrl with a penalty: the weight that v stands for
};

inline float move_scalar(const SparseSteps& steps, LocalKey& key, float gradient, float share) {
    key.squares = fused(gradient * share, gradient, key.squares);
    const float precision = (steps.beta + std::sqrt(key.before + key.squares)) / steps.alpha;
    key.v = key.v - gradient * share / precision;
    return precision;
}

/// Σ value·weight over a row's entries, of which there are a multiple of sixteen: those behind the last have the value 0.
template <bool penalised>
float row_margin(std::span<const std::uint32_t> entries, const float* values, const LocalKey* keys) {
    using Lanes16 = Lanes<float, 16>;
    Lanes16 total;
    for (std::size_t i = 0; i < entries.size(); i += 16) {
        float w[16];
        for (std::size_t k = 0; k < 16; ++k) w[k] = penalised ? keys[entries[i + k]].weight : keys[entries[i + k]].v;
        total = fused(Lanes16::load(values + i), Lanes16::load(w), total);
    }
    return sum(total);
}

/// Moves the keys of a row along the gradient `residual`·value, `share` times (at most once).
template <SparseSteps::Penalty penalty>
void move_row(const SparseSteps& steps, std::span<const std::uint32_t> entries, const float* values, float residual,
              float share, LocalKey* keys) {
    using Lanes16 = Lanes<float, 16>;
    using Penalty = SparseSteps::Penalty;
    const Lanes16 of_row(residual), part(share), beta(steps.beta), alpha(steps.alpha), l1(steps.l1), l2(steps.l2), zero;
    for (std::size_t i = 0; i < entries.size(); i += 16) {
        float v[16], n[16], d[16], w[16];
        for (std::size_t k = 0; k < 16; ++k) {
            const LocalKey& key = keys[entries[i + k]];
            v[k] = key.v;
            n[k] = key.before;
            d[k] = key.squares;
            if constexpr (penalty == Penalty::ftrl) w[k] = key.weight;
        }
        const Lanes16 gradient = of_row * Lanes16::load(values + i), step = gradient * part;
        const Lanes16 squares = fused(step, gradient, Lanes16::load(d)), before = Lanes16::load(n);
        const Lanes16 precision = (beta + square_root(before + squares)) / alpha;
        Lanes16 moved = Lanes16::load(v) - step / precision;
        if constexpr (penalty == Penalty::ftrl) {
            const Lanes16 earlier = (beta + square_root(before + Lanes16::load(d))) / alpha, weight = Lanes16::load(w);
            moved = (fused(Lanes16::load(v), earlier, -step) + (precision - earlier) * weight) / precision;
            const Lanes16 kept = absolute(moved) * precision - l1;
            const Lanes16 size = maximum(kept, zero) / (precision + l2);
            select(moved < zero, -size, size).store(w);
        }
        if constexpr (penalty == Penalty::adagrad) {
            const Lanes16 kept =
                maximum(absolute(moved) - part * l1 / precision, zero) / (Lanes16(1.0f) + part * l2 / precision);
            moved = select(moved < zero, -kept, kept);
        }
        moved.store(v);
        squares.store(d);
        for (std::size_t k = 0; k < 16; ++k) {
            LocalKey& key = keys[entries[i + k]];
            key.v = v[k];
            key.squares = d[k];
            if constexpr (penalty == Penalty::ftrl) key.weight = w[k];
        }
    }
}

}  // namespace partita::inline PARTITA_ABI::detail
