// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is added to a table within a clock: integers of one unit, so that their sum does not depend on the order.

#include <partita/comm/bytes.hpp>
#include <partita/core/error.hpp>
#include <partita/core/number_text.hpp>
#include <partita/core/version.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Numbers up to a bound as multiples of a power of two, 2^-50 of the bound or a little more. A sum of 4095 workers' sums, each
/// within the bound, fits into 64 bits.
class TableUnit {
  public:
    /// The largest bound in units. Adding `rounder` rounds to an integer below 2^51.
    static constexpr std::int64_t most = std::int64_t{1} << 50;

    TableUnit() = default;
    explicit TableUnit(double bound) : bound_(bound) {
        int exponent = 0;
        const double fraction = std::frexp(bound, &exponent);
        if (fraction == 0.5) --exponent;  // a power of two is itself 2^50 units
        unit_ = std::ldexp(1.0, exponent - 50);
        scale_ = std::ldexp(1.0, 50 - exponent);
        limit_ = static_cast<std::int64_t>(bound * scale_);
    }

    double bound() const noexcept { return bound_; }
    bool holds(double value) const noexcept { return std::abs(value) <= bound_; }  // false for NaN
    std::int64_t units(double value) const noexcept {
        constexpr double rounder = 0x1.8p+52;
        // The product is exact, so it does not matter whether the addition is fused with it.
        return std::bit_cast<std::int64_t>(value * scale_ + rounder) - std::bit_cast<std::int64_t>(rounder);
    }
    double value(std::int64_t units) const noexcept { return static_cast<double>(units) * unit_; }

    /// Errors: NumericOverflow for a sum beyond the bound.
    void check(std::int64_t sum, std::uint64_t key) const {
        if (sum <= limit_ && sum >= -limit_) return;
        throw NumericOverflow("the deltas that a clock adds to key " + std::to_string(key) +
                                  " of a parameter table are beyond the bound " + number_text(bound_) +
                                  "; raise the table's bound, or push fewer or smaller deltas in one clock",
                              Place{.element = static_cast<std::int64_t>(key), .setting = "bound"});
    }

  private:
    double bound_ = 1;
    double unit_ = 1;
    double scale_ = 1;
    std::int64_t limit_ = 1;
};

/// Sums of a clock: `width` of them for each of some ascending keys.
struct Deltas {
    std::vector<std::uint32_t> keys;
    std::vector<std::int64_t> sums;
};

/// Appends the deltas of keys [begin, end) in the list to a message.
inline void write_deltas(const Deltas& deltas, std::size_t begin, std::size_t end, std::size_t width, Bytes& message) {
    ByteWriter writer(message);
    writer.write_raw(deltas.keys.data() + begin, (end - begin) * sizeof(std::uint32_t));
    writer.write_raw(deltas.sums.data() + begin * width, (end - begin) * width * sizeof(std::int64_t));
}

inline Deltas read_deltas(std::span<const std::byte> message, std::size_t width) {
    Deltas deltas;
    deltas.keys.resize(message.size() / (sizeof(std::uint32_t) + width * sizeof(std::int64_t)));
    deltas.sums.resize(deltas.keys.size() * width);
    ByteReader reader(message);
    reader.read_raw(deltas.keys.data(), deltas.keys.size() * sizeof(std::uint32_t));
    reader.read_raw(deltas.sums.data(), deltas.sums.size() * sizeof(std::int64_t));
    return deltas;
}

/// Deltas of a clock that come in pieces, merged as they come: as few pieces are kept as a number of that size has binary
/// digits, so that every delta is moved about as often.
class DeltaRuns {
  public:
    void add(Deltas run, std::size_t width) {
        if (run.keys.empty()) return;
        runs_.push_back(std::move(run));
        while (runs_.size() > 1 && runs_[runs_.size() - 2].keys.size() <= 2 * runs_.back().keys.size())
            merge_last(width);
    }

    /// All of it, and begins anew.
    Deltas take(std::size_t width) {
        while (runs_.size() > 1) merge_last(width);
        if (runs_.empty()) return {};
        Deltas all = std::move(runs_.back());
        runs_.clear();
        return all;
    }

  private:
    void merge_last(std::size_t width) {
        const Deltas& a = runs_[runs_.size() - 2];
        const Deltas& b = runs_.back();
        Deltas merged;
        merged.keys.reserve(a.keys.size() + b.keys.size());
        merged.sums.reserve(a.sums.size() + b.sums.size());
        const auto append = [&](const Deltas& from, std::size_t i) {
            merged.keys.push_back(from.keys[i]);
            for (std::size_t k = 0; k < width; ++k) merged.sums.push_back(from.sums[i * width + k]);
        };
        std::size_t i = 0, j = 0;
        while (i < a.keys.size() && j < b.keys.size()) {
            if (a.keys[i] < b.keys[j]) {
                append(a, i++);
            } else if (b.keys[j] < a.keys[i]) {
                append(b, j++);
            } else {
                merged.keys.push_back(a.keys[i]);
                for (std::size_t k = 0; k < width; ++k)
                    merged.sums.push_back(a.sums[i * width + k] + b.sums[j * width + k]);
                ++i, ++j;
            }
        }
        for (; i < a.keys.size(); ++i) append(a, i);
        for (; j < b.keys.size(); ++j) append(b, j);
        runs_.pop_back();
        runs_.back() = std::move(merged);
    }

    std::vector<Deltas> runs_;
};

}  // namespace partita::inline PARTITA_ABI::detail
