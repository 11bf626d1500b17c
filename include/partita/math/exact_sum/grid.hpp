// SPDX-License-Identifier: Apache-2.0
#pragma once

// The absolute grid on which exact sums keep their digits, and the arithmetic of one element on it.
//
// Plane k counts units of 2^(52k - 1074), so plane 0 ends at the smallest subnormal and every double is a whole number of
// units. A digit is balanced if it lies in [-2^51, 2^51): then the digits of a number are unique.

#include <partita/core/version.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace partita::inline PARTITA_ABI::detail {

__extension__ using Int128 = __int128;
__extension__ using UnsignedInt128 = unsigned __int128;

inline constexpr int digit_bits = 52;
inline constexpr std::int64_t half_digit = std::int64_t{1} << (digit_bits - 1);
/// 2^63 copies of the largest double end below plane 42.
inline constexpr int plane_limit = 44;
/// Above this plane the addend that splits a double into digits would overflow.
inline constexpr int highest_fast_plane = 39;

inline constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
inline constexpr std::uint64_t infinity_bits = std::uint64_t{2047} << 52;

constexpr std::uint64_t magnitude_bits(double value) { return std::bit_cast<std::uint64_t>(value) & ~sign_bit; }

/// 1.5·2^52 units of the plane: adding it to |x| ≤ 2^51 units rounds x to whole units, and the bit patterns of sum and addend
/// differ by that whole number.
constexpr double splitter(int plane) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(52 * plane + 1) << 52 | std::uint64_t{1} << 51);
}
/// The bits of the largest magnitude that the splitter of the plane may be given: 2^51 units.
constexpr std::uint64_t fast_limit_bits(int plane) {
    if (plane < 0) return 0;
    return plane == 0 ? std::uint64_t{1} << 51 : static_cast<std::uint64_t>(52 * plane) << 52;
}
/// The lowest plane whose splitter takes a number of these magnitude bits (beyond highest_fast_plane: none does).
constexpr int highest_plane_of(std::uint64_t bits) {
    int plane = static_cast<int>(bits >> 52) / 52;
    return bits <= fast_limit_bits(plane) ? plane : plane + 1;
}

/// A finite double as mantissa·2^(exponent - 1074).
struct Parts {
    std::int64_t mantissa;
    int exponent;
};
constexpr Parts parts_of(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const int field = static_cast<int>(bits >> 52 & 2047);
    auto mantissa = static_cast<std::int64_t>(bits & ((std::uint64_t{1} << 52) - 1));
    if (field) mantissa |= std::int64_t{1} << 52;
    return {bits >> 63 ? -mantissa : mantissa, field ? field - 1 : 0};
}
/// The plane in which the lowest bit of a finite double other than zero lies.
constexpr int lowest_plane_of(double value) {
    const Parts parts = parts_of(value);
    return (parts.exponent + std::countr_zero(static_cast<std::uint64_t>(parts.mantissa))) / digit_bits;
}

/// Splits off the balanced lowest digit: value = digit + 2^52·(what is left in `value`).
template <class Integer>
constexpr std::int64_t take_digit(Integer& value) {
    const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 12) >> 12;
    value = (value >> digit_bits) + (low < 0);
    return low;
}

/// v·2^(52·plane - 1074), rounded once; for integers v of at most 126 bits whose product is no subnormal, or is exact.
inline double scaled(Int128 value, int plane, int bits_below = 0) {
    return __builtin_ldexp(static_cast<double>(value), digit_bits * plane - 1074 - bits_below);
}

/// All planes of one number.
class WideInteger {
  public:
    /// Adds value units of the plane.
    constexpr void add(int plane, std::int64_t value) {
        std::int64_t rest = value;
        for (; rest != 0; ++plane) {
            std::int64_t sum = digits_[static_cast<std::size_t>(plane)] + take_digit(rest);
            digits_[static_cast<std::size_t>(plane)] = take_digit(sum);
            rest += sum;
        }
    }
    constexpr void add(double finite) {
        const Parts parts = parts_of(finite);
        Int128 value = static_cast<Int128>(parts.mantissa) << (parts.exponent % digit_bits);
        for (int plane = parts.exponent / digit_bits; value != 0; ++plane) add(plane, take_digit(value));
    }

    /// The nearest double, ties to even; infinite beyond the largest.
    double rounded() const {
        int top = plane_limit - 1;
        while (top > 0 && digits_[static_cast<std::size_t>(top)] == 0) --top;
        if (top <= 1) return scaled((static_cast<Int128>(digits_[1]) << digit_bits) + digits_[0], 0);
        // With digits of one sign, three of them hold more bits than a double; whether anything follows decides ties.
        const bool negative = digits_[static_cast<std::size_t>(top)] < 0;
        std::array<std::int64_t, plane_limit> digits{};
        std::int64_t borrow = 0;
        for (int k = 0; k <= top; ++k) {
            const auto at = static_cast<std::size_t>(k);
            const std::int64_t digit = (negative ? -digits_[at] : digits_[at]) + borrow;
            borrow = k < top ? digit >> digit_bits : 0;
            digits[at] = digit - (borrow << digit_bits);
        }
        if (digits[static_cast<std::size_t>(top)] == 0) --top;
        const auto first = static_cast<std::size_t>(top);
        Int128 leading = (static_cast<Int128>(digits[first]) << digit_bits) + digits[first - 1];
        int bits_below = 0;
        if (first >= 2) {
            bits_below = 20;
            leading = (leading << bits_below) + (digits[first - 2] >> (digit_bits - bits_below));
            bool more = (digits[first - 2] & ((std::int64_t{1} << (digit_bits - bits_below)) - 1)) != 0;
            for (std::size_t k = 0; k + 2 < first; ++k) more |= digits[k] != 0;
            if (more) leading |= 1;
        }
        return scaled(negative ? -leading : leading, top - 1, bits_below);
    }

  private:
    std::array<std::int64_t, plane_limit> digits_{};
};

}  // namespace partita::inline PARTITA_ABI::detail
