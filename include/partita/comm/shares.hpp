// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

/// A run of consecutive items.
struct Share {
    std::size_t first = 0;
    std::size_t count = 0;
};

/// The share of worker `rank` when `items` items are dealt in order to `size` workers: sizes differ by at most one.
constexpr Share share_of(std::size_t items, std::size_t rank, std::size_t size) {
    const std::size_t each = items / size;
    const std::size_t extra = items % size;  // the first so many workers have one more
    return {rank * each + (rank < extra ? rank : extra), each + (rank < extra ? 1 : 0)};
}

}  // namespace partita::inline PARTITA_ABI
