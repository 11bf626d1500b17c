// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that go to other workers.

#include <partita/data/relational/pick_rows.hpp>

#include <optional>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Sends `rows[w]` to worker w and gives what the others send, one chunk a sender that sends any, in the order of ranks. There is no
/// picker where `pending` has an error. A collective. Cost: every row that goes elsewhere travels once; what travels lies in memory at both ends.
inline Chunks exchange_rows(Session& session, const std::optional<RowPicker>& picker,
                            std::span<const std::vector<RowRef>> rows, std::size_t column_count,
                            const PendingError& pending = {}) {
    std::vector<Bytes> outgoing(session.size());
    const PendingError failed = pending ? pending : attempt([&] {
        session.for_each(rows.size(), [&](std::size_t worker, std::size_t) {
            if (rows[worker].empty()) return;
            ByteWriter writer(outgoing[worker]);
            write_chunk(writer, *picker->chunk(rows[worker]));
        });
    });
    const std::vector<Bytes> incoming = session.communicator().all_to_all(std::move(outgoing), failed);
    Chunks received;
    session.communicator().agree(attempt([&] { received = read_chunks(incoming, column_count); }));
    return received;
}

}  // namespace partita::inline PARTITA_ABI::detail
