// SPDX-License-Identifier: Apache-2.0
#pragma once

// Chunks that change place: to bytes for another worker and back, into chunks of another size, under new ids.

#include <partita/data/chunk.hpp>
#include <partita/data/chunk_list.hpp>
#include <partita/data/column_builder.hpp>

#include <algorithm>

namespace partita::inline PARTITA_ABI::detail {

using Chunks = ChunkList<Chunk>;

inline void write_buffer(ByteWriter& writer, const Buffer& buffer) {
    writer.write(static_cast<std::uint8_t>(buffer ? 1 : 0));
    writer.write_sized(std::span(buffer.as<std::byte>(), buffer.size_bytes()));
}

inline Buffer read_buffer(ByteReader& reader) {
    const bool present = reader.read<std::uint8_t>() != 0;
    const auto bytes = reader.read_sized();
    if (!present) return {};
    Buffer buffer = Buffer::allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(buffer.mutable_as<std::byte>(), bytes.data(), bytes.size());
    return buffer;
}

/// A chunk as bytes, for messages between the workers of one run.
inline void write_chunk(ByteWriter& writer, const Chunk& chunk) {
    std::vector<std::int64_t> ids(chunk.rows());
    for (std::size_t row = 0; row < chunk.rows(); ++row) ids[row] = chunk.row_id(row);
    writer.write_sized(std::as_bytes(std::span(ids)));
    for (std::size_t c = 0; c < chunk.column_count(); ++c) {
        const ColumnData& column = chunk.column(c);
        writer.write(column.type);
        writer.write(static_cast<std::uint64_t>(column.width));
        write_buffer(writer, column.values);
        write_buffer(writer, column.validity);
        write_buffer(writer, column.offsets);
        write_buffer(writer, column.indices);
        if (column.type.kind != Kind::category) continue;
        const std::size_t words = column.dictionary ? column.dictionary->size() : 0;
        writer.write(static_cast<std::uint64_t>(words));
        for (std::size_t i = 0; i < words; ++i) writer.write_sized(column.dictionary->data()[i]);
    }
}

inline std::shared_ptr<const Chunk> read_chunk(ByteReader& reader, std::size_t column_count) {
    const auto raw = reader.read_sized();
    std::vector<std::int64_t> ids(raw.size() / sizeof(std::int64_t));
    if (!raw.empty()) std::memcpy(ids.data(), raw.data(), raw.size());
    std::vector<ColumnData> columns(column_count);
    for (ColumnData& column : columns) {
        column.type = reader.read<ColumnType>();
        column.rows = ids.size();
        column.width = reader.read<std::uint64_t>();
        column.values = read_buffer(reader);
        column.validity = read_buffer(reader);
        column.offsets = read_buffer(reader);
        column.indices = read_buffer(reader);
        if (column.type.kind != Kind::category) continue;
        std::vector<std::string> words(reader.read<std::uint64_t>());
        for (std::string& word : words) word = reader.read_text();
        column.dictionary =
            std::make_shared<const Dictionary>(std::vector<std::string_view>(words.begin(), words.end()));
    }
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

inline std::int64_t first_row(const Chunk& chunk) { return chunk.row_id(0); }

/// All workers' chunks on every worker, in the order of their rows.
inline Chunks gather_chunks(Session& session, const Chunks& mine, std::size_t column_count) {
    if (session.size() == 1) return mine;
    Bytes bytes;
    const PendingError pending = attempt([&] {
        ByteWriter writer(bytes);
        writer.write(static_cast<std::uint64_t>(mine.size()));
        for (const auto& chunk : mine) write_chunk(writer, *chunk);
    });
    Chunks all;
    for (const Bytes& from_worker : session.communicator().all_gather(bytes, pending)) {
        ByteReader reader(from_worker);
        for (auto left = reader.read<std::uint64_t>(); left > 0; --left)
            all.push_back(read_chunk(reader, column_count));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return first_row(*a) < first_row(*b); });
    return all;
}

using RowRun = RunIn<Chunk>;

/// One chunk of runs of rows out of other chunks; ids start at `first_id` if that is not negative and stay otherwise.
inline std::shared_ptr<const Chunk> splice(const std::vector<RowRun>& runs, std::int64_t first_id = -1) {
    std::vector<ColumnBuilder> builders;
    for (std::size_t c = 0; c < runs.front().chunk->column_count(); ++c)
        builders.emplace_back(runs.front().chunk->column(c).type);
    std::vector<std::int64_t> ids;
    for (const RowRun& run : runs) {
        for (std::size_t c = 0; c < builders.size(); ++c)
            builders[c].append(run.chunk->column(c).slice(run.first, run.rows));
        for (std::size_t row = 0; row < run.rows; ++row)
            ids.push_back(first_id < 0 ? run.chunk->row_id(run.first + row)
                                       : first_id + static_cast<std::int64_t>(ids.size()));
    }
    std::vector<ColumnData> columns;
    for (ColumnBuilder& builder : builders) columns.push_back(builder.finish());
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

/// The same rows under ids that are `offset` higher.
inline std::shared_ptr<const Chunk> moved_up(const Chunk& chunk, std::int64_t offset) {
    std::vector<std::int64_t> ids(chunk.rows());
    for (std::size_t row = 0; row < chunk.rows(); ++row) ids[row] = chunk.row_id(row) + offset;
    std::vector<ColumnData> columns;
    for (std::size_t c = 0; c < chunk.column_count(); ++c) columns.push_back(chunk.column(c));
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

/// The same blocks in chunks of `chunk_blocks` blocks of the grid each.
inline Chunks regroup(Session& session, const Chunks& chunks, std::size_t chunk_blocks) {
    const std::vector<std::vector<RowRun>> groups = groups_of_blocks(chunks, chunk_blocks);
    Chunks result(groups.size());
    session.for_each(groups.size(), [&](std::size_t index, std::size_t) { result[index] = splice(groups[index]); });
    return result;
}

/// The blocks of all workers dealt out anew: each worker's share is one run of blocks again, whoever held them.
inline Chunks deal_anew(Session& session, const Chunks& mine, std::size_t column_count) {
    if (session.size() == 1) return mine;
    const Chunks all = gather_chunks(session, mine, column_count);
    const auto places = places_of_blocks(all);
    const Share share = share_of(places.size(), session.rank(), session.size());
    Chunks result;
    for (std::size_t at = share.first; at < share.first + share.count; at += default_chunk_blocks) {
        std::vector<RowRun> runs;
        for (std::size_t i = at; i < std::min(at + default_chunk_blocks, share.first + share.count); ++i)
            runs.push_back({places[i].chunk, places[i].chunk->block_first(places[i].index),
                            places[i].chunk->block_size(places[i].index)});
        result.push_back(splice(runs));
    }
    return result;
}

/// The rows of all workers under the ids 0, 1, …, each worker with its share of the new blocks.
inline Chunks renumber(Session& session, const Chunks& mine, std::size_t column_count, std::size_t chunk_blocks) {
    const Chunks all = gather_chunks(session, mine, column_count);
    std::int64_t total = 0;
    for (const auto& chunk : all) total += static_cast<std::int64_t>(chunk->rows());
    const auto blocks = static_cast<std::size_t>((total + block_rows - 1) / block_rows);
    const Share share = share_of(blocks, session.rank(), session.size());
    const auto first_block = static_cast<std::int64_t>(share.first),
               last_block = static_cast<std::int64_t>(share.first + share.count);

    Chunks result;
    std::size_t at = 0, row = 0;
    std::int64_t id = 0;
    for (std::int64_t block = 0; block < last_block;) {
        const std::int64_t step =
            block < first_block ? first_block - block
                                : std::min<std::int64_t>(static_cast<std::int64_t>(chunk_blocks), last_block - block);
        const std::int64_t end = std::min(total, (block + step) * block_rows);
        std::vector<RowRun> runs;
        const std::int64_t start = id;
        while (id < end) {
            const Chunk& chunk = *all[at];
            const std::size_t take = std::min(chunk.rows() - row, static_cast<std::size_t>(end - id));
            runs.push_back({&chunk, row, take});
            id += static_cast<std::int64_t>(take);
            row += take;
            if (row == chunk.rows()) {
                ++at;
                row = 0;
            }
        }
        if (block >= first_block && !runs.empty()) result.push_back(splice(runs, start));
        block += step;
    }
    return result;
}

}  // namespace partita::inline PARTITA_ABI::detail
