// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sums of doubles that do not depend on the order of their terms: every term is kept to its last bit in integer digits.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/exact_sum/deposit.hpp>
#include <partita/math/exact_sum/environment.hpp>
#include <partita/math/exact_sum/grid.hpp>
#include <partita/math/word_reader.hpp>

#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// n exact sums of doubles. States form a group under `merge` and `withdraw`: any order and grouping of the same terms gives
/// the same state, and a part can be taken out again, not-a-numbers and infinities included.
///
/// Requires round-to-nearest and no flushing of subnormals in every thread that adds (check_floating_point_environment).
/// Errors: WrongWidth for indices beyond the size. Determinism: exact and associative, on every instruction set.
/// Cost: 16 bytes an element for data that span fewer than about 2^100, at most 350; `add(span)` about 1 ns an element, so
/// kernels call it once per block; `value` about 80 ns.
/// Source: superaccumulators over the window of exponents in use, digits stored as planes; the splitting of a double by a
/// large addend is from Demmel and Hida, "Accurate and efficient floating point summation" (2003), and its successors.
class ExactSums {
  public:
    ExactSums() = default;
    explicit ExactSums(std::size_t size) { resize(size); }

    std::size_t size() const { return size_; }
    /// Grows to `size` sums; the new ones are zero. Never shrinks.
    void resize(std::size_t size);

    /// Adds values[i] to sum i.
    void add(std::span<const double> values) {
        if (values.size() != size_) fail();
        add(0, values);
    }
    /// Adds values[i] to sum first + i.
    void add(std::size_t first, std::span<const double> values);
    /// Adds one value to one sum: for what is rare, since `add(span)` takes a fifth of the time.
    void add(std::size_t index, double value);
    /// Adds all values to one sum.
    void add_all(std::size_t index, std::span<const double> values);
    /// Adds one sum of another state to one of this.
    void add_sum(std::size_t index, const ExactSums& other, std::size_t other_index);

    /// Adds the sums of `other`, element by element; the smaller of the two counts as filled up with zeros.
    void merge(const ExactSums& other) { combine<+1>(other); }
    /// Takes out what was merged or added before.
    void withdraw(const ExactSums& other) { combine<-1>(other); }
    /// All sums back to zero, of the same number.
    void clear() {
        planes_ = lowest_ = 0;
        pending_ = 0;
        digits_.clear();
        non_finite_.clear();
    }

    /// The double nearest to the exact sum (ties to even); infinite if that is beyond the largest double, or if infinities of
    /// one sign were added; not a number if one was added, or infinities of both signs.
    double value(std::size_t index) const;
    /// The exact sum as its nearest double and the nearest double to what is left: for differences of large sums.
    DoublePair value2(std::size_t index) const;
    /// Whether value(index) is finite.
    bool finite(std::size_t index) const { return magnitude_bits(value(index)) < detail::infinity_bits; }
    /// Whether sum `index` has any digit or count at all; if not, it is zero.
    bool touched(std::size_t index) const {
        std::int64_t any = 0;
        for (std::size_t at = index; at < digits_.size(); at += stride_) any |= digits_[at];
        for (std::size_t at = index; at < non_finite_.size(); at += size_) any |= non_finite_[at];
        return any != 0;
    }
    /// Whether all sums are finite.
    bool finite() const {
        for (std::size_t i = 0; i < size_; ++i) {
            if (!finite(i)) return false;
        }
        return true;
    }

    /// Brings the state into the one form that all states of equal sums share. Changes no sum.
    void normalise();
    friend bool operator==(ExactSums a, ExactSums b) {
        a.resize(b.size_);
        b.resize(a.size_);
        a.normalise();
        b.normalise();
        return a.planes_ == b.planes_ && (a.planes_ == 0 || a.lowest_ == b.lowest_) && a.same_digits(b) &&
               a.non_finite_ == b.non_finite_;
    }

