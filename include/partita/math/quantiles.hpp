// SPDX-License-Identifier: Apache-2.0
#pragma once

// Exact quantiles of data too large to sort, in one to four passes.

#include <partita/core/error.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/ordered_bits.hpp>
#include <partita/math/quantiles/selection.hpp>
#include <partita/math/weights.hpp>

namespace partita::inline PARTITA_ABI {

/// Quantiles of a float, a double or an integer column at probabilities that are fixed from the start.
///
/// Each pass over the data counts 16 bits more of the values whose order still matters: numbers of 16 bits take one pass, of
/// 32 bits two, of 64 bits four. After the pass, and after the states of all workers were reduced, `advance` says whether
/// another is needed, and prepares the state for it.
///
/// With total weight W and h = (W - 1)·probability, the quantile interpolates linearly between the order statistics x(⌊h⌋) and
/// x(⌊h⌋ + 1), where x(t) is the value whose weight covers t when all values are laid out in ascending order from 0 to W. For
/// whole weights that is the usual quantile of the rows repeated as often as they weigh (type 7 of Hyndman and Fan, which
/// NumPy and R take unless told otherwise); a W below 1 gives the minimum.
///
/// Requires that no value is not-a-number: callers refuse or skip those. Both zeros are one value, +0.
/// Errors: InvalidSetting for a probability outside [0, 1]. Determinism: exact counts; the interpolation rounds as described.
/// Cost: about 2 ns a value and pass; up to 512 KiB for the first pass, as much again for each order statistic in later ones
/// (with fractional weights up to four times that).
template <Orderable T>
class Quantiles {
  public:
    /// How many passes over the data the quantiles take.
    static constexpr int passes = sizeof(T) <= 2 ? 1 : static_cast<int>(sizeof(T)) / 2;

    Quantiles() = default;
    explicit Quantiles(std::vector<double> probabilities) : selection_(std::move(probabilities)) {}

    /// Counts n values.
    void update(std::span<const T> values, Weights weights = {}) {
        if (values.empty() || finished()) return;
        if (selection_.pass() == 0) {
            first_pass(values, weights);
        } else {
            later_pass(values, weights);
        }
    }

    void merge(const Quantiles& other) { selection_.merge(other.selection_); }
    /// Ends a pass: whether another pass over the same data is needed. Called on the state of all data, once it was reduced.
    bool advance() { return selection_.advance(passes, digit_bits); }

    bool finished() const { return selection_.pass() >= passes; }
    /// The pass that the state is counting, from 0.
    int pass() const { return selection_.pass(); }
    /// Whether any value of positive weight was seen. Requires finished().
    bool seen() const { return selection_.total_weight() > 0; }
    /// The sum of the weights, rounded once. Requires that the first pass has ended.
    double weight() const { return selection_.total_weight(); }
    const std::vector<double>& probabilities() const { return selection_.probabilities(); }

    /// The quantile at one of the probabilities that the state was constructed with. Requires finished().
    ///
    /// Errors: EmptyDataset if nothing was seen; InvalidSetting for any other probability.
    double value(double probability) const {
        const auto found = selection_.between(probability);
        const auto low = static_cast<double>(number(found.low)), high = static_cast<double>(number(found.high));
        return low == high ? low : fused(high - low, found.fraction, low);
    }

    /// The same counts, in the same pass for the same probabilities.
    friend bool operator==(const Quantiles& a, const Quantiles& b) { return a.selection_ == b.selection_; }

    // The protocol of accumulator.hpp.
    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>& maxima) const { selection_.offer_shape(maxima); }
    void adopt_shape(WordReader& maxima) { selection_.adopt_shape(maxima); }
    void offer_window(std::vector<std::int64_t>& maxima) { selection_.offer_window(maxima); }
    void adopt_window(WordReader& maxima) { selection_.adopt_window(maxima); }
    void pack(std::vector<std::int64_t>& sums) { selection_.pack(sums); }
    void unpack(WordReader& sums) { selection_.unpack(sums); }

  private:
    static constexpr int bits = 8 * sizeof(T);
    static constexpr int digit_bits = bits < 16 ? bits : 16;

    // Unsigned bits in the order of the values.
    static std::uint64_t key(T value) {
        using Unsigned = std::make_unsigned_t<OrderedBits<T>>;
        return static_cast<Unsigned>(static_cast<Unsigned>(ordered_bits(value)) ^
                                     static_cast<Unsigned>(Unsigned{1} << (bits - 1)));
    }
    static T number(std::uint64_t key) {
        return from_ordered_bits<T>(static_cast<OrderedBits<T>>(key ^ std::uint64_t{1} << (bits - 1)));
    }

    void first_pass(std::span<const T> values, Weights weights) {
        auto smallest = ordered_bits(values[0]), largest = smallest;
        for (T value : values) {
            const auto ordered = ordered_bits(value);
            smallest = ordered < smallest ? ordered : smallest;
            largest = ordered > largest ? ordered : largest;
        }
        constexpr int shift = bits - digit_bits;
        selection_.widen(key(from_ordered_bits<T>(smallest)) >> shift, key(from_ordered_bits<T>(largest)) >> shift);
        if (weights.unit()) {
            std::int64_t* counts = selection_.counts();
            const std::uint64_t first = selection_.first();
            for (T value : values) ++counts[(key(value) >> shift) - first];
        } else {
            for (std::size_t i = 0; i < values.size(); ++i) selection_.add(0, key(values[i]) >> shift, weights[i]);
        }
    }
    void later_pass(std::span<const T> values, Weights weights) {
        if constexpr (passes > 1) {
            constexpr std::uint64_t digit_mask = (std::uint64_t{1} << digit_bits) - 1;
            const int shift = bits - digit_bits * (selection_.pass() + 1);
            selection_.widen(0, digit_mask);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const std::uint64_t ordered = key(values[i]);
                if (!selection_.near(ordered >> (bits - digit_bits))) continue;
                const std::size_t slot = selection_.slot_of(ordered >> (shift + digit_bits));
                if (slot == detail::Selection::none) continue;
                selection_.add(slot, ordered >> shift & digit_mask, weights[i]);
            }
        }
    }

    detail::Selection selection_;
};

}  // namespace partita::inline PARTITA_ABI
