// SPDX-License-Identifier: Apache-2.0
#pragma once

// What quantiles of all types share: which digits are counted, and what follows from the counts.

#include <partita/core/error.hpp>
#include <partita/core/sort_few.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/fused.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace partita::inline PARTITA_ABI::detail {

/// Finds keys of several 16-bit digits by their rank, digit by digit. In each pass there is one row of bins (a slot) for every
/// distinct prefix of a key that is looked for; bins are a window of the digits, since the first digits of most data are few.
class Selection {
  public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct Between {
        std::uint64_t low, high;
        double fraction;
    };

    Selection() = default;
    explicit Selection(std::vector<double> probabilities) : probabilities_(std::move(probabilities)) {
        for (double probability : probabilities_) {
            if (!(probability >= 0 && probability <= 1)) {
                Place place;
                place.setting = "probabilities";
                throw InvalidSetting(
                    "the probability of a quantile is " + std::to_string(probability) + ": give numbers from 0 to 1",
                    std::move(place));
            }
        }
    }

    int pass() const { return pass_; }
    double total_weight() const { return total_weight_; }
    const std::vector<double>& probabilities() const { return probabilities_; }

    /// Makes room for the digits from low to high.
    void widen(std::uint64_t low, std::uint64_t high) {
        auto first = static_cast<std::int64_t>(low), last = static_cast<std::int64_t>(high);
        if (first >= first_ && last < first_ + width_) return;
        if (width_ != 0) {
            first = std::min(first, first_);
            last = std::max(last, first_ + width_ - 1);
        }
        // Beyond exact sums that would have to move, only room for integers grows by and by.
        if (fractions_.size() != 0) refuse();
        const std::int64_t width = last - first + 1;
        std::vector<std::int64_t> counts(slots() * static_cast<std::size_t>(width));
        for (std::size_t slot = 0; slot < slots() && width_ != 0; ++slot) {
            std::copy_n(counts_.data() + slot * static_cast<std::size_t>(width_), width_,
                        counts.data() + slot * static_cast<std::size_t>(width) + (first_ - first));
        }
        counts_ = std::move(counts);
        first_ = first;
        width_ = width;
    }
    /// The bins of the first slot, from the digit `first` on.
    std::int64_t* counts() { return counts_.data(); }
    std::uint64_t first() const { return static_cast<std::uint64_t>(first_); }
    void add(std::size_t slot, std::uint64_t digit, double weight) {
        if (weight == 1.0) {
            ++counts_[bin(slot, digit)];
        } else if (weight <= 4294967296.0 && static_cast<double>(static_cast<std::int64_t>(weight)) == weight) {
            counts_[bin(slot, digit)] += static_cast<std::int64_t>(weight);
        } else {
            make_fractional();
            fractions_.add(bin(slot, digit), weight);
        }
    }
    /// Whether some prefix begins with this first digit.
    bool near(std::uint64_t first_digit) const { return near_[first_digit >> 6] >> (first_digit & 63) & 1; }
    /// The slot of a prefix, or none.
    std::size_t slot_of(std::uint64_t prefix) const {
        const auto at = std::lower_bound(prefixes_.begin(), prefixes_.end(), prefix);
        return at != prefixes_.end() && *at == prefix ? static_cast<std::size_t>(at - prefixes_.begin()) : none;
    }

    void merge(const Selection& other);
    bool advance(int passes, int bits_a_digit);

    Between between(double probability) const {
        if (!(total_weight_ > 0)) {
            throw EmptyDataset(
                "a quantile was asked for of no values: there must be at least one row of positive weight");
        }
        for (std::size_t i = 0; i < probabilities_.size(); ++i) {
            if (probabilities_[i] == probability && targets_.size() == 2 * probabilities_.size()) {
                return {targets_[2 * i].prefix, targets_[2 * i + 1].prefix, fractions_of_[i]};
            }
        }
        Place place;
        place.setting = "probabilities";
        throw InvalidSetting("the quantile at " + std::to_string(probability) +
                                 " was not prepared: name the probability when the quantiles are constructed",
                             std::move(place));
    }

