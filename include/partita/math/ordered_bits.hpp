// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers as integers of the same order: what extremes and quantiles compare, since integers have no signed zeros and their
// comparisons may be done in any order.

#include <partita/core/version.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace partita::inline PARTITA_ABI {

/// A number that has an order and at most 64 bits.
template <class T>
concept Orderable = (std::integral<T> && sizeof(T) <= 8) || std::same_as<T, float> || std::same_as<T, double>;

/// The signed integer of T's size.
template <Orderable T>
using OrderedBits = std::conditional_t<
    sizeof(T) == 1, std::int8_t,
    std::conditional_t<sizeof(T) == 2, std::int16_t, std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>>;

/// An integer that compares like the value; both zeros have the same, not-a-numbers lie beyond the infinities.
template <Orderable T>
constexpr OrderedBits<T> ordered_bits(T value) {
    using Bits = OrderedBits<T>;
    if constexpr (std::floating_point<T>) {
        // Adding zero makes -0 to +0 and changes nothing else.
        const auto bits = std::bit_cast<Bits>(value + T{0});
        return bits ^ ((bits >> (8 * sizeof(T) - 1)) & static_cast<Bits>(~(std::uint64_t{1} << (8 * sizeof(T) - 1))));
    } else if constexpr (std::is_signed_v<T>) {
        return static_cast<Bits>(value);
    } else {
        return static_cast<Bits>(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << (8 * sizeof(T) - 1)));
    }
}
/// The value of these ordered bits.
template <Orderable T>
constexpr T from_ordered_bits(OrderedBits<T> bits) {
    using Bits = OrderedBits<T>;
    if constexpr (std::floating_point<T>) {
        return std::bit_cast<T>(static_cast<Bits>(
            bits ^ ((bits >> (8 * sizeof(T) - 1)) & static_cast<Bits>(~(std::uint64_t{1} << (8 * sizeof(T) - 1))))));
    } else if constexpr (std::is_signed_v<T>) {
        return static_cast<T>(bits);
    } else {
        return static_cast<T>(static_cast<std::uint64_t>(bits) ^ (std::uint64_t{1} << (8 * sizeof(T) - 1)));
    }
}

}  // namespace partita::inline PARTITA_ABI
