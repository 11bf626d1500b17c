// SPDX-License-Identifier: Apache-2.0
#pragma once

// "Did you mean …?", for messages of the compiler and of programs.

#include <partita/core/version.hpp>

#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

constexpr char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// The number of insertions, deletions and replacements between two names, upper and lower case being the same. Names of more
/// than 63 bytes are far from all others.
constexpr int name_distance(std::string_view a, std::string_view b) {
    if (a.size() > 63 || b.size() > 63) return 64;
    int row[64]{};
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i);
        const char letter = lower_case(a[i - 1]);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            int nearest = diagonal + (letter == lower_case(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            if (row[j - 1] + 1 < nearest) nearest = row[j - 1] + 1;
            if (diagonal + 1 < nearest) nearest = diagonal + 1;
            row[j] = nearest;
        }
    }
    return row[b.size()];
}

/// Which of `count` names, `name_at(0)` to `name_at(count - 1)`, is near enough to `wanted` to have been meant, or -1. Of equally
/// near ones the first.
template <class NameAt>
constexpr int near_name(std::string_view wanted, int count, NameAt name_at) {
    const int length = static_cast<int>(wanted.size());
    int best = -1, best_distance = length / 3 + 2 < length ? length / 3 + 2 : length;
    for (int i = 0; i < count; ++i) {
        const std::string_view name = name_at(i);
        const int longer = static_cast<int>(name.size()) - length;
        if (longer >= best_distance || -longer >= best_distance) continue;
        const int distance = name_distance(name, wanted);
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = i;
    }
    return best;
}

}  // namespace partita::inline PARTITA_ABI::detail