    // The protocol of accumulator.hpp.
    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>& maxima) const;
    void adopt_shape(WordReader& maxima);
    void offer_window(std::vector<std::int64_t>& maxima);
    void adopt_window(WordReader& maxima);
    void pack(std::vector<std::int64_t>& sums);
    void unpack(WordReader& sums);

  private:
    // |digit| ≤ pending_·2^51, and a carry on top of that must fit, too.
    static constexpr std::int64_t pending_limit = 4000;
    // Terms that are no numbers are counted apart: n not-a-numbers, n positive infinities, n negative ones.
    enum : std::size_t { not_a_number, positive_infinity, negative_infinity };

    static std::uint64_t magnitude_bits(double value) { return detail::magnitude_bits(value); }
    [[noreturn]] static void fail();

    std::int64_t* plane(int k) { return digits_.data() + static_cast<std::size_t>(k - lowest_) * stride_; }
    const std::int64_t* plane(int k) const { return digits_.data() + static_cast<std::size_t>(k - lowest_) * stride_; }
    int top() const { return lowest_ + planes_ - 1; }
    bool has(int k) const { return planes_ != 0 && k >= lowest_ && k <= top(); }

    void widen(int low, int high);
    void carry();
    void settle(std::size_t index);
    void add_units(std::size_t index, int plane, detail::Int128 units);
    void add_finite(std::size_t index, double value);
    void count_non_finite(std::size_t index, double value);
    void widen_for(std::span<const double> values);
    void add_tile(std::size_t first, std::span<const double> values);
    template <int Sign>
    void combine(const ExactSums& other);
    detail::WideInteger digits_of(std::size_t index) const;
    bool same_digits(const ExactSums& other) const;
    std::int64_t non_finite(std::size_t kind, std::size_t index) const {
        return non_finite_.empty() ? 0 : non_finite_[kind * size_ + index];
    }

    std::size_t size_ = 0, stride_ = 0;
    int lowest_ = 0, planes_ = 0;
    std::int64_t pending_ = 0;
    std::vector<std::int64_t> digits_;      // planes_ x stride_, the lowest plane first
    std::vector<std::int64_t> non_finite_;  // 3 x size_, or none
    // What adopt_window agreed on: all sums are multiples of 2^low_bit_ and smaller than 2^high_bit_ (both above 2^-1074).
    std::int64_t low_bit_ = 0, high_bit_ = 0;
    bool send_non_finite_ = false;
};

/// One exact sum of doubles: see ExactSums.
class ExactSum {
  public:
    ExactSum() : sums_(1) {}

    void add(double value) { sums_.add(0, value); }
    void add(std::span<const double> values) { sums_.add_all(0, values); }
    void add_sum(const ExactSums& other, std::size_t index) { sums_.add_sum(0, other, index); }
    void merge(const ExactSum& other) { sums_.merge(other.sums_); }
    void withdraw(const ExactSum& other) { sums_.withdraw(other.sums_); }
    void clear() { sums_.clear(); }
    double value() const { return sums_.value(0); }
    DoublePair value2() const { return sums_.value2(0); }
    bool finite() const { return sums_.finite(0); }
    void normalise() { sums_.normalise(); }

    friend bool operator==(const ExactSum& a, const ExactSum& b) { return a.sums_ == b.sums_; }

    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>&) const {}
    void adopt_shape(WordReader&) {}
    void offer_window(std::vector<std::int64_t>& maxima) { sums_.offer_window(maxima); }
    void adopt_window(WordReader& maxima) { sums_.adopt_window(maxima); }
    void pack(std::vector<std::int64_t>& sums) { sums_.pack(sums); }
    void unpack(WordReader& sums) { sums_.unpack(sums); }

  private:
    ExactSums sums_;
};

}  // namespace partita::inline PARTITA_ABI

#include <partita/math/exact_sum/state.hpp>
#include <partita/math/exact_sum/wire.hpp>
