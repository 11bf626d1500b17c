// SPDX-License-Identifier: Apache-2.0
#pragma once

// Weights by bin.

#include <partita/math/exact_sum.hpp>
#include <partita/math/weights.hpp>

namespace partita::inline PARTITA_ABI {

/// The weight that fell into each of n bins, exactly. Whole weights are counted in integers, only fractions need exact sums.
///
/// Errors: WrongWidth for a bin beyond the size. Cost: 8 bytes a bin, with fractional weights about 24; about 1 ns a row
/// without weights, 10 ns with fractional ones.
class Histogram {
  public:
    Histogram() = default;
    explicit Histogram(std::size_t bins) : counts_(bins) {}

    std::size_t size() const { return counts_.size(); }
    /// Grows to `bins` bins; the new ones are empty. Never shrinks.
    void resize(std::size_t bins) {
        if (bins > counts_.size()) counts_.resize(bins);
    }

    /// Counts n rows, row i in bin bins[i], or nowhere if that is negative.
    void update(std::span<const std::int32_t> bins, Weights weights = {}) {
        for (std::int32_t bin : bins) {
            if (bin >= 0 && static_cast<std::size_t>(bin) >= counts_.size()) fail();
        }
        if (weights.unit()) {
            for (std::int32_t bin : bins) {
                if (bin >= 0) ++counts_[static_cast<std::size_t>(bin)];
            }
            return;
        }
        for (std::size_t i = 0; i < bins.size(); ++i) {
            if (bins[i] >= 0) add_weight(static_cast<std::size_t>(bins[i]), weights[i]);
        }
    }
    /// Counts `count` rows of weight 1 in a bin.
    void add(std::size_t bin, std::int64_t count = 1) {
        if (bin >= counts_.size()) fail();
        counts_[bin] += count;
    }
    /// Counts one row of this weight in a bin.
    void add_weight(std::size_t bin, double weight) {
        if (bin >= counts_.size()) fail();
        // Larger whole weights would not count exactly in a double of the caller's anyway; infinities go to the sums.
        if (weight >= 0 && weight <= 4294967296.0) {
            const auto whole = static_cast<std::int64_t>(weight);
            if (static_cast<double>(whole) == weight) {
                counts_[bin] += whole;
                return;
            }
        }
        fractions_.resize(counts_.size());
        fractions_.add(bin, weight);
    }
    /// Adds one bin of another histogram to one of this.
    void add_bin(std::size_t bin, const Histogram& other, std::size_t other_bin) {
        if (bin >= counts_.size() || other_bin >= other.counts_.size()) fail();
        counts_[bin] += other.counts_[other_bin];
        if (other_bin < other.fractions_.size()) {
            fractions_.resize(counts_.size());
            fractions_.add_sum(bin, other.fractions_, other_bin);
        }
    }

    void merge(const Histogram& other) {
        resize(other.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
        fractions_.merge(other.fractions_);
    }
    void withdraw(const Histogram& other) {
        resize(other.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] -= other.counts_[i];
        fractions_.withdraw(other.fractions_);
    }
    /// Makes room for weights that are not whole, as a state of another worker has them.
    void reserve_fractions() { fractions_.resize(counts_.size()); }
    /// All bins back to zero, of the same number.
    void clear() {
        counts_.assign(counts_.size(), 0);
        fractions_ = ExactSums();
    }

    /// The weight in a bin, rounded once.
    double weight(std::size_t bin) const {
        if (bin >= counts_.size()) fail();
        if (bin >= fractions_.size()) return static_cast<double>(counts_[bin]);
        ExactSum sum;
        add_to(sum, bin);
        return sum.value();
    }
    /// Whether all weights so far were whole numbers.
    bool whole() const { return fractions_.size() == 0; }
    /// The part of a bin that was counted in integers: all of it if whole().
    std::int64_t count(std::size_t bin) const { return counts_[bin]; }
    /// The part of a bin that was not counted in integers.
    double fraction(std::size_t bin) const { return bin < fractions_.size() ? fractions_.value(bin) : 0.0; }
    /// Adds the exact weight of a bin to a sum.
    void add_to(ExactSum& sum, std::size_t bin) const {
        if (counts_[bin] != 0) {
            // Two terms, since a count beyond 2^53 is no double.
            sum.add(__builtin_ldexp(static_cast<double>(counts_[bin] >> 32), 32));
            sum.add(static_cast<double>(counts_[bin] & 0xffffffff));
        }
        if (bin < fractions_.size()) sum.add_sum(fractions_, bin);
    }
    /// The weight in all bins, rounded once.
    double total() const {
        ExactSum sum;
        for (std::size_t i = 0; i < counts_.size(); ++i) add_to(sum, i);
        return sum.value();
    }

    /// Whether all bins have the same exact weights; the shorter counts as filled up with empty bins.
    friend bool operator==(const Histogram& a, const Histogram& b) { return a.totals() == b.totals(); }

    // The protocol of accumulator.hpp.
    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>& maxima) const {
        maxima.push_back(static_cast<std::int64_t>(counts_.size()));
        fractions_.offer_shape(maxima);
    }
    void adopt_shape(WordReader& maxima) {
        resize(static_cast<std::size_t>(maxima.next()));
        fractions_.adopt_shape(maxima);
    }
    void offer_window(std::vector<std::int64_t>& maxima) { fractions_.offer_window(maxima); }
    void adopt_window(WordReader& maxima) { fractions_.adopt_window(maxima); }
    void pack(std::vector<std::int64_t>& sums) {
        sums.insert(sums.end(), counts_.begin(), counts_.end());
        fractions_.pack(sums);
    }
    void unpack(WordReader& sums) {
        const auto counts = sums.take(counts_.size());
        counts_.assign(counts.begin(), counts.end());
        fractions_.unpack(sums);
    }

  private:
    [[noreturn]] static void fail() {
        throw WrongWidth("a histogram was given a bin beyond its last: construct or resize it to the number of bins");
    }
    ExactSums totals() const {
        ExactSums sums = fractions_;
        sums.resize(counts_.size());
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            sums.add(i, __builtin_ldexp(static_cast<double>(counts_[i] >> 32), 32));
            sums.add(i, static_cast<double>(counts_[i] & 0xffffffff));
        }
        return sums;
    }

    std::vector<std::int64_t> counts_;
    ExactSums fractions_;  // empty as long as all weights are whole
};

}  // namespace partita::inline PARTITA_ABI
