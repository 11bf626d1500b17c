// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random numbers that are functions of what they are drawn for, not of how many were drawn before: the draw for row 17 is the
// same whichever thread or process asks, and in whatever order.

#include <partita/core/version.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace partita::inline PARTITA_ABI {

/// The counter-based generator Philox4x32-10: 128 random bits for each (counter, key).
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
struct Philox4x32 {
    using Counter = std::array<std::uint32_t, 4>;
    using Key = std::array<std::uint32_t, 2>;

    static constexpr Counter draw(Counter counter, Key key) {
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t a = std::uint64_t{0xd2511f53} * counter[0], b = std::uint64_t{0xcd9e8d57} * counter[2];
            counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
            key[0] += 0x9e3779b9;
            key[1] += 0xbb67ae85;
        }
        return counter;
    }

    static constexpr std::uint32_t low(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
    static constexpr std::uint32_t high(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
};

/// The number of the stream of this name, for the third argument of the draws: uses of one seed that must not repeat each
/// other's numbers draw from streams of their own.
constexpr std::uint32_t stream_id(std::string_view name) {
    std::uint64_t code = 0xcbf29ce484222325;
    for (char letter : name) code = (code ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return static_cast<std::uint32_t>(code ^ code >> 32);
}

/// 128 random bits for the row of this id; further `attempt`s give further bits for the same row.
constexpr Philox4x32::Counter random_bits(std::uint64_t seed, std::uint32_t stream, std::uint64_t row_id,
                                          std::uint32_t attempt = 0) {
    return Philox4x32::draw({Philox4x32::low(row_id), Philox4x32::high(row_id), stream, attempt},
                            {Philox4x32::low(seed), Philox4x32::high(seed)});
}

/// A number in [0, 1) for the row of this id: one of 2^53 equally likely multiples of 2^-53.
constexpr double uniform(std::uint64_t seed, std::uint32_t stream, std::uint64_t row_id, std::uint32_t attempt = 0) {
    const auto bits = random_bits(seed, stream, row_id, attempt);
    return static_cast<double>((std::uint64_t{bits[1]} << 32 | bits[0]) >> 11) * 0x1p-53;
}

/// A whole number in [0, bound) for the row of this id, all equally likely.
///
/// Requires bound > 0. Source: Lemire, "Fast random integer generation in an interval" (2019).
constexpr std::uint64_t uniform_index(std::uint64_t seed, std::uint32_t stream, std::uint64_t row_id,
                                      std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    for (std::uint32_t attempt = 0;; ++attempt) {
        const auto bits = random_bits(seed, stream, row_id, attempt);
        for (std::size_t half = 0; half < 4; half += 2) {
            const Wide product = static_cast<Wide>(std::uint64_t{bits[half + 1]} << 32 | bits[half]) * bound;
            // The lowest 2^64 mod bound products would make some results likelier than others.
            if (static_cast<std::uint64_t>(product) >= (0 - bound) % bound)
                return static_cast<std::uint64_t>(product >> 64);
        }
    }
}

}  // namespace partita::inline PARTITA_ABI
