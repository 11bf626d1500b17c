// SPDX-License-Identifier: Apache-2.0
#pragma once

// Some rows of a stored chunk as a chunk of their own, one column after the other: what filters and splits are made of.

#include <partita/data/chunk.hpp>
#include <partita/data/column_builder.hpp>

#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// A width known to the compiler makes each copy one load and one store.
template <std::size_t Bytes>
void gather_values(const ColumnData& from, std::span<const std::uint32_t> rows, ColumnData& to) {
    const std::byte* source = from.values.as<std::byte>();
    std::byte* target = to.values.mutable_as<std::byte>();
    for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(target + i * Bytes, source + rows[i] * Bytes, Bytes);
}

/// The validity of the rows, if one of them is missing.
inline Buffer gather_validity(const ColumnData& from, std::span<const std::uint32_t> rows) {
    if (!from.validity) return {};
    const auto* source = from.validity.as<std::uint8_t>();
    Buffer buffer = Buffer::allocate((rows.size() + 7) / 8);
    auto* target = buffer.mutable_as<std::uint8_t>();
    bool all_valid = true;
    for (std::size_t first = 0; first < rows.size(); first += 8) {
        const std::size_t count = rows.size() - first < 8 ? rows.size() - first : 8;
        unsigned bits = 0;
        for (std::size_t i = 0; i < count; ++i)
            bits |= (unsigned{source[rows[first + i] >> 3]} >> (rows[first + i] & 7) & 1U) << i;
        target[first >> 3] = static_cast<std::uint8_t>(bits);
        all_valid = all_valid && bits == (1U << count) - 1;
    }
    return all_valid ? Buffer() : buffer;
}

/// The given rows of a column, in the order given. Categories keep their dictionary unless it is large for so few rows.
inline ColumnData gather_column(const ColumnData& from, std::span<const std::uint32_t> rows) {
    const bool category = from.type.kind == Kind::category;
    if (from.offsets || (category && from.dictionary->size() > rows.size() / 4)) {
        ColumnBuilder builder(from.type);
        builder.append(from.all(), rows);
        return builder.finish();
    }
    const bool vector = (kind_bit(from.type.kind) & dense_vector_kinds) != 0;
    const std::size_t row_bytes = width_bytes(from.type.kind) * (vector ? from.width : 1);
    ColumnData to;
    to.type = from.type;
    to.rows = rows.size();
    to.width = from.width;
    to.dictionary = from.dictionary;
    to.values = Buffer::allocate(rows.size() * row_bytes);
    switch (row_bytes) {
        case 1: gather_values<1>(from, rows, to); break;
        case 2: gather_values<2>(from, rows, to); break;
        case 4: gather_values<4>(from, rows, to); break;
        case 8: gather_values<8>(from, rows, to); break;
        case 0: break;  // vectors without elements, of which there is no first byte
        default:
            for (std::size_t i = 0; i < rows.size(); ++i)
                std::memcpy(to.values.mutable_as<std::byte>() + i * row_bytes,
                            from.values.as<std::byte>() + rows[i] * row_bytes, row_bytes);
    }
    to.validity = gather_validity(from, rows);
    return to;
}

/// Whether all memory of a chunk lives as long as the chunk.
inline bool owns_memory(const Chunk& chunk) {
    for (std::size_t i = 0; i < chunk.column_count(); ++i) {
        const ColumnData& column = chunk.column(i);
        for (const Buffer* buffer : {&column.values, &column.validity, &column.offsets, &column.indices})
            if (!buffer->is_owned()) return false;
    }
    return true;
}

/// The given rows of a chunk, ascending, with the columns of these indices, in this order. The chunk itself where that is all of it.
inline std::shared_ptr<const Chunk> gather_chunk(const std::shared_ptr<const Chunk>& chunk,
                                                 std::span<const std::size_t> columns,
                                                 std::span<const std::uint32_t> rows) {
    if (rows.size() == chunk->rows() && columns.size() == chunk->column_count()) {
        bool same = owns_memory(*chunk);
        for (std::size_t i = 0; i < columns.size(); ++i) same = same && columns[i] == i;
        if (same) return chunk;
    }
    std::vector<ColumnData> gathered;
    gathered.reserve(columns.size());
    for (std::size_t column : columns) gathered.push_back(gather_column(chunk->column(column), rows));
    std::vector<std::int64_t> ids(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) ids[i] = chunk->row_id(rows[i]);
    return std::make_shared<const Chunk>(std::move(ids), std::move(gathered));
}

}  // namespace partita::inline PARTITA_ABI::detail
