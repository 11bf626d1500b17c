// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers in text: the values of std::from_chars, bit for bit, faster for the short decimals that tables are made of.

#include <partita/core/version.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace partita::inline PARTITA_ABI {
namespace detail {

__extension__ using Unsigned128 = unsigned __int128;

/// What a field spells.
enum class Spelt : std::uint8_t { value, missing, no_value, out_of_range };

/// digits · 10^-scale, as read from a text.
struct Decimal {
    std::uint64_t digits = 0;
    int scale = 0;
};

/// Eight decimal digits as values 0 … 9, the first in the lowest byte.
[[gnu::always_inline]] inline std::uint64_t eight_digits(std::uint64_t values) {
    values = values * 10 + (values >> 8);
    const std::uint64_t first = (values & 0x000000FF000000FF) * 0x000F424000000064;
    const std::uint64_t second = (values >> 16 & 0x000000FF000000FF) * 0x0000271000000001;
    return (first + second) >> 32;
}

/// Bit 7 of each byte that is a point in characters whose bits were flipped by those of '0'; exact up to the first point.
inline std::uint64_t points_among(std::uint64_t flipped) {
    constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    const std::uint64_t points = flipped ^ ones * ('.' ^ '0');
    return (points - ones) & ~points & tops;
}
/// Not zero if a byte is above 9: it has its top bit set, or has it after 0x76 is added; a carry out of a byte comes from
/// one of the former.
inline std::uint64_t bytes_above_nine(std::uint64_t values) {
    return ((values + 0x7676767676767676) | values) & 0x8080808080808080;
}

/// Reads 1 to 8 characters that are digits and at most one point. The 8 bytes before `end` must be readable.
[[gnu::always_inline]] inline bool read_tiny_decimal(const char* end, std::size_t length, Decimal& result) {
    if constexpr (std::endian::native != std::endian::little) return false;
    std::uint64_t text;
    std::memcpy(&text, end - 8, 8);
    text = (text ^ 0x3030303030303030) & ~std::uint64_t{0}
                                             << (64 - 8 * length);  // what stands before becomes leading zeros
    const std::uint64_t points = points_among(text);
    int scale = 0;
    if (points != 0) {  // the digits before the point move up by one byte
        if (length == 1) return false;
        const std::uint64_t up_to_point = points ^ (points - 1);  // ends with the top bit of the point's byte
        text = (text & ~up_to_point) | (text & up_to_point >> 8) << 8;
        scale = std::countl_zero(up_to_point) >> 3;
    }
    if (bytes_above_nine(text) != 0) return false;
    result.digits = eight_digits(text);
    result.scale = scale;
    return true;
}

/// Masks over 16 characters in two words, the first character in the lowest byte of `first`.
struct CharacterMask {
    std::uint64_t first, last;
};
struct CharacterMasks {
    CharacterMask from[17], before[17];  ///< the characters from position i on, and those before it
    constexpr CharacterMasks() : from{}, before{} {
        constexpr auto below = [](int count) {
            return count <= 0 ? 0 : count >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * count)) - 1;
        };
        for (int i = 0; i <= 16; ++i) {
            before[i] = {below(i), below(i - 8)};
            from[i] = {~before[i].first, ~before[i].last};
        }
    }
};
inline constexpr CharacterMasks character_masks{};

/// Reads 1 to 16 characters that are digits and at most one point. The 16 bytes before `end` must be readable.
inline bool read_short_decimal(const char* end, std::size_t length, Decimal& result) {
    if constexpr (std::endian::native != std::endian::little) return false;
    std::uint64_t first, last;
    std::memcpy(&first, end - 16, 8);
    std::memcpy(&last, end - 8, 8);
    const CharacterMask& field = character_masks.from[16 - length];
    first = (first ^ 0x3030303030303030) & field.first;  // what stands before the field becomes leading zeros
    last = (last ^ 0x3030303030303030) & field.last;

    // Where the point is, if there is one: the digits before it move up by one byte.
    const std::uint64_t in_first = points_among(first), in_last = points_among(last);
    result.scale = 0;
    if ((in_first | in_last) != 0) {
        const int point = (in_first != 0 ? std::countr_zero(in_first) : 64 + std::countr_zero(in_last)) / 8;
        const CharacterMask& before = character_masks.before[point];
        const CharacterMask& after = character_masks.from[point + 1];
        const std::uint64_t moving = first & before.first;
        last = (last & after.last) | (last & before.last) << 8 | moving >> 56;
        first = (first & after.first) | moving << 8;
        result.scale = 15 - point;
        if (length == 1) return false;
    }
    if ((bytes_above_nine(first) | bytes_above_nine(last)) != 0) return false;
    result.digits = eight_digits(first) * 100000000 + eight_digits(last);
    return true;
}

inline constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                           1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

