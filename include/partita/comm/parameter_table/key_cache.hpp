// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a worker has read of other workers' keys and may read again.

#include <partita/core/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Values by key, each with the clocks that it holds. Grows with what is fresh enough to be used; forgets the rest when it is full.
class KeyCache {
  public:
    static constexpr std::size_t none = ~std::size_t{0};

    explicit KeyCache(std::size_t width) : width_(width) {}

    /// Where a key's value lies if it holds at least so many clocks.
    std::size_t find(std::uint32_t key, std::uint64_t oldest_version) const {
        if (slots_.empty()) return none;
        for (std::size_t at = home(key);; at = (at + 1) & (slots_.size() - 1)) {
            const Slot& slot = slots_[at];
            if (slot.version == empty) return none;
            if (slot.key == key) return slot.version >= oldest_version ? at : none;
        }
    }
    const float* values(std::size_t at) const { return values_.data() + at * width_; }
    std::uint64_t version(std::size_t at) const { return slots_[at].version; }

    void insert(std::uint32_t key, std::uint64_t version, const float* values, std::uint64_t oldest_version) {
        if (2 * (used_ + 1) > slots_.size()) rebuild(oldest_version);
        std::size_t at = home(key);
        while (slots_[at].version != empty && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
        if (slots_[at].version == empty) ++used_;
        slots_[at] = {version, key};
        for (std::size_t k = 0; k < width_; ++k) values_[at * width_ + k] = values[k];
    }

  private:
    static constexpr std::uint64_t empty = ~std::uint64_t{0};
    struct Slot {
        std::uint64_t version = empty;
        std::uint32_t key = 0;
    };

    std::size_t home(std::uint32_t key) const {
        return static_cast<std::size_t>((std::uint64_t{key} * 0x9E3779B97F4A7C15U) >> shift_);
    }

    void rebuild(std::uint64_t oldest_version) {
        std::size_t fresh = 0;
        for (const Slot& slot : slots_) fresh += slot.version != empty && slot.version >= oldest_version;
        std::vector<Slot> slots(std::bit_ceil(4 * fresh + 64));
        std::vector<float> values(slots.size() * width_);
        slots.swap(slots_);
        values.swap(values_);
        shift_ = static_cast<unsigned>(64 - std::countr_zero(slots_.size()));
        used_ = 0;
        for (std::size_t at = 0; at < slots.size(); ++at) {
            if (slots[at].version == empty || slots[at].version < oldest_version) continue;
            insert(slots[at].key, slots[at].version, values.data() + at * width_, oldest_version);
        }
    }

    std::size_t width_;
    std::vector<Slot> slots_;  // a power of two of them, probed one after the other
    std::vector<float> values_;
    unsigned shift_ = 64;
    std::size_t used_ = 0;
};

}  // namespace partita::inline PARTITA_ABI::detail
