// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checksum of model files: XXH64, a published 64-bit hash that reads memory about as fast as memory can be read.

#include <partita/core/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace partita::inline PARTITA_ABI {

static_assert(std::endian::native == std::endian::little,
              "partita: model files are little-endian, and so must the machine be");

namespace detail {

inline constexpr std::uint64_t xxh_prime_1 = 0x9E3779B185EBCA87u;
inline constexpr std::uint64_t xxh_prime_2 = 0xC2B2AE3D27D4EB4Fu;
inline constexpr std::uint64_t xxh_prime_3 = 0x165667B19E3779F9u;
inline constexpr std::uint64_t xxh_prime_4 = 0x85EBCA77C2B2AE63u;
inline constexpr std::uint64_t xxh_prime_5 = 0x27D4EB2F165667C5u;

template <class Word>
Word load_word(const std::byte* from) {
    Word word;
    std::memcpy(&word, from, sizeof(Word));
    return word;
}

inline std::uint64_t xxh_round(std::uint64_t lane, std::uint64_t word) {
    return std::rotl(lane + word * xxh_prime_2, 31) * xxh_prime_1;
}

}  // namespace detail

/// The XXH64 hash of `bytes` under `seed`.
///
/// A change inside any one aligned word of eight bytes always changes the hash; any other change goes unnoticed with
/// probability 2^-64. It protects against accidents, not against somebody who recomputes it.
/// Source: the XXH64 specification (doc/xxhash_spec.md of the xxHash project).
inline std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed = 0) {
    using namespace detail;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t hash = seed + xxh_prime_5;
    if (left >= 32) {
        std::uint64_t lanes[4] = {seed + xxh_prime_1 + xxh_prime_2, seed + xxh_prime_2, seed, seed - xxh_prime_1};
        for (; left >= 32; left -= 32, at += 32) {
            for (int lane = 0; lane < 4; ++lane) {
                lanes[lane] = xxh_round(lanes[lane], load_word<std::uint64_t>(at + 8 * lane));
            }
        }
        hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
        for (std::uint64_t lane : lanes) hash = (hash ^ xxh_round(0, lane)) * xxh_prime_1 + xxh_prime_4;
    }
    hash += bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        hash = std::rotl(hash ^ xxh_round(0, load_word<std::uint64_t>(at)), 27) * xxh_prime_1 + xxh_prime_4;
    }
    if (left >= 4) {
        hash = std::rotl(hash ^ (load_word<std::uint32_t>(at) * xxh_prime_1), 23) * xxh_prime_2 + xxh_prime_3;
        left -= 4;
        at += 4;
    }
    for (; left > 0; --left, ++at) {
        hash = std::rotl(hash ^ (std::to_integer<std::uint64_t>(*at) * xxh_prime_5), 11) * xxh_prime_1;
    }
    hash = (hash ^ (hash >> 33)) * xxh_prime_2;
    hash = (hash ^ (hash >> 29)) * xxh_prime_3;
    return hash ^ (hash >> 32);
}

/// How many characters `checksum_text` has.
inline constexpr std::size_t checksum_text_length = 16;

/// A checksum as 16 lower-case hexadecimal digits, the most significant first.
inline std::string checksum_text(std::uint64_t value) {
    std::string text(checksum_text_length, '0');
    for (std::size_t i = checksum_text_length; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15u];
    return text;
}

}  // namespace partita::inline PARTITA_ABI
