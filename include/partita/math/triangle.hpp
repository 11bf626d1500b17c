// SPDX-License-Identifier: Apache-2.0
#pragma once

// How symmetric matrices are stored: the upper triangle, row by row.

#include <partita/core/version.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

/// Where element (i, j), i <= j, of a symmetric matrix of `order` lies when its upper triangle is stored row by row.
constexpr std::size_t triangle_index(std::size_t i, std::size_t j, std::size_t order) {
    return i * order - i * (i + 1) / 2 + j;
}
/// How many elements such a triangle has.
constexpr std::size_t triangle_size(std::size_t order) { return order * (order + 1) / 2; }

}  // namespace partita::inline PARTITA_ABI
