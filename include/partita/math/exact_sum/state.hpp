// SPDX-License-Identifier: Apache-2.0
#pragma once

// How exact sums keep, combine and round their digits. Included at the end of exact_sum.hpp.

#include <partita/math/exact_sum.hpp>

namespace partita::inline PARTITA_ABI {

inline void ExactSums::fail() {
    throw WrongWidth(
        "an exact sum was given more or fewer values than it has elements: construct or resize it to the number "
        "of values that are added");
}

inline void ExactSums::resize(std::size_t size) {
    if (size <= size_) return;
    // Half as much again where there are digits to move, so that growing one by one stays cheap.
    std::size_t stride = stride_;
    if (size + detail::plane_padding > stride_) {
        const std::size_t wanted = std::max(size, planes_ ? stride_ + stride_ / 2 : 0);
        stride = (wanted + 2 * detail::plane_padding - 1) / detail::plane_padding * detail::plane_padding;
    }
    if (stride != stride_ && planes_ != 0) {
        std::vector<std::int64_t> digits(stride * static_cast<std::size_t>(planes_));
        for (std::size_t k = 0; k < static_cast<std::size_t>(planes_); ++k) {
            std::copy_n(digits_.data() + k * stride_, size_, digits.data() + k * stride);
        }
        digits_ = std::move(digits);
    }
    if (!non_finite_.empty()) {
        std::vector<std::int64_t> counts(3 * size);
        for (std::size_t kind = 0; kind < 3; ++kind) {
            std::copy_n(non_finite_.data() + kind * size_, size_, counts.data() + kind * size);
        }
        non_finite_ = std::move(counts);
    }
    size_ = size;
    stride_ = stride;
}

inline void ExactSums::widen(int low, int high) {
    if (planes_ == 0) {
        lowest_ = low;
        planes_ = high - low + 1;
        digits_.assign(static_cast<std::size_t>(planes_) * stride_, 0);
        return;
    }
    if (low < lowest_) {
        digits_.insert(digits_.begin(), static_cast<std::size_t>(lowest_ - low) * stride_, 0);
        planes_ += lowest_ - low;
        lowest_ = low;
    }
    if (high > top()) {
        planes_ = high - lowest_ + 1;
        digits_.resize(static_cast<std::size_t>(planes_) * stride_);
    }
}

inline void ExactSums::carry() {
    for (int k = lowest_; planes_ != 0 && k <= top(); ++k) {
        if (k < top()) {
            detail::carry_plane(plane(k), plane(k + 1), size_);
            continue;
        }
        bool any = false;
        for (std::size_t i = 0; i < size_; ++i) any |= ((plane(k)[i] + detail::half_digit) >> detail::digit_bits) != 0;
        if (!any) break;
        widen(lowest_, k + 1);
        detail::carry_plane(plane(k), plane(k + 1), size_);
    }
    pending_ = planes_ != 0;
}

/// Balances the digits of one sum.
inline void ExactSums::settle(std::size_t index) {
    std::int64_t carried = 0;
    for (int k = lowest_; k <= top() || carried != 0; ++k) {
        if (k > top()) widen(lowest_, k);
        std::int64_t& digit = plane(k)[index];
        digit += carried;
        carried = digit;
        digit = detail::take_digit(carried);
    }
}

inline void ExactSums::add_units(std::size_t index, int low, detail::Int128 units) {
    pending_ = std::max<std::int64_t>(pending_, 1);
    const std::int64_t bound = pending_ * detail::half_digit;
    bool beyond = false;
    for (int k = low; units != 0; ++k) {
        const std::int64_t digit = detail::take_digit(units);
        if (digit == 0) continue;
        if (!has(k)) widen(planes_ ? std::min(lowest_, k) : k, planes_ ? std::max(top(), k) : k);
        std::int64_t& at = plane(k)[index];
        at += digit;
        beyond |= at > bound || at < -bound;
    }
    if (beyond) settle(index);
}

inline void ExactSums::add_finite(std::size_t index, double value) {
    const detail::Parts parts = detail::parts_of(value);
    add_units(index, parts.exponent / detail::digit_bits,
              static_cast<detail::Int128>(parts.mantissa) << (parts.exponent % detail::digit_bits));
}

inline void ExactSums::count_non_finite(std::size_t index, double value) {
    if (non_finite_.empty()) non_finite_.assign(3 * size_, 0);
    const std::size_t kind = magnitude_bits(value) > detail::infinity_bits ? not_a_number
                             : value > 0                                   ? positive_infinity
                                                                           : negative_infinity;
    ++non_finite_[kind * size_ + index];
}

inline void ExactSums::add(std::size_t index, double value) {
    if (index >= size_) fail();
    if (magnitude_bits(value) >= detail::infinity_bits) {
        count_non_finite(index, value);
    } else {
        add_finite(index, value);
    }
}

/// Makes room for all values that the kernels can take.
inline void ExactSums::widen_for(std::span<const double> values) {
    int low = detail::plane_limit, high = -1;
    for (double value : values) {
        const std::uint64_t bits = magnitude_bits(value);
        if (bits == 0 || bits > detail::fast_limit_bits(detail::highest_fast_plane)) continue;
        low = std::min(low, detail::lowest_plane_of(value));
        high = std::max(high, detail::highest_plane_of(bits));
    }
    if (high < 0) return;
    widen(planes_ ? std::min(low, lowest_) : low, planes_ ? std::max(high, top()) : high);
}

inline void ExactSums::add(std::size_t first, std::span<const double> values) {
    if (values.size() > size_ || first > size_ - values.size()) fail();
    if (pending_ >= pending_limit) carry();
    ++pending_;
    if (planes_ == 0) widen_for(values);
    for (std::size_t i = 0; i < values.size(); i += detail::tile_size) {
        add_tile(first + i, values.subspan(i, std::min(detail::tile_size, values.size() - i)));
    }
}

inline void ExactSums::add_tile(std::size_t first, std::span<const double> values) {
    const double* from = values.data();
    double ordinary[detail::tile_size];
    int highest = planes_ ? std::min(top(), detail::highest_fast_plane) : -1;
    if (detail::any_above(from, values.size(), detail::fast_limit_bits(highest))) {
        widen_for(values);
        // What no splitter can take goes its own way; the rest follows with zeros in its place.
        for (std::size_t i = 0; i < values.size(); ++i) {
            const bool fast = magnitude_bits(values[i]) <= detail::fast_limit_bits(detail::highest_fast_plane);
            ordinary[i] = fast ? values[i] : 0.0;
            if (!fast) add(first + i, values[i]);
        }
        from = ordinary;
        highest = planes_ ? std::min(top(), detail::highest_fast_plane) : -1;
    }
    if (highest < lowest_ || planes_ == 0) {
        // Nothing but zeros, or a window that lies above all splitters.
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (from[i] != 0) add_finite(first + i, from[i]);
        }
        return;
    }
    const int lowest = lowest_;
    if (detail::deposit_tile(plane(highest) + first, stride_, highest, highest - lowest + 1, from, values.size()))
        return;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double rest = detail::split_one(from[i], highest, lowest);
        if (rest != 0) add_finite(first + i, rest);
    }
}

