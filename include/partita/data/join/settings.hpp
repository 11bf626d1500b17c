// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

/// How a join is carried out. The result is the same.
struct JoinSettings {
    /// A right table of at most so many bytes is given to every worker whole; of a larger one each worker fetches the rows
    /// that its own keys match. 0 always fetches.
    std::size_t broadcast_bytes = std::size_t{10} << 20;
};

}  // namespace partita::inline PARTITA_ABI