inline constexpr std::uint64_t power_of_five(int exponent) {
    std::uint64_t result = 1;
    for (int i = 0; i < exponent; ++i) result *= 5;
    return result;
}
inline constexpr struct PowersOfFive {
    std::uint64_t values[28];
    constexpr PowersOfFive() : values{} {
        for (int i = 0; i < 28; ++i) values[i] = power_of_five(i);
    }
} powers_of_five{};

/// number · 2^exponent, rounded once (to nearest, ties to even). `sticky` says that the number goes on behind its last bit.
template <class T>
T round_to_float(Unsigned128 number, bool sticky, int exponent) {
    constexpr int precision = std::numeric_limits<T>::digits;
    const auto high = static_cast<std::uint64_t>(number >> 64);
    const int bits =
        high != 0 ? 128 - std::countl_zero(high) : 64 - std::countl_zero(static_cast<std::uint64_t>(number));
    const int drop = bits - precision;
    std::uint64_t kept = static_cast<std::uint64_t>(number);
    if (drop > 0) {
        kept = static_cast<std::uint64_t>(number >> drop);
        const Unsigned128 rest = number & ((Unsigned128{1} << drop) - 1);
        const Unsigned128 half = Unsigned128{1} << (drop - 1);
        if (rest > half || (rest == half && (sticky || (kept & 1) != 0))) ++kept;
        exponent += drop;
    }
    // The power of two is made of its bits; all callers stay within the normal numbers.
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const auto power = static_cast<Bits>(exponent + std::numeric_limits<T>::max_exponent - 1) << (precision - 1);
    return static_cast<T>(kept) * std::bit_cast<T>(power);
}

/// digits · 10^-scale for a scale within ±18, correctly rounded: one exact integer, or one exact quotient with remainder.
template <class T>
[[gnu::noinline]] T exact_decimal(std::uint64_t digits, int scale) {
    if (digits == 0) return T{0};
    if (scale <= 0) return round_to_float<T>(Unsigned128{digits} * powers_of_five.values[-scale], false, -scale);
    const int shift = std::countl_zero(digits);
    const std::uint64_t divisor = powers_of_five.values[scale];
    const Unsigned128 numerator = Unsigned128{digits << shift} << 64;
    const Unsigned128 quotient = numerator / divisor;
    return round_to_float<T>(quotient, quotient * divisor != numerator, -64 - shift - scale);
}

/// The number of a short decimal, the same as std::from_chars gives; false where that is out of reach here.
inline bool to_float(Decimal decimal, double& result) {
    if (decimal.digits >> 53 == 0 && decimal.scale >= -22 && decimal.scale <= 22) {
        // Both numbers are exact, so one operation rounds once.
        const auto digits = static_cast<double>(static_cast<std::int64_t>(decimal.digits));
        result = decimal.scale >= 0 ? digits / powers_of_ten[decimal.scale] : digits * powers_of_ten[-decimal.scale];
        return true;
    }
    if (decimal.scale < -18 || decimal.scale > 27) return false;
    result = exact_decimal<double>(decimal.digits, decimal.scale);
    return true;
}
inline bool to_float(Decimal decimal, float& result) {
    if (decimal.digits >> 53 == 0 && decimal.scale >= -22 && decimal.scale <= 22) {
        double wide = 0;
        to_float(decimal, wide);
        // Rounding twice goes wrong only where the first result is half-way between two floats: every other double lies on
        // the same side of that border as the exact number.
        if ((std::bit_cast<std::uint64_t>(wide) & 0x1FFFFFFF) != 0x10000000) {
            result = static_cast<float>(wide);
            return true;
        }
    }
    if (decimal.scale < -18 || decimal.scale > 27) return false;
    result = exact_decimal<float>(decimal.digits, decimal.scale);
    return true;
}

/// Reads digits, one point and an exponent of up to 19 significant digits; false for all else.
[[gnu::noinline]] inline bool read_long_decimal(const char* text, const char* end, Decimal& result) {
    std::uint64_t digits = 0;
    int significant = 0, scale = 0, seen = 0;
    bool fraction = false;
    for (; text != end; ++text) {
        const auto value = static_cast<unsigned>(static_cast<unsigned char>(*text)) - '0';
        if (value <= 9) {
            digits = digits * 10 + value;
            seen = 1;
            scale += fraction ? 1 : 0;
            significant += digits != 0 ? 1 : 0;
            if (significant > 19) return false;
        } else if (*text == '.' && !fraction) {
            fraction = true;
        } else {
            break;
        }
    }
    if (seen == 0) return false;
    if (text != end) {
        if ((*text | 0x20) != 'e' || ++text == end) return false;
        const bool negative = *text == '-';
        if ((negative || *text == '+') && ++text == end) return false;
        int exponent = 0;
        for (; text != end; ++text) {
            const auto value = static_cast<unsigned>(static_cast<unsigned char>(*text)) - '0';
            if (value > 9 || exponent > 999) return false;
            exponent = exponent * 10 + static_cast<int>(value);
        }
        scale += negative ? exponent : -exponent;
    }
    for (; (digits >> 53 != 0 || scale > 22) && digits % 10 == 0 && scale > 0 && digits != 0; --scale) digits /= 10;
    result = {digits, scale};
    return true;
}

