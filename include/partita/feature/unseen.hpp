// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <cstdint>

namespace partita::inline PARTITA_ABI {

/// What an encoder does with a category that its fit did not see (or did not keep). There is no default: a pipeline in which
/// the choice is left open does not compile.
enum class Unseen : std::uint8_t {
    undecided,   ///< not chosen yet
    all_zero,    ///< the category has no column: all of its row's columns are zero
    error,       ///< UnseenCategory is thrown
    own_column,  ///< all such categories share one column, the last
};

}  // namespace partita::inline PARTITA_ABI
