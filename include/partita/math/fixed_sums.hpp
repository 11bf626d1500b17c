// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sums in integers of one unit.

#include <partita/core/version.hpp>
#include <partita/math/word_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Many sums of integers in one unit, which is agreed before the pass: for gradients with far more elements than a block touches.
/// An exact accumulator (math/accumulator.hpp).
class FixedSums {
  public:
    FixedSums() = default;
    explicit FixedSums(std::size_t size) : sums_(size) {}

    std::span<std::int64_t> sums() { return sums_; }
    std::span<const std::int64_t> sums() const { return sums_; }

    void merge(const FixedSums& other) {
        if (sums_.size() < other.sums_.size()) sums_.resize(other.sums_.size());
        for (std::size_t i = 0; i < other.sums_.size(); ++i) sums_[i] += other.sums_[i];
    }

    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>& maxima) const {
        maxima.push_back(static_cast<std::int64_t>(sums_.size()));
    }
    void adopt_shape(WordReader& maxima) { sums_.resize(static_cast<std::size_t>(maxima.next())); }
    void offer_window(std::vector<std::int64_t>&) const {}
    void adopt_window(WordReader&) {}
    void pack(std::vector<std::int64_t>& words) const { words.insert(words.end(), sums_.begin(), sums_.end()); }
    void unpack(WordReader& words) {
        for (std::int64_t& sum : sums_) sum = words.next();
    }

  private:
    std::vector<std::int64_t> sums_;
};

}  // namespace partita::inline PARTITA_ABI::detail
