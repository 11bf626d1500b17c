// SPDX-License-Identifier: Apache-2.0
#pragma once

// Distinct texts, numbered in the order in which they were met.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A set of texts with ids 0, 1, … in the order of insertion. Open addressing over one arena of bytes; the general hash maps
/// at hand cost more to compile than everything else here together.
///
/// Views that `text` returns hold until the next insertion. Cost: about 20 bytes a text besides its own.
class TextIndex {
  public:
    static constexpr std::uint32_t none = 0xffffffff;

    std::size_t size() const { return hashes_.size(); }
    std::string_view text(std::size_t id) const {
        return std::string_view(bytes_).substr(starts_[id], starts_[id + 1] - starts_[id]);
    }

    /// The id of a text, or none.
    std::uint32_t find(std::string_view text) const {
        return table_.empty() ? none : table_[slot_of(text, hash(text))];
    }
    /// The id of a text, which is inserted if it is new. Errors: NumericOverflow beyond 2^32 - 1 texts.
    std::uint32_t insert(std::string_view text) {
        if (table_.size() < 2 * (size() + 1)) grow();
        const std::uint64_t code = hash(text);
        std::uint32_t& id = table_[slot_of(text, code)];
        if (id == none) {
            if (size() >= none) refuse();
            id = static_cast<std::uint32_t>(size());
            hashes_.push_back(code);
            bytes_.append(text);
            starts_.push_back(bytes_.size());
        }
        return id;
    }

  private:
    [[noreturn, gnu::cold]] static void refuse() {
        throw NumericOverflow(
            "there are more than 4294967295 distinct texts or keys on one worker, which ids of 32 bits do not number; "
            "run on more workers, or make keys of fewer values by map");
    }
    static std::uint64_t mixed(std::uint64_t word) {
        word *= 0x9e3779b97f4a7c15;
        return word ^ word >> 32;
    }
    static std::uint64_t hash(std::string_view text) {
        std::uint64_t code = mixed(text.size() + 1), word = 0;
        for (; text.size() >= 8; text.remove_prefix(8)) {
            std::memcpy(&word, text.data(), 8);
            code = mixed(code ^ word);
        }
        word = 0;
        if (!text.empty()) std::memcpy(&word, text.data(), text.size());
        return mixed(mixed(code ^ word));
    }
    std::size_t slot_of(std::string_view wanted, std::uint64_t code) const {
        const std::size_t mask = table_.size() - 1;
        std::size_t slot = code & mask;
        while (table_[slot] != none && (hashes_[table_[slot]] != code || text(table_[slot]) != wanted))
            slot = (slot + 1) & mask;
        return slot;
    }
    void grow() {
        table_.assign(table_.empty() ? 16 : 2 * table_.size(), none);
        const std::size_t mask = table_.size() - 1;
        for (std::size_t id = 0; id < size(); ++id) {
            std::size_t slot = hashes_[id] & mask;
            while (table_[slot] != none) slot = (slot + 1) & mask;
            table_[slot] = static_cast<std::uint32_t>(id);
        }
    }

    std::string bytes_;
    std::vector<std::size_t> starts_ = {0};  // where each text begins, and the end of the last
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> table_;
};

}  // namespace partita::inline PARTITA_ABI