inline void ExactSums::add_all(std::size_t index, std::span<const double> values) {
    if (index >= size_) fail();
    constexpr int planes = 3;
    constexpr std::size_t chunk_size = 4096;
    for (; !values.empty(); values = values.subspan(std::min(chunk_size, values.size()))) {
        const auto chunk = values.first(std::min(chunk_size, values.size()));
        const std::uint64_t largest = detail::largest_magnitude_bits(chunk.data(), chunk.size());
        if (largest > detail::fast_limit_bits(detail::highest_fast_plane) || chunk.size() < 2 * detail::lane_count) {
            for (double value : chunk) add(index, value);
            continue;
        }
        const int high = std::max(detail::highest_plane_of(largest), planes - 1), low = high - planes + 1;
        detail::Int128 totals[planes];
        if (!detail::sum_planes<planes>(totals, high, chunk.data(), chunk.size())) {
            for (double value : chunk) {
                const double rest = detail::split_one(value, high, low);
                if (rest != 0) add_finite(index, rest);
            }
        }
        for (int k = 0; k < planes; ++k) add_units(index, high - k, totals[k]);
    }
}

inline void ExactSums::add_sum(std::size_t index, const ExactSums& other, std::size_t other_index) {
    if (index >= size_ || other_index >= other.size_) fail();
    for (int k = other.lowest_; other.planes_ != 0 && k <= other.top(); ++k) {
        add_units(index, k, other.plane(k)[other_index]);
    }
    if (other.non_finite_.empty()) return;
    if (non_finite_.empty()) non_finite_.assign(3 * size_, 0);
    for (std::size_t kind = 0; kind < 3; ++kind) {
        non_finite_[kind * size_ + index] += other.non_finite(kind, other_index);
    }
}

