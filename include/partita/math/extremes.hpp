// SPDX-License-Identifier: Apache-2.0
#pragma once

// The smallest and the largest value seen.

#include <partita/math/ordered_bits.hpp>
#include <partita/math/weights.hpp>
#include <partita/math/word_reader.hpp>

#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The largest of Direction·(ordered bits); Direction is +1 or -1 (the complement, which overflows nowhere).
template <Orderable T, int Direction>
class Extreme {
  public:
    /// Looks at n values; those of weight zero do not count.
    ///
    /// Requires that no value of positive weight is not-a-number: callers refuse or skip those.
    void update(std::span<const T> values, Weights weights = {}) {
        if (values.empty()) return;
        if (!weights.unit()) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (weights[i] != 0) add(values[i]);
            }
            return;
        }
        Bits best = key(values[0]);
        for (T value : values) {
            const Bits bits = key(value);
            best = bits > best ? bits : best;
        }
        take(best);
    }
    /// Looks at one value.
    void add(T value) { take(key(value)); }

    void merge(const Extreme& other) {
        if (other.seen_) take(other.best_);
    }
    /// Whether any value was seen.
    bool seen() const { return seen_; }
    /// The extreme value, or none if no value was seen.
    std::optional<T> value() const {
        return seen_ ? std::optional<T>(from_ordered_bits<T>(Direction > 0 ? best_ : static_cast<Bits>(~best_)))
                     : std::nullopt;
    }
    friend bool operator==(const Extreme&, const Extreme&) = default;

    // The protocol of accumulator.hpp.
    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>&) const {}
    void adopt_shape(WordReader&) {}
    void offer_window(std::vector<std::int64_t>& maxima) const {
        maxima.push_back(best_);
        maxima.push_back(seen_);
    }
    void adopt_window(WordReader& maxima) {
        best_ = static_cast<Bits>(maxima.next());
        seen_ = maxima.next() != 0;
    }
    void pack(std::vector<std::int64_t>&) const {}
    void unpack(WordReader&) {}

  private:
    using Bits = OrderedBits<T>;

    static constexpr Bits key(T value) {
        const Bits bits = ordered_bits(value);
        return Direction > 0 ? bits : static_cast<Bits>(~bits);
    }
    void take(Bits bits) {
        best_ = bits > best_ ? bits : best_;
        seen_ = true;
    }

    Bits best_ = std::numeric_limits<Bits>::min();
    bool seen_ = false;
};

}  // namespace detail

/// The smallest value seen, of a float, a double or an integer; -0 and +0 are one value, +0.
template <Orderable T>
class Min : public detail::Extreme<T, -1> {};
/// The largest value seen, of a float, a double or an integer; -0 and +0 are one value, +0.
template <Orderable T>
class Max : public detail::Extreme<T, +1> {};

}  // namespace partita::inline PARTITA_ABI