    friend bool operator==(Selection a, Selection b) {
        if (a.pass_ != b.pass_ || a.probabilities_ != b.probabilities_ || a.prefixes_ != b.prefixes_) return false;
        if (a.width_ == 0 && b.width_ == 0) return true;
        const std::int64_t first = std::min(a.width_ ? a.first_ : b.first_, b.width_ ? b.first_ : a.first_);
        const std::int64_t last = std::max(a.first_ + a.width_, b.first_ + b.width_) - 1;
        for (Selection* one : {&a, &b}) {
            if (one->fractions_.size() == 0)
                one->widen(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last));
        }
        if (a.fractions_.size() != b.fractions_.size()) {
            a.make_fractional();
            b.make_fractional();
        }
        return a.counts_ == b.counts_ && a.fractions_ == b.fractions_;
    }

    void offer_shape(std::vector<std::int64_t>& maxima) const { maxima.push_back(fractions_.size() != 0); }
    void adopt_shape(WordReader& maxima) {
        if (maxima.next() != 0) make_fractional();
    }
    void offer_window(std::vector<std::int64_t>& maxima) {
        maxima.push_back(width_ ? -first_ : -digit_count);
        maxima.push_back(width_ ? first_ + width_ - 1 : -1);
        fractions_.offer_window(maxima);
    }
    void adopt_window(WordReader& maxima) {
        const std::int64_t first = -maxima.next(), last = maxima.next();
        if (last >= first) widen(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last));
        fractions_.adopt_window(maxima);
    }
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
    static constexpr std::int64_t digit_count = 65536;

    // One order statistic that is looked for: the value that covers `rank` when the weights are laid out from 0.
    struct Target {
        double rank = 0;
        std::uint64_t prefix = 0;
        friend bool operator==(const Target&, const Target&) = default;
    };

    // An exact weight; adding up whole ones costs one addition.
    struct Weight {
        std::int64_t whole = 0;
        ExactSum fraction;

        bool exceeds(double rank) const {
            const auto missing = rank - static_cast<double>(whole);
            const DoublePair sum = fraction.value2();
            return sum.high > missing || (sum.high == missing && sum.low > 0);
        }
        double value() const {
            ExactSum sum = fraction;
            sum.add(__builtin_ldexp(static_cast<double>(whole >> 32), 32));
            sum.add(static_cast<double>(whole & 0xffffffff));
            return sum.value();
        }
    };

    std::size_t slots() const { return pass_ == 0 ? 1 : prefixes_.size(); }
    std::size_t bin(std::size_t slot, std::uint64_t digit) const {
        return slot * static_cast<std::size_t>(width_) + (digit - static_cast<std::uint64_t>(first_));
    }
    void make_fractional() {
        if (fractions_.size() != 0) return;
        widen(0, digit_count - 1);
        fractions_.resize(counts_.size());
    }
    [[noreturn]] static void refuse() {
        throw CollectiveMismatch(
            "two states of quantiles are in different passes, or were built for different probabilities");
    }
    void find_ranks(double weight);
    void locate(std::size_t slot, int bits_a_digit, std::vector<Target>& targets, std::vector<Weight>& below) const;

    std::vector<double> probabilities_;
    int pass_ = 0;
    double total_weight_ = 0;
    std::vector<double> fractions_of_;     // how far each probability lies between its two targets
    std::vector<Target> targets_;          // two for each probability
    std::vector<std::uint64_t> prefixes_;  // ascending: the slots
    std::vector<Weight> below_;            // the weight of all values below each slot's prefix
    std::vector<std::uint64_t> near_;      // a bit for each first digit

    std::int64_t first_ = 0, width_ = 0;
    std::vector<std::int64_t> counts_;  // slots x width_
    ExactSums fractions_;               // of the same shape, or none: then width_ is digit_count
};

inline void Selection::merge(const Selection& other) {
    if (other.probabilities_.empty()) return;
    if (probabilities_.empty()) {
        *this = other;
        return;
    }
    if (pass_ != other.pass_ || probabilities_ != other.probabilities_ || prefixes_ != other.prefixes_) refuse();
    if (other.width_ == 0) return;
    if (other.fractions_.size() != 0) make_fractional();
    widen(static_cast<std::uint64_t>(other.first_), static_cast<std::uint64_t>(other.first_ + other.width_ - 1));
    for (std::size_t slot = 0; slot < slots(); ++slot) {
        std::int64_t* mine = counts_.data() + bin(slot, static_cast<std::uint64_t>(other.first_));
        const std::int64_t* theirs = other.counts_.data() + slot * static_cast<std::size_t>(other.width_);
        for (std::int64_t i = 0; i < other.width_; ++i) mine[i] += theirs[i];
    }
    fractions_.merge(other.fractions_);
}

