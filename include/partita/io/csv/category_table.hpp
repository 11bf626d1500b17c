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
/// Texts of up to 8 bytes are compared as one word. The hash is keyed by an address, so that nobody can prepare texts
/// that collide; codes do not depend on it.
class CategoryTable {
  public:
    /// `readable`: whether the 8 bytes before the end of the text may be read.
    std::int32_t code_of(std::string_view text, bool readable, bool copy) {
        if (slots_.empty()) rehash(64);
        const std::size_t size = text.size();
        if (size > 8) return code_of_long(text, copy);
        const std::uint64_t word = readable ? word_before(text.data() + size, size) : word_of(text);
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = hash_of(word, size) & mask;; at = (at + 1) & mask) {
            Slot& slot = slots_[at];
            if (slot.word == word && slot.size == size && slot.code >= 0) return slot.code;
            if (slot.code < 0) return add(slot, word, text, copy);
        }
    }

    /// A dictionary is never empty, so that code 0 of a missing value can always be looked up.
    std::shared_ptr<const Dictionary> finish() {
        if (words_.empty()) words_.emplace_back();
        return std::make_shared<const Dictionary>(words_);
    }

  private:
    struct Slot {
        std::uint64_t word = 0;  // the first eight bytes
        std::uint32_t size = 0;
        std::int32_t code = -1;
    };

    static std::uint64_t load(const char* text) {
        std::uint64_t word;
        std::memcpy(&word, text, 8);
        return word;
    }
    /// Up to 8 bytes of text, filled up with zeros.
    static std::uint64_t word_of(std::string_view text) {
        std::uint64_t word = 0;
        if (!text.empty()) std::memcpy(&word, text.data(), text.size() < 8 ? text.size() : 8);
        return word;
    }
    /// The same of the `size` bytes before `end`.
    static std::uint64_t word_before(const char* end, std::size_t size) {
        if constexpr (std::endian::native != std::endian::little) return word_of({end - size, size});
        return size == 0 ? 0 : load(end - 8) >> (64 - 8 * size);
    }
    static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    std::size_t hash_of(std::uint64_t word, std::size_t size) const {
        return static_cast<std::size_t>(mix(word ^ seed_, (seed_ << 32 | seed_ >> 32) ^ (0xD1B54A32D192ED03 + size)));
    }
    std::size_t hash_of_long(std::string_view text) const {
        const std::size_t size = text.size();
        std::uint64_t hash = mix(load(text.data()) ^ seed_, load(text.data() + size - 8) ^ 0xD1B54A32D192ED03 ^ size);
        for (std::size_t at = 8; at + 8 < size; at += 8)
            hash = mix(hash ^ load(text.data() + at) ^ seed_, 0xA0761D6478BD642F);
        return static_cast<std::size_t>(mix(hash ^ seed_, 0xE7037ED1A0B428DB));
    }
    std::int32_t code_of_long(std::string_view text, bool copy) {
        const std::uint64_t word = load(text.data());
        const std::size_t size = text.size(), mask = slots_.size() - 1;
        for (std::size_t at = hash_of_long(text) & mask;; at = (at + 1) & mask) {
            Slot& slot = slots_[at];
            if (slot.code < 0) return add(slot, word, text, copy);
            if (slot.word != word || slot.size != size) continue;
            const char* known = words_[static_cast<std::size_t>(slot.code)].data();
            if (size <= 16 ? load(known + size - 8) == load(text.data() + size - 8)
                           : std::memcmp(known, text.data(), size) == 0)
                return slot.code;
        }
    }
    std::int32_t add(Slot& slot, std::uint64_t word, std::string_view text, bool copy) {
        if (copy) text = copies_.emplace_back(text);
        const auto code = static_cast<std::int32_t>(words_.size());
        words_.push_back(text);
        slot = {word, static_cast<std::uint32_t>(text.size()), code};
        if (words_.size() * 2 > slots_.size()) rehash(slots_.size() * 4);
        return code;
    }
    void rehash(std::size_t size) {
        std::vector<Slot> old(size);
        old.swap(slots_);
        const std::size_t mask = size - 1;
        for (const Slot& slot : old) {
            if (slot.code < 0) continue;
            const std::size_t hash = slot.size > 8 ? hash_of_long(words_[static_cast<std::size_t>(slot.code)])
                                                   : hash_of(slot.word, slot.size);
            std::size_t at = hash & mask;
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
