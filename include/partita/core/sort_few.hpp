// SPDX-License-Identifier: Apache-2.0
#pragma once

// A sort for short sequences: std::sort is ten times the code, and every program compiles it anew for each use.

#include <partita/core/version.hpp>

#include <cstddef>
#include <utility>

namespace partita::inline PARTITA_ABI::detail {

/// Sorts by `less`, a total order. Cost: less than n^1.5 comparisons; meant for hundreds, not for millions.
template <class Sequence, class Less>
void sort_few(Sequence& values, Less less) {
    for (std::size_t gap : {701, 301, 132, 57, 23, 10, 4, 1}) {  // Ciura's gaps
        for (std::size_t i = gap; i < values.size(); ++i) {
            auto value = std::move(values[i]);
            std::size_t to = i;
            for (; to >= gap && less(value, values[to - gap]); to -= gap) values[to] = std::move(values[to - gap]);
            values[to] = std::move(value);
        }
    }
}
template <class Sequence>
void sort_few(Sequence& values) {
    sort_few(values, [](const auto& a, const auto& b) { return a < b; });
}

}  // namespace partita::inline PARTITA_ABI::detail
