// SPDX-License-Identifier: Apache-2.0
#pragma once

// A checksum of what a fit sees of a block: the same for the same rows, wherever and in whatever chunks they lie.

#include <partita/data/block.hpp>
#include <partita/persist/checksum.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

template <class T>
std::uint64_t hash_values(std::span<const T> values, std::uint64_t hash) {
    static_assert(std::is_trivially_copyable_v<T>);
    return checksum(std::as_bytes(values), hash + values.size());
}
inline std::uint64_t hash_text(std::string_view text, std::uint64_t hash) {
    return hash_values(std::span(text.data(), text.size()), hash);
}

template <class T>
std::uint64_t hash_view(std::span<const T> view, std::uint64_t hash) {
    return hash_values(view, hash);
}
template <class T>
std::uint64_t hash_view(MatrixView<const T> view, std::uint64_t hash) {
    hash = hash + view.columns();
    for (std::size_t row = 0; row < view.rows(); ++row) hash = hash_values(view[row], hash);
    return hash;
}
template <class T>
std::uint64_t hash_view(const SparseView<T>& view, std::uint64_t hash) {
    hash += view.columns;
    for (std::size_t row = 0; row < view.rows; ++row) {
        const auto first = static_cast<std::size_t>(view.offsets[row]),
                   count = static_cast<std::size_t>(view.offsets[row + 1]) - first;
        hash = hash_values(std::span<const std::int32_t>(view.indices + first, count), hash);
        hash = hash_values(std::span<const T>(view.values + first, count), hash);
    }
    return hash;
}
inline std::uint64_t hash_view(const OneHotView& view, std::uint64_t hash) {
    return hash_values(std::span<const std::int32_t>(view.codes, view.rows), hash + view.columns);
}
inline std::uint64_t hash_view(const TextView& view, std::uint64_t hash) {
    for (std::size_t row = 0; row < view.size(); ++row) hash = hash_text(view[row], hash);
    return hash;
}
/// Codes mean nothing outside their frame, so the texts count.
inline std::uint64_t hash_view(const CategoryView& view, std::uint64_t hash) {
    for (std::size_t row = 0; row < view.size(); ++row) hash = hash_text(view[row], hash);
    return hash;
}
/// What lies where a value is missing means nothing.
template <class View>
std::uint64_t hash_view(const NullableView<View>& view, std::uint64_t hash) {
    const View values = view.values();
    for (std::size_t row = 0; row < view.size(); ++row) {
        if (!view.valid(row)) {
            hash = hash_values(std::span<const std::uint8_t>(), hash);
        } else if constexpr (std::is_convertible_v<decltype(values[row]), std::string_view>) {
            hash = hash_text(values[row], hash);
        } else {
            const auto value = values[row];
            hash = hash_values(std::span(&value, 1), hash);
        }
    }
    return hash;
}

/// The ids and weights of a block's rows. Start with it, then hash the views.
inline std::uint64_t hash_rows(Block& block) {
    std::vector<std::int64_t> ids(block.rows());
    for (std::size_t row = 0; row < ids.size(); ++row) ids[row] = block.row_id(row);
    const std::uint64_t hash = hash_values(std::span<const std::int64_t>(ids), 0);
    const Weights weights = block.weights();
    return weights.unit() ? hash : hash_values(std::span(weights.data(), block.rows()), hash);
}

}  // namespace partita::inline PARTITA_ABI::detail
