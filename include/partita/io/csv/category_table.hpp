// SPDX-License-Identifier: Apache-2.0
#pragma once

// Codes for the texts of a category column, in the order in which the texts first appear.

#include <partita/data/column_data.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// An open-addressing table over texts that stay where they are (or are copied, where the caller says that they do not).
/// Texts of up to 16 bytes are compared as two words. The hash is keyed by an address, so that nobody can prepare texts
/// that collide; codes do not depend on it.
class CategoryTable {
  public:
    std::int32_t code_of(std::string_view text, bool copy) {
        if (slots_.empty()) rehash(64);
        const Key key = key_of(text);
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = key.hash & mask;; at = (at + 1) & mask) {
            Slot& slot = slots_[at];
            if (slot.code < 0) return add(slot, key, text, copy);
            if (slot.first == key.first && slot.last == key.last && slot.size == text.size() &&
                (text.size() <= 16 ||
                 std::memcmp(words_[static_cast<std::size_t>(slot.code)].data(), text.data(), text.size()) == 0))
                return slot.code;
        }
    }

    /// A dictionary is never empty, so that code 0 of a missing value can always be looked up.
    std::shared_ptr<const Dictionary> finish() {
        if (words_.empty()) words_.emplace_back();
        return std::make_shared<const Dictionary>(words_);
    }

  private:
    struct Key {
        std::uint64_t first, last;
        std::size_t hash;
    };
    struct Slot {
        std::uint64_t first = 0, last = 0;  // the first and the last eight bytes; shorter texts are padded
        std::uint32_t size = 0;
        std::int32_t code = -1;
    };

    static std::uint64_t load(const char* text, std::size_t size) {
        std::uint64_t word = 0;
        if (size >= 8) {
            std::memcpy(&word, text, 8);
        } else if (size >= 4) {
            std::uint32_t low, high;
            std::memcpy(&low, text, 4);
            std::memcpy(&high, text + size - 4, 4);
            word = std::uint64_t{high} << 32 | low;
        } else if (size != 0) {
            word = static_cast<unsigned char>(text[0]) |
                   static_cast<std::uint64_t>(static_cast<unsigned char>(text[size / 2])) << 8 |
                   static_cast<std::uint64_t>(static_cast<unsigned char>(text[size - 1])) << 16;
        }
        return word;
    }
    static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    Key key_of(std::string_view text) const {
        const std::size_t size = text.size();
        Key key{load(text.data(), size), 0, 0};
        key.last = size > 8 ? load(text.data() + size - 8, 8) : 0;
        std::uint64_t hash = mix(key.first ^ 0x9E3779B97F4A7C15 ^ seed_, key.last ^ 0xD1B54A32D192ED03 ^ size);
        for (std::size_t at = 8; at + 8 < size; at += 8)
            hash = mix(hash ^ load(text.data() + at, 8) ^ seed_, 0xA0761D6478BD642F);
        key.hash = static_cast<std::size_t>(mix(hash ^ seed_, 0xE7037ED1A0B428DB));
        return key;
    }
    std::int32_t add(Slot& slot, const Key& key, std::string_view text, bool copy) {
        if (copy) text = copies_.emplace_back(text);
        const auto code = static_cast<std::int32_t>(words_.size());
        words_.push_back(text);
        slot = {key.first, key.last, static_cast<std::uint32_t>(text.size()), code};
        if (words_.size() * 2 > slots_.size()) rehash(slots_.size() * 4);
        return code;
    }
    void rehash(std::size_t size) {
        std::vector<Slot> old(size);
        old.swap(slots_);
        const std::size_t mask = size - 1;
        for (const Slot& slot : old) {
            if (slot.code < 0) continue;
            std::size_t at = key_of(words_[static_cast<std::size_t>(slot.code)]).hash & mask;
            while (slots_[at].code >= 0) at = (at + 1) & mask;
            slots_[at] = slot;
        }
    }

    std::vector<Slot> slots_;
    std::vector<std::string_view> words_;
    std::deque<std::string> copies_;
    // Keyed by the address of an allocation of its own: the table itself may be moved.
    std::unique_ptr<char> key_ = std::make_unique<char>();
    std::uint64_t seed_ = mix(reinterpret_cast<std::uintptr_t>(key_.get()), 0x8EBC6AF09C88C6E3);
};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
