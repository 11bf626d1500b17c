// SPDX-License-Identifier: Apache-2.0
#pragma once

// The refusal of a vector column whose rows have different numbers of elements.

#include <partita/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

/// Errors: WrongWidth, always.
[[noreturn, gnu::cold]] inline void refuse_widths(std::string_view column, std::int64_t narrowest,
                                                  std::int64_t widest) {
    Place place;
    place.column = std::string(column);
    throw WrongWidth("the vectors of \"" + place.column + "\" have " + std::to_string(narrowest) +
                         " elements in some rows and " + std::to_string(widest) + " in others; a column has one width",
                     place);
}

}  // namespace partita::inline PARTITA_ABI::detail