/// Whether a decimal that std::from_chars found out of range is too small rather than too large.
inline bool is_tiny(const char* text, const char* end) {
    std::int64_t magnitude = 0;  // of the first significant digit
    bool fraction = false, significant = false;
    for (; text != end && (*text | 0x20) != 'e'; ++text) {
        if (*text == '.') {
            fraction = true;
        } else if (*text >= '0' && *text <= '9') {
            if (*text != '0') significant = true;
            if (!fraction && significant) ++magnitude;
            if (fraction && !significant) --magnitude;
        }
    }
    if (text != end) {
        ++text;
        const bool negative = text != end && *text == '-';
        std::int64_t exponent = 0;
        for (; text != end; ++text)
            if (*text >= '0' && *text <= '9' && exponent < 100000000000) exponent = exponent * 10 + (*text - '0');
        magnitude += negative ? -exponent : exponent;
    }
    return magnitude < 0;
}

/// Any spelling of a floating-point number: what std::from_chars takes, and one leading plus sign. A number too small for
/// T is zero, one too large is out of range, a NaN is missing.
template <class T>
Spelt parse_any_float(const char* text, const char* end, T& result) {
    if (text != end && *text == '+') {
        ++text;
        if (text != end && (*text == '-' || *text == '+')) return Spelt::no_value;
    }
    const auto [stop, problem] = std::from_chars(text, end, result);
    if (stop != end || problem == std::errc::invalid_argument) return Spelt::no_value;
    if (problem == std::errc::result_out_of_range) {
        if (!is_tiny(text, end)) return Spelt::out_of_range;
        result = *text == '-' ? -T{0} : T{0};
        return Spelt::value;
    }
    return result != result ? Spelt::missing : Spelt::value;
}

/// Any spelling of an integer: digits with an optional sign.
template <class T>
Spelt parse_any_integer(const char* text, const char* end, T& result) {
    if (text != end && *text == '+') {
        ++text;
        if (text != end && (*text == '-' || *text == '+')) return Spelt::no_value;
    }
    if constexpr (std::is_unsigned_v<T>) {  // "-0" and "-5" are integers all the same
        if (end - text > 1 && *text == '-') {
            std::int64_t signed_value = 0;
            const Spelt spelt = parse_any_integer(text, end, signed_value);
            if (spelt != Spelt::value) return spelt;
            result = 0;
            return signed_value == 0 ? Spelt::value : Spelt::out_of_range;
        }
    }
    const auto [stop, problem] = std::from_chars(text, end, result);
    if (stop != end || problem == std::errc::invalid_argument) return Spelt::no_value;
    return problem == std::errc::result_out_of_range ? Spelt::out_of_range : Spelt::value;
}

/// A number as tables spell it; `readable` is how many bytes before `text` may be read. False: take the slow way.
template <class T>
[[gnu::always_inline]] inline bool parse_number_fast(const char* text, const char* end, std::size_t readable,
                                                     T& result) {
    const bool negative = text != end && *text == '-';
    const char* first = text + static_cast<int>(negative);
    const auto length = static_cast<std::size_t>(end - first);
    Decimal decimal;
    if (length - 1 < 8 && length + static_cast<std::size_t>(negative) + readable >= 8) {
        if (!read_tiny_decimal(end, length, decimal)) {
            if constexpr (!std::is_floating_point_v<T>) return false;
            if (!read_long_decimal(first, end, decimal)) return false;
        }
    } else if (length - 1 < 16 && length + static_cast<std::size_t>(negative) + readable >= 16) {
        if (!read_short_decimal(end, length, decimal)) {
            if constexpr (!std::is_floating_point_v<T>) return false;
            if (!read_long_decimal(first, end, decimal)) return false;
        }
    } else {
        if constexpr (!std::is_floating_point_v<T>) return false;
        if (length == 18 && first[0] == '0' && first[1] == '.') {
            if (!read_short_decimal(end, 16, decimal) || decimal.scale != 0 || end[-1] == '.') return false;
            decimal.scale = 16;
        } else if (!read_long_decimal(first, end, decimal)) {
            return false;
        }
    }
    if constexpr (std::is_floating_point_v<T>) {
        T value;
        if (!to_float(decimal, value)) return false;
        using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;  // signs are random: no branch
        result = std::bit_cast<T>(std::bit_cast<Bits>(value) ^ static_cast<Bits>(negative) << (sizeof(T) * 8 - 1));
        return true;
    } else {
        if (decimal.scale != 0 || first[0] == '.' || end[-1] == '.') return false;
        const auto value = static_cast<std::int64_t>(decimal.digits);  // below 10^16
        const auto wanted = negative ? -value : value;
        result = static_cast<T>(wanted);
        if constexpr (sizeof(T) < 8) return static_cast<std::int64_t>(result) == wanted;
        return std::is_signed_v<T> || !negative;
    }
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
