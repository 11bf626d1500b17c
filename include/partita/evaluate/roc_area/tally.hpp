// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counting ordered pairs without rounding: of rows, or of rows with integer weights.

#include <partita/core/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace partita::inline PARTITA_ABI::detail {

__extension__ using PairCount = unsigned __int128;

/// An unsigned number of 256 bits, as far as sums of products need one.
struct PairSum {
    std::uint64_t limb[4] = {};  // the lowest first

    void add(PairCount value, int at = 0) {
        for (; at < 4 && value != 0; ++at) {
            const PairCount sum = static_cast<PairCount>(limb[at]) + static_cast<std::uint64_t>(value);
            limb[at] = static_cast<std::uint64_t>(sum);
            value = (value >> 64) + (sum >> 64);
        }
    }
    void add(const PairSum& other) {
        for (int i = 0; i < 4; ++i) add(static_cast<PairCount>(other.limb[i]), i);
    }
    void add_product(PairCount a, PairCount b) {
        const auto a_low = static_cast<std::uint64_t>(a), a_high = static_cast<std::uint64_t>(a >> 64);
        const auto b_low = static_cast<std::uint64_t>(b), b_high = static_cast<std::uint64_t>(b >> 64);
        add(static_cast<PairCount>(a_low) * b_low, 0);
        add(static_cast<PairCount>(a_low) * b_high, 1);
        add(static_cast<PairCount>(a_high) * b_low, 1);
        add(static_cast<PairCount>(a_high) * b_high, 2);
    }
    /// The nearest double.
    double rounded() const {
        int top = 3;
        while (top > 0 && limb[top] == 0) --top;
        if (top == 0) return static_cast<double>(limb[0]);
        const int unused = std::countl_zero(limb[top]);
        std::uint64_t leading = limb[top] << unused, below = limb[top - 1];
        if (unused > 0) {
            leading |= limb[top - 1] >> (64 - unused);
            below <<= unused;
        }
        for (int i = 0; i < top - 1; ++i) below |= limb[i];
        // 64 bits are eleven more than a double has; whether anything follows them decides ties.
        return __builtin_ldexp(static_cast<double>(leading | (below != 0)), 64 * top - unused);
    }
};

/// A row as it is ranked: twice what its score exceeds the least of its bucket by, plus its label.
using NarrowRow = std::uint32_t;
using WideRow = std::uint64_t;
/// The same with an integer weight.
struct WeightedRow {
    std::uint64_t bits;
    std::uint64_t weight;
};

template <class Row>
constexpr auto bits_of(const Row& row) {
    if constexpr (std::is_integral_v<Row>) {
        return row;
    } else {
        return row.bits;
    }
}
template <class Row>
constexpr std::uint64_t weight_of(const Row& row) {
    if constexpr (std::is_integral_v<Row>) {
        return 1;
    } else {
        return row.weight;
    }
}

/// What is known of the rows that were counted, lowest scores first: the weight of both classes, and twice the weight of
/// the pairs in which the positive row scores higher, plus once that of tied pairs.
template <class Row>
struct Tally {
    static constexpr bool weighted = !std::is_integral_v<Row>;
    using Sum = std::conditional_t<weighted, PairCount, std::uint64_t>;
    using Pairs = std::conditional_t<weighted, PairSum, PairCount>;

    Sum negative = 0, positive = 0;
    Pairs pairs{};

    /// Counts sorted rows, of which none scores less than one counted before, or the same.
    void count_sorted(const Row* rows, std::size_t count) {
        Sum run = negative;  // what scored less than the rows of the current score
        auto score = bits_of(rows[0]) >> 1;
        // Of equal scores the negative rows come first, so a positive row has met all that it is tied with.
        if constexpr (weighted) {
            for (std::size_t i = 0; i < count; ++i) {
                if (rows[i].bits >> 1 != score) {
                    score = rows[i].bits >> 1;
                    run = negative;
                }
                if (rows[i].bits & 1) {
                    positive += rows[i].weight;
                    pairs.add_product(rows[i].weight, negative + run);
                } else {
                    negative += rows[i].weight;
                }
            }
        } else {
            for (std::size_t i = 0; i < count; ++i) {
                const Sum label = rows[i] & 1;
                run = rows[i] >> 1 != score ? negative : run;
                score = rows[i] >> 1;
                pairs += (negative + run) & (Sum{0} - label);
                positive += label;
                negative += 1 - label;
            }
        }
    }
    /// Counts rows of one score.
    void count_tied(const Row* rows, std::size_t count) {
        Sum tied_negative = 0, tied_positive = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Sum label = bits_of(rows[i]) & 1;
            tied_positive += weight_of(rows[i]) * label;
            tied_negative += weight_of(rows[i]) * (1 - label);
        }
        add_pairs(pairs, tied_positive, negative);
        add_pairs(pairs, tied_positive, negative + tied_negative);
        negative += tied_negative;
        positive += tied_positive;
    }

    static void add_pairs(PairSum& to, PairCount a, PairCount b) { to.add_product(a, b); }
    static void add_pairs(PairCount& to, std::uint64_t a, std::uint64_t b) { to += static_cast<PairCount>(a) * b; }
};

}  // namespace partita::inline PARTITA_ABI::detail