/// Which order statistics the probabilities need, once the total weight is known.
inline void Selection::find_ranks(double weight) {
    total_weight_ = weight;
    for (double probability : probabilities_) {
        // A product that must not be fused with the subtraction below: a fused addition of zero is one rounding.
        const double position = std::max(fused(weight - 1, probability, 0.0), 0.0), low = __builtin_floor(position);
        const double fraction = position - low;
        const double high = fraction > 0 && low + 1 < weight ? low + 1 : low;
        targets_.push_back({low, 0});
        targets_.push_back({high, 0});
        fractions_of_.push_back(fraction);
    }
}

/// Extends the prefixes of all targets in a slot by the digit in which their ranks fall.
inline void Selection::locate(std::size_t slot, int bits_a_digit, std::vector<Target>& targets,
                              std::vector<Weight>& below) const {
    const std::uint64_t prefix = pass_ == 0 ? 0 : prefixes_[slot];
    std::vector<std::size_t> wanted;
    for (std::size_t t = 0; t < targets_.size(); ++t) {
        if (targets_[t].prefix == prefix) wanted.push_back(t);
    }
    sort_few(wanted, [&](std::size_t a, std::size_t b) { return targets_[a].rank < targets_[b].rank; });
    Weight running = pass_ == 0 ? Weight() : below_[slot], before;
    std::int64_t last_filled = 0;
    auto next = wanted.begin();
    const auto place = [&] {
        targets[*next].prefix = prefix << bits_a_digit | static_cast<std::uint64_t>(last_filled);
        below[*next++] = before;
    };
    for (std::int64_t digit = first_; digit < first_ + width_ && next != wanted.end(); ++digit) {
        const std::size_t at = bin(slot, static_cast<std::uint64_t>(digit));
        const bool fraction = fractions_.size() != 0 && fractions_.touched(at);
        if (counts_[at] == 0 && !fraction) continue;
        if (fractions_.size() != 0) before.fraction = running.fraction;
        before.whole = running.whole;
        last_filled = digit;
        running.whole += counts_[at];
        if (fraction) running.fraction.add_sum(fractions_, at);
        while (next != wanted.end() && running.exceeds(targets_[*next].rank)) place();
    }
    // A rank that rounding put at the very end belongs to the last value.
    while (next != wanted.end()) place();
}

inline bool Selection::advance(int passes, int bits_a_digit) {
    if (pass_ >= passes) return false;
    if (pass_ == 0) {
        Weight total;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            total.whole += counts_[i];
            if (fractions_.size() != 0) total.fraction.add_sum(fractions_, i);
        }
        find_ranks(total.value());
    }
    if (total_weight_ > 0 && !targets_.empty()) {
        std::vector<Target> targets = targets_;
        std::vector<Weight> below(targets.size());
        for (std::size_t slot = 0; slot < slots(); ++slot) locate(slot, bits_a_digit, targets, below);
        targets_ = std::move(targets);
        ++pass_;
        prefixes_.clear();
        near_.assign(static_cast<std::size_t>(digit_count) / 64, 0);
        for (const Target& target : targets_) {
            prefixes_.push_back(target.prefix);
            const std::uint64_t first_digit = target.prefix >> (bits_a_digit * (pass_ - 1));
            near_[first_digit >> 6] |= std::uint64_t{1} << (first_digit & 63);
        }
        sort_few(prefixes_);
        prefixes_.erase(std::unique(prefixes_.begin(), prefixes_.end()), prefixes_.end());
        below_.assign(prefixes_.size(), Weight());
        for (std::size_t t = 0; t < targets_.size(); ++t) below_[slot_of(targets_[t].prefix)] = below[t];
    } else {
        pass_ = passes;
    }
    counts_.clear();
    first_ = width_ = 0;
    fractions_ = ExactSums();
    return pass_ < passes;
}

}  // namespace partita::inline PARTITA_ABI::detail
