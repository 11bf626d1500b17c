// SPDX-License-Identifier: Apache-2.0
#pragma once

// A worker's share of a sequence as chunks of any kind (anything that derives from RowIds): where its blocks are, how it
// is dealt out at first, and how its blocks are put together anew.

#include <partita/comm/session.hpp>
#include <partita/comm/shares.hpp>
#include <partita/core/error.hpp>
#include <partita/data/row_ids.hpp>

#include <memory>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Chunks of what a program has in memory: 65536 rows.
inline constexpr std::size_t default_chunk_blocks = 16;

/// Refuses chunks of no blocks.
inline void expect_chunk_blocks(std::size_t chunk_blocks) {
    if (chunk_blocks == 0)
        throw InvalidSetting("a chunk of 0 blocks holds nothing; give chunk_blocks of at least 1",
                             Place{.setting = "chunk_blocks"});
}

/// What a program asked for, if that is not more than any table has ("one chunk" may be asked for by the largest number).
inline std::int64_t signed_blocks(std::size_t chunk_blocks) {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    return chunk_blocks < static_cast<std::size_t>(most) ? static_cast<std::int64_t>(chunk_blocks) : most;
}

template <class AnyChunk>
using ChunkList = std::vector<std::shared_ptr<const AnyChunk>>;

template <class AnyChunk>
struct PlaceIn {
    const AnyChunk* chunk;
    std::size_t index;
};

/// The blocks of all chunks, in order.
template <class AnyChunk>
std::vector<PlaceIn<AnyChunk>> places_of_blocks(const ChunkList<AnyChunk>& chunks) {
    std::vector<PlaceIn<AnyChunk>> places;
    for (const auto& chunk : chunks)
        for (std::size_t i = 0; i < chunk->block_count(); ++i) places.push_back({chunk.get(), i});
    return places;
}

template <class AnyChunk>
std::int64_t rows_of(const ChunkList<AnyChunk>& chunks) {
    std::int64_t rows = 0;
    for (const auto& chunk : chunks) rows += static_cast<std::int64_t>(chunk->rows());
    return rows;
}

/// The blocks of `rows` rows that belong to this worker, in chunks: calls `make(first_row, rows)` for each chunk.
template <class AnyChunk, class Make>
ChunkList<AnyChunk> share_of_rows(Session& session, std::size_t rows, std::size_t chunk_blocks, Make make) {
    const auto total = static_cast<std::int64_t>(rows), each = signed_blocks(chunk_blocks);
    const Share share =
        share_of((rows + static_cast<std::size_t>(block_rows) - 1) / static_cast<std::size_t>(block_rows),
                 session.rank(), session.size());
    const auto begin = static_cast<std::int64_t>(share.first),
               end = static_cast<std::int64_t>(share.first + share.count);
    ChunkList<AnyChunk> chunks(static_cast<std::size_t>((end - begin + each - 1) / each));
    session.for_each(chunks.size(), [&](std::size_t index, std::size_t) {
        const std::int64_t block = begin + static_cast<std::int64_t>(index) * each, limit = block + each;
        const std::int64_t first = block * block_rows, last = (limit < end ? limit : end) * block_rows;
        chunks[index] =
            make(static_cast<std::size_t>(first), static_cast<std::size_t>((last < total ? last : total) - first));
    });
    return chunks;
}

/// Some rows of a chunk, one after the other.
template <class AnyChunk>
struct RunIn {
    const AnyChunk* chunk;
    std::size_t first, rows;
};

/// Which runs of rows make up each chunk when chunks have `chunk_blocks` blocks of the grid.
template <class AnyChunk>
std::vector<std::vector<RunIn<AnyChunk>>> groups_of_blocks(const ChunkList<AnyChunk>& chunks,
                                                           std::size_t chunk_blocks) {
    std::vector<std::vector<RunIn<AnyChunk>>> groups;
    std::int64_t group = -1;
    for (const auto& [chunk, index] : places_of_blocks(chunks)) {
        const std::int64_t belongs = chunk->block_id(index) / signed_blocks(chunk_blocks);
        if (belongs != group) groups.emplace_back();
        group = belongs;
        groups.back().push_back({chunk, chunk->block_first(index), chunk->block_size(index)});
    }
    return groups;
}

}  // namespace partita::inline PARTITA_ABI::detail