template <int Sign>
void ExactSums::combine(const ExactSums& other) {
    resize(other.size_);
    if (other.planes_ != 0) {
        if (pending_ + other.pending_ > pending_limit) carry();
        if (pending_ + other.pending_ > pending_limit) {
            ExactSums carried = other;
            carried.carry();
            combine<Sign>(carried);
            return;
        }
        widen(planes_ ? std::min(lowest_, other.lowest_) : other.lowest_,
              planes_ ? std::max(top(), other.top()) : other.top());
        pending_ += other.pending_;
        for (int k = other.lowest_; k <= other.top(); ++k) {
            std::int64_t* mine = plane(k);
            const std::int64_t* theirs = other.plane(k);
            for (std::size_t i = 0; i < other.size_; ++i) mine[i] += Sign * theirs[i];
        }
    }
    if (!other.non_finite_.empty()) {
        if (non_finite_.empty()) non_finite_.assign(3 * size_, 0);
        for (std::size_t kind = 0; kind < 3; ++kind) {
            for (std::size_t i = 0; i < other.size_; ++i) {
                non_finite_[kind * size_ + i] += Sign * other.non_finite_[kind * other.size_ + i];
            }
        }
    }
}

inline void ExactSums::normalise() {
    carry();
    const auto empty = [&](int k) {
        std::int64_t any = 0;
        for (std::size_t i = 0; i < size_; ++i) any |= plane(k)[i];
        return any == 0;
    };
    int low = lowest_, high = top();
    while (low <= high && empty(low)) ++low;
    while (high > low && empty(high)) --high;
    if (low > high) {
        digits_.clear();
        planes_ = lowest_ = 0;
        pending_ = 0;
    } else {
        digits_.erase(digits_.begin(), digits_.begin() + (plane(low) - plane(lowest_)));
        lowest_ = low;
        planes_ = high - low + 1;
        digits_.resize(static_cast<std::size_t>(planes_) * stride_);
    }
    if (std::all_of(non_finite_.begin(), non_finite_.end(), [](std::int64_t count) { return count == 0; })) {
        non_finite_.clear();
    }
}

inline bool ExactSums::same_digits(const ExactSums& other) const {
    for (int k = lowest_; planes_ != 0 && k <= top(); ++k) {
        if (!std::equal(plane(k), plane(k) + size_, other.plane(k))) return false;
    }
    return true;
}

inline detail::WideInteger ExactSums::digits_of(std::size_t index) const {
    detail::WideInteger all;
    for (int k = lowest_; planes_ != 0 && k <= top(); ++k) all.add(k, plane(k)[index]);
    return all;
}

inline double ExactSums::value(std::size_t index) const {
    if (index >= size_) fail();
    if (!non_finite_.empty()) {
        const bool up = non_finite(positive_infinity, index) != 0, down = non_finite(negative_infinity, index) != 0;
        if (non_finite(not_a_number, index) != 0 || (up && down)) return __builtin_nan("");
        if (up || down) return up ? __builtin_inf() : -__builtin_inf();
    }
    if (planes_ == 0) return 0.0;
    if (planes_ <= 2) {
        detail::Int128 units = plane(lowest_)[index];
        if (planes_ == 2) units += static_cast<detail::Int128>(plane(lowest_ + 1)[index]) << detail::digit_bits;
        return detail::scaled(units, lowest_);
    }
    return digits_of(index).rounded();
}

inline DoublePair ExactSums::value2(std::size_t index) const {
    if (index < size_ && non_finite_.empty()) {
        int low = lowest_, upper = top();
        while (low <= upper && plane(low)[index] == 0) ++low;
        if (low > upper) return {};
        while (plane(upper)[index] == 0) --upper;
        // The usual case needs no wide integers: two digits, which are doubles, as is the unit of their plane.
        std::int64_t above = plane(low)[index];
        const std::int64_t digit = detail::take_digit(above);
        if (upper > low) above += plane(low + 1)[index];
        if (upper <= low + 1 && above >= -detail::half_digit && above <= detail::half_digit && low >= 1 &&
            low < detail::highest_fast_plane) {
            const double unit = std::bit_cast<double>(static_cast<std::uint64_t>(52 * low - 1074 + 1023) << 52);
            const DoublePair units = DoublePair::sum(static_cast<double>(above) * 0x1p52, static_cast<double>(digit));
            return {units.high * unit, units.low * unit};
        }
    }
    const double high = value(index);
    if (magnitude_bits(high) >= detail::infinity_bits) return {high, 0.0};
    detail::WideInteger rest = digits_of(index);
    rest.add(-high);
    return {high, rest.rounded()};
}

}  // namespace partita::inline PARTITA_ABI
