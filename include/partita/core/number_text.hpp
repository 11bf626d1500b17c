// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <charconv>
#include <string>

namespace partita::inline PARTITA_ABI::detail {

/// A number in the fewest digits that read back as it, whatever the locale: for sentences of errors.
[[gnu::cold]] inline std::string number_text(double value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    return {digits, end.ptr};
}

}  // namespace partita::inline PARTITA_ABI::detail
