// SPDX-License-Identifier: Apache-2.0
#pragma once

// Chunks that change place: to bytes for another worker and back, into chunks of another size, under new ids.

#include <partita/data/chunk.hpp>
#include <partita/data/chunk_list.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/data/result_place.hpp>
#include <partita/exec/function_ref.hpp>

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

/// What other workers sent, one chunk each; those who sent nothing give none.
inline Chunks read_chunks(const std::vector<Bytes>& incoming, std::size_t column_count) {
    Chunks chunks;
    for (const Bytes& bytes : incoming) {
        if (bytes.empty()) continue;
        ByteReader reader(bytes);
        chunks.push_back(read_chunk(reader, column_count));
    }
    return chunks;
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
    const std::vector<Bytes> gathered = session.communicator().all_gather(bytes, pending);
    Chunks all;
    session.communicator().agree(attempt([&] {
        for (const Bytes& from_worker : gathered) {
            ByteReader reader(from_worker);
            for (auto left = reader.read<std::uint64_t>(); left > 0; --left)
                all.push_back(read_chunk(reader, column_count));
        }
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return first_row(*a) < first_row(*b); });
    }));
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

/// The blocks of all workers dealt out anew, in chunks of `chunk_blocks` blocks of the grid: each worker's share is one run of
/// blocks, and shares have equally many, but for one. Ids stay. A collective. Cost: blocks that change their worker travel once.
inline Chunks deal_anew(Session& session, const Chunks& mine, std::size_t column_count,
                        std::size_t chunk_blocks = default_chunk_blocks) {
    std::vector<Bytes> incoming;
    if (session.size() > 1) {
        const auto places = places_of_blocks(mine);
        std::vector<std::int64_t> blocks;
        for (const auto& place : places) blocks.push_back(place.chunk->block_id(place.index));
        const std::vector<std::size_t> owners = new_owners(session, blocks);
        std::vector<Bytes> outgoing(session.size());
        const PendingError pending = attempt([&] {
            session.for_each(outgoing.size(), [&](std::size_t worker, std::size_t) {
                std::vector<RowRun> runs;
                for (std::size_t i = 0; i < places.size(); ++i)
                    if (owners[i] == worker)
                        runs.push_back({places[i].chunk, places[i].chunk->block_first(places[i].index),
                                        places[i].chunk->block_size(places[i].index)});
                ByteWriter writer(outgoing[worker]);
                if (!runs.empty()) write_chunk(writer, *splice(runs));
            });
        });
        incoming = session.communicator().all_to_all(std::move(outgoing), pending);
    }
    Chunks result;
    session.communicator().agree(attempt([&] {
        const Chunks dealt = session.size() > 1 ? read_chunks(incoming, column_count) : mine;
        // Blocks of one share may come from several workers in any order.
        std::vector<RowRun> runs;
        for (const auto& [chunk, index] : places_of_blocks(dealt))
            runs.push_back({chunk, chunk->block_first(index), chunk->block_size(index)});
        const auto block_of = [](const RowRun& run) { return run.chunk->row_id(run.first) / block_rows; };
        std::sort(runs.begin(), runs.end(),
                  [&](const RowRun& a, const RowRun& b) { return block_of(a) < block_of(b); });
        std::vector<std::vector<RowRun>> groups;
        std::int64_t group = -1;
        for (const RowRun& run : runs) {
            const std::int64_t belongs = block_of(run) / signed_blocks(chunk_blocks);
            if (belongs != group) groups.emplace_back();
            group = belongs;
            groups.back().push_back(run);
        }
        result.resize(groups.size());
        session.for_each(groups.size(), [&](std::size_t index, std::size_t) { result[index] = splice(groups[index]); });
    }));
    return result;
}

/// The rows of a result as chunks under the ids 0, 1, …: those of worker 0, then those of worker 1, and so on. A block belongs to
/// the worker that has its first row; the others send it what they have of it. `make(first, count)` gives the columns of so many
/// of this worker's `rows` rows; it is called from many threads. A collective, into which `pending` goes.
inline Chunks number_rows(Session& session, std::size_t rows, std::size_t column_count,
                          FunctionRef<std::vector<ColumnData>(std::size_t, std::size_t)> make,
                          const PendingError& pending = {}) {
    const auto [start, own_start, end, head_owner] = place_of_result(session, rows, pending);
    std::vector<Bytes> incoming;  // of the last block that begins here, from later workers
    if (session.size() > 1) {
        std::vector<Bytes> outgoing(session.size());
        const PendingError failed = attempt([&] {
            if (start == own_start) return;
            const auto count = static_cast<std::size_t>(own_start - start);
            ByteWriter writer(outgoing[head_owner]);
            write_chunk(writer, Chunk(start, count, make(0, count)));
        });
        incoming = session.communicator().all_to_all(std::move(outgoing), failed);
    }
    constexpr auto chunk_rows = static_cast<std::int64_t>(default_chunk_blocks) * block_rows;
    Chunks result;
    session.communicator().agree(attempt([&] {
        const Chunks tail = read_chunks(incoming, column_count);
        result.resize(static_cast<std::size_t>((end - own_start + chunk_rows - 1) / chunk_rows));
        session.for_each(result.size(), [&](std::size_t index, std::size_t) {
            const std::int64_t first = own_start + static_cast<std::int64_t>(index) * chunk_rows;
            const std::int64_t last = std::min(first + chunk_rows, end);
            const auto count = static_cast<std::size_t>(last - first);
            auto chunk =
                std::make_shared<const Chunk>(first, count, make(static_cast<std::size_t>(first - start), count));
            if (index + 1 == result.size() && !tail.empty()) {
                std::vector<RowRun> runs{{chunk.get(), 0, chunk->rows()}};
                for (const auto& part : tail) runs.push_back({part.get(), 0, part->rows()});
                chunk = splice(runs, first);
            }
            result[index] = std::move(chunk);
        });
    }));
    return result;
}

/// The rows of all workers under the ids 0, 1, …, each worker with its share of the new blocks. A collective.
inline Chunks renumber(Session& session, const Chunks& mine, std::size_t column_count, std::size_t chunk_blocks) {
    std::vector<std::size_t> starts{0};
    for (const auto& chunk : mine) starts.push_back(starts.back() + chunk->rows());
    const auto make = [&](std::size_t first, std::size_t count) {
        auto at = static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), first) - starts.begin()) - 1;
        std::vector<RowRun> runs;
        for (const std::size_t last = first + count; first < last; ++at) {
            const std::size_t end = std::min(last, starts[at + 1]);
            if (end > first) runs.push_back({mine[at].get(), first - starts[at], end - first});
            first = std::max(first, end);
        }
        return splice(runs)->columns();
    };
    return deal_anew(session, number_rows(session, starts.back(), column_count, make), column_count, chunk_blocks);
}

}  // namespace partita::inline PARTITA_ABI::detail
