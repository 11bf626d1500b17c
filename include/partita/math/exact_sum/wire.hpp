// SPDX-License-Identifier: Apache-2.0
#pragma once

// Exact sums between workers. Included at the end of exact_sum.hpp.
//
// The workers agree on the lowest and the highest bit in use, and send every sum as words of 52 bits from that lowest bit on.
// Balanced words of 4095 workers add up without overflow; the highest word is taken modulo 2^64, which loses nothing, since
// the total is known to fit. So all that travels is plain integer addition.

#include <partita/math/exact_sum.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Sign, and the growth of a sum over at most 4095 workers.
inline constexpr std::int64_t spare_bits = 13;

/// How many words a sum between these bits takes.
constexpr std::size_t wire_words(std::int64_t low_bit, std::int64_t high_bit) {
    if (high_bit <= low_bit) return 0;
    const std::int64_t beyond = high_bit - low_bit + spare_bits - 64;
    return beyond <= 0 ? 1 : 1 + static_cast<std::size_t>((beyond + digit_bits - 1) / digit_bits);
}

}  // namespace detail

inline void ExactSums::offer_shape(std::vector<std::int64_t>& maxima) const {
    maxima.push_back(static_cast<std::int64_t>(size_));
}
inline void ExactSums::adopt_shape(WordReader& maxima) { resize(static_cast<std::size_t>(maxima.next())); }

inline void ExactSums::offer_window(std::vector<std::int64_t>& maxima) {
    normalise();
    std::int64_t low_bit = 1 << 20, high_bit = 0;
    if (planes_ != 0) {
        std::uint64_t any = 0, largest = 0;
        for (std::size_t i = 0; i < size_; ++i) {
            any |= static_cast<std::uint64_t>(plane(lowest_)[i]);
            const std::int64_t digit = plane(top())[i];
            largest = std::max(largest, static_cast<std::uint64_t>(digit < 0 ? -digit : digit));
        }
        low_bit = detail::digit_bits * lowest_ + std::countr_zero(any);
        high_bit = detail::digit_bits * top() + (64 - std::countl_zero(largest));
    }
    maxima.push_back(-low_bit);
    maxima.push_back(high_bit);
    maxima.push_back(!non_finite_.empty());
}

inline void ExactSums::adopt_window(WordReader& maxima) {
    low_bit_ = -maxima.next();
    high_bit_ = maxima.next();
    send_non_finite_ = maxima.next() != 0;
}

inline void ExactSums::pack(std::vector<std::int64_t>& sums) {
    const std::size_t words = detail::wire_words(low_bit_, high_bit_), start = sums.size();
    sums.resize(start + words * size_);
    if (words != 0 && planes_ != 0) {
        const int base = static_cast<int>(low_bit_) / detail::digit_bits,
                  shift = static_cast<int>(low_bit_) % detail::digit_bits;
        std::vector<std::int64_t> lower(size_), upper(size_), none(size_);
        const auto digits = [&](int k) { return has(k) ? plane(k) : none.data(); };
        // Word j holds the upper part of digit j and, above it, the lower part of digit j + 1.
        std::int64_t* carried = lower.data();
        std::int64_t* next = upper.data();
        for (std::size_t j = 0; j < words; ++j) {
            const bool last = j + 1 == words;
            std::int64_t* word = sums.data() + start + j * size_;
            const std::int64_t *here = digits(base + static_cast<int>(j)),
                               *above = digits(base + static_cast<int>(j) + 1);
            for (std::size_t i = 0; i < size_; ++i) {
                const std::int64_t low_part = above[i] & ((std::int64_t{1} << shift) - 1);
                word[i] = carried[i] + (here[i] >> shift) + (low_part << (detail::digit_bits - shift));
                next[i] = 0;
            }
            if (!last) {
                detail::carry_plane(word, next, size_);
            } else {
                // What lies above the last word fits into its upper bits.
                for (std::size_t i = 0; i < size_; ++i) {
                    const auto rest = static_cast<std::uint64_t>(above[i] >> shift);
                    word[i] =
                        static_cast<std::int64_t>(static_cast<std::uint64_t>(word[i]) + (rest << detail::digit_bits));
                }
            }
            std::swap(carried, next);
        }
    }
    if (send_non_finite_) {
        if (non_finite_.empty()) non_finite_.assign(3 * size_, 0);
        sums.insert(sums.end(), non_finite_.begin(), non_finite_.end());
    }
}

inline void ExactSums::unpack(WordReader& sums) {
    clear();
    const std::size_t words = detail::wire_words(low_bit_, high_bit_);
    if (words != 0 && size_ != 0) {
        const int base = static_cast<int>(low_bit_) / detail::digit_bits,
                  shift = static_cast<int>(low_bit_) % detail::digit_bits;
        widen(base, base + static_cast<int>(words) + 1);
        const std::int64_t mask = (std::int64_t{1} << (detail::digit_bits - shift)) - 1;
        for (std::size_t j = 0; j < words; ++j) {
            const auto word = sums.take(size_);
            std::int64_t* here = plane(base + static_cast<int>(j));
            std::int64_t* above = plane(base + static_cast<int>(j) + 1);
            for (std::size_t i = 0; i < size_; ++i) {
                here[i] += (word[i] & mask) << shift;
                above[i] += word[i] >> (detail::digit_bits - shift);
            }
            detail::carry_plane(here, above, size_);
        }
    }
    if (send_non_finite_) {
        const auto counts = sums.take(3 * size_);
        non_finite_.assign(counts.begin(), counts.end());
    }
    normalise();
}

}  // namespace partita::inline PARTITA_ABI
