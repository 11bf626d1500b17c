// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cursor over the 64-bit words that accumulators exchange.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::inline PARTITA_ABI {

/// Hands out the words of one message in order, so that each accumulator of a state takes exactly its own.
///
/// Errors: CollectiveMismatch when more is asked for than there is, which means that the workers did not build the same state.
class WordReader {
  public:
    constexpr WordReader() = default;
    constexpr explicit WordReader(std::span<const std::int64_t> words) : words_(words) {}

    constexpr std::int64_t next() { return take(1)[0]; }
    constexpr std::span<const std::int64_t> take(std::size_t count) {
        if (count > words_.size()) fail();
        auto taken = words_.first(count);
        words_ = words_.subspan(count);
        return taken;
    }
    constexpr std::size_t left() const { return words_.size(); }

  private:
    [[noreturn]] static void fail() {
        throw CollectiveMismatch(
            "a reduced state has fewer words than its accumulators need: the workers did not build the same state; "
            "construct it from the same settings on every worker");
    }

    std::span<const std::int64_t> words_;
};

}  // namespace partita::inline PARTITA_ABI
