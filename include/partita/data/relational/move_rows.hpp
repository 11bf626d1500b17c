// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that go to other workers, and the place of a result's rows among the ids 0, 1, ….

#include <partita/data/relational/pick_rows.hpp>
#include <partita/data/relational/result_place.hpp>

#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Sends `rows[w]` to worker w and gives what the others send, one chunk a sender that sends any, in the order of ranks. A
/// collective. Cost: every row that goes elsewhere travels once; what travels lies in memory at both ends.
inline Chunks exchange_rows(Session& session, const RowPicker& picker, std::span<const std::vector<RowRef>> rows,
                            std::size_t column_count, const PendingError& pending = {}) {
    std::vector<Bytes> outgoing(session.size());
    const PendingError failed = pending ? pending : attempt([&] {
        session.for_each(rows.size(), [&](std::size_t worker, std::size_t) {
            if (rows[worker].empty()) return;
            ByteWriter writer(outgoing[worker]);
            write_chunk(writer, *picker.chunk(rows[worker]));
        });
    });
    const std::vector<Bytes> incoming = session.communicator().all_to_all(std::move(outgoing), failed);
    Chunks received;
    session.communicator().agree(attempt([&] {
        for (const Bytes& bytes : incoming) {
            if (bytes.empty()) continue;
            ByteReader reader(bytes);
            received.push_back(read_chunk(reader, column_count));
        }
    }));
    return received;
}

/// The rows of a result as chunks under the ids 0, 1, …: those of worker 0, then those of worker 1, and so on. A block belongs to
/// the worker that has its first row; the others send it what they have of it. `make(first, count)` gives the columns of so many
/// of this worker's `rows` rows; it is called from many threads. A collective, into which `pending` goes.
inline Chunks number_rows(Session& session, std::size_t rows, std::size_t column_count,
                          FunctionRef<std::vector<ColumnData>(std::size_t, std::size_t)> make,
                          const PendingError& pending = {}) {
    const auto [start, own_start, end, head_owner] = place_of_result(session, rows, pending);
    Chunks tail;  // of the last block that begins here, from later workers
    if (session.size() > 1) {
        std::vector<Bytes> outgoing(session.size());
        const PendingError failed = attempt([&] {
            if (start == own_start) return;
            const auto count = static_cast<std::size_t>(own_start - start);
            ByteWriter writer(outgoing[head_owner]);
            write_chunk(writer, Chunk(start, count, make(0, count)));
        });
        const std::vector<Bytes> incoming = session.communicator().all_to_all(std::move(outgoing), failed);
        for (const Bytes& bytes : incoming) {
            if (bytes.empty()) continue;
            ByteReader reader(bytes);
            tail.push_back(read_chunk(reader, column_count));
        }
    }
    constexpr auto chunk_rows = static_cast<std::int64_t>(default_chunk_blocks) * block_rows;
    Chunks result(static_cast<std::size_t>((end - own_start + chunk_rows - 1) / chunk_rows));
    session.communicator().agree(attempt([&] {
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

}  // namespace partita::inline PARTITA_ABI::detail
