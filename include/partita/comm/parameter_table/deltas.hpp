// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is added to a table within a clock: integers of one unit, so that their sum does not depend on the order.

#include <partita/comm/bytes.hpp>
#include <partita/core/error.hpp>
#include <partita/core/number_text.hpp>
#include <partita/core/version.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
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
    /// Of a number beyond the bound: anything.
    std::int64_t units(double value) const noexcept {
        constexpr double rounder = 0x1.8p+52;
        // The product is exact, so it does not matter whether the addition is fused with it.
        return static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(value * scale_ + rounder) -
                                         std::bit_cast<std::uint64_t>(rounder));
    }
    double value(std::int64_t units) const noexcept { return static_cast<double>(units) * unit_; }

    bool holds_sum(std::int64_t sum) const noexcept { return sum <= limit_ && sum >= -limit_; }

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

/// Errors: NumericOverflow for a sum beyond the bound.
inline void check_sums(const Deltas& deltas, std::size_t width, const TableUnit& unit) {
    bool all_hold = true;
    for (const std::int64_t sum : deltas.sums) all_hold &= unit.holds_sum(sum);
    if (all_hold) return;
    std::size_t i = 0;
    while (unit.holds_sum(deltas.sums[i])) ++i;
    const std::uint32_t key = deltas.keys[i / width];
    throw NumericOverflow("the deltas that a clock adds to key " + std::to_string(key) +
                              " of a parameter table are beyond the bound " + number_text(unit.bound()) +
                              "; raise the table's bound, or push fewer or smaller deltas in one clock",
                          Place{.element = static_cast<std::int64_t>(key), .setting = "bound"});
}

/// Appends the deltas of keys [begin, end) in the list to a message.
inline void write_deltas(const Deltas& deltas, std::size_t begin, std::size_t end, std::size_t width, Bytes& message) {
    message.reserve(message.size() + (end - begin) * (sizeof(std::uint32_t) + width * sizeof(std::int64_t)));
    ByteWriter writer(message);
    writer.write_raw(deltas.keys.data() + begin, (end - begin) * sizeof(std::uint32_t));
    writer.write_raw(deltas.sums.data() + begin * width, (end - begin) * width * sizeof(std::int64_t));
}

/// Drops all others.
inline void keep_range(Deltas& deltas, std::size_t begin, std::size_t end, std::size_t width) {
    const auto keep = [&](auto& list, std::size_t each) {
        list.resize(end * each);
        list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(begin * each));
    };
    keep(deltas.keys, 1);
    keep(deltas.sums, width);
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

/// All keys of two lists, those of both with the sum. Which key is next is no branch: nobody could foretell it. `Width` is the
/// width where the compiler is to know it, else 0.
template <std::size_t Width = 0>
Deltas merge(const Deltas& a, const Deltas& b, std::size_t width) {
    if constexpr (Width == 0) {
        if (width == 1) return merge<1>(a, b, 1);
        if (width == 2) return merge<2>(a, b, 2);
    } else {
        width = Width;
    }
    Deltas merged;
    merged.keys.resize(a.keys.size() + b.keys.size());
    merged.sums.resize(a.sums.size() + b.sums.size());
    const std::uint32_t *key_of_a = a.keys.data(), *key_of_b = b.keys.data();
    const std::uint32_t *const end_of_a = key_of_a + a.keys.size(), *const end_of_b = key_of_b + b.keys.size();
    const std::int64_t *sums_of_a = a.sums.data(), *sums_of_b = b.sums.data();
    std::uint32_t* keys = merged.keys.data();
    std::int64_t* sums = merged.sums.data();
    while (key_of_a != end_of_a && key_of_b != end_of_b) {
        const bool take_a = *key_of_a <= *key_of_b, take_b = *key_of_b <= *key_of_a;
        const std::int64_t mask_of_a = -std::int64_t{take_a}, mask_of_b = -std::int64_t{take_b};
        *keys++ = std::min(*key_of_a, *key_of_b);
        for (std::size_t k = 0; k < width; ++k) *sums++ = (sums_of_a[k] & mask_of_a) + (sums_of_b[k] & mask_of_b);
        key_of_a += take_a;
        key_of_b += take_b;
        sums_of_a += mask_of_a & static_cast<std::int64_t>(width);
        sums_of_b += mask_of_b & static_cast<std::int64_t>(width);
    }
    keys = std::copy(key_of_b, end_of_b, std::copy(key_of_a, end_of_a, keys));
    sums = std::copy(sums_of_a, a.sums.data() + a.sums.size(), sums);
    sums = std::copy(sums_of_b, b.sums.data() + b.sums.size(), sums);
    merged.keys.resize(static_cast<std::size_t>(keys - merged.keys.data()));
    merged.sums.resize(static_cast<std::size_t>(sums - merged.sums.data()));
    return merged;
}

/// Deltas of a clock that come in pieces, merged as they come by the threads that bring them: as few runs are kept as a number of
/// that size has binary digits, so that every delta is moved about as often.
class DeltaRuns {
  public:
    DeltaRuns(std::size_t width, const TableUnit& unit) : width_(width), unit_(unit) {}

    /// On any thread. Errors: NumericOverflow, at the latest before a sum could leave 64 bits. An error takes with it what others
    /// brought, so it is kept: from then on this and all else throws it again.
    void add(Deltas deltas) {
        if (deltas.keys.empty()) return throw_if_failed();
        try {
            for (Run run{std::move(deltas), 1};;) {
                Run other;
                {
                    const std::lock_guard lock(mutex_);
                    if (failure_) std::rethrow_exception(failure_);
                    const auto near = std::find_if(runs_.begin(), runs_.end(), [&](const Run& each) {
                        return each.deltas.keys.size() <= 2 * run.deltas.keys.size();
                    });
                    if (near == runs_.end()) {
                        runs_.push_back(std::move(run));
                        return;
                    }
                    other = std::move(*near);
                    runs_.erase(near);
                }
                run = merged(std::move(other), std::move(run));
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            throw;
        }
    }

    /// All of it, and begins anew.
    Deltas take() {
        throw_if_failed();
        Run all;
        for (; !runs_.empty(); runs_.pop_back())
            all = all.pieces == 0 ? std::move(runs_.back()) : merged(std::move(runs_.back()), std::move(all));
        return std::move(all.deltas);
    }

    void throw_if_failed() {
        const std::lock_guard lock(mutex_);
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    static constexpr std::size_t most_unchecked = 4096;  // of 2^50 each, so that two such sums fit into 64 bits
    struct Run {
        Deltas deltas;
        std::size_t pieces = 0;  // that nobody has checked the sum of: fewer than `most_unchecked`
    };

    Run merged(Run a, Run b) const {
        Run both{merge(a.deltas, b.deltas, width_), a.pieces + b.pieces};
        a.deltas = {};
        b.deltas = {};
        if (2 * both.deltas.keys.size() <= both.deltas.keys.capacity()) {  // most keys were in both
            both.deltas.keys.shrink_to_fit();
            both.deltas.sums.shrink_to_fit();
        }
        if (both.pieces >= most_unchecked) {
            check_sums(both.deltas, width_, unit_);
            both.pieces = 1;
        }
        return both;
    }

    std::size_t width_;
    TableUnit unit_;
    std::mutex mutex_;
    std::vector<Run> runs_;
    std::exception_ptr failure_;
};

}  // namespace partita::inline PARTITA_ABI::detail
