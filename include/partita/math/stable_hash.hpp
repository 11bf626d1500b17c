// SPDX-License-Identifier: Apache-2.0
#pragma once

// A hash of bytes that is part of models: the same number on every platform, in every version, for ever.

#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The two halves of the 128-bit product, folded by exclusive or.
constexpr std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t little_endian_word(const char* bytes, std::size_t count) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i)
        word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return word;
}

}  // namespace detail

/// 64 bits that stand for a text, given those of what comes before it (0 for nothing): with fold(a, b) the exclusive or of the
/// halves of the 128-bit product a·b, h is `before` ^ 0x9e3779b97f4a7c15; then for every eight bytes of the text, the first byte the
/// lowest and the last word filled up with zeros, h = fold(h ^ word, 0xd6e8feb86659fd93); at last
/// h = fold(h ^ length, 0xa0761d6478bd642f). Not for adversaries: whoever chooses the texts can make them collide.
constexpr std::uint64_t stable_hash(std::string_view text, std::uint64_t before = 0) {
    std::uint64_t hash = before ^ 0x9e3779b97f4a7c15;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8)
        hash = detail::folded_product(hash ^ detail::little_endian_word(text.data() + at, 8), 0xd6e8feb86659fd93);
    if (at < text.size())
        hash = detail::folded_product(hash ^ detail::little_endian_word(text.data() + at, text.size() - at),
                                      0xd6e8feb86659fd93);
    return detail::folded_product(hash ^ text.size(), 0xa0761d6478bd642f);
}

}  // namespace partita::inline PARTITA_ABI
