// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the rows that a worker has of a result lie among those of all workers.

#include <partita/comm/session.hpp>
#include <partita/data/row_ids.hpp>

#include <algorithm>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The ids of this worker's rows. A block belongs to the worker that has its first row, so rows before `own_start` go to an earlier
/// worker.
struct ResultPlace {
    std::int64_t start = 0, own_start = 0, end = 0;
    std::size_t head_owner = 0;
};

/// How many of something each worker has. A collective.
inline std::vector<std::int64_t> counts_of_workers(Session& session, std::size_t mine, const PendingError& pending) {
    std::vector<std::int64_t> counts(session.size(), 0);
    counts[session.rank()] = static_cast<std::int64_t>(mine);
    session.communicator().all_reduce(counts, Reduction::sum, pending);
    return counts;
}

/// The ids 0, 1, … for the rows of worker 0, then for those of worker 1, and so on. A collective.
inline ResultPlace place_of_result(Session& session, std::size_t rows, const PendingError& pending) {
    const std::vector<std::int64_t> counts = counts_of_workers(session, rows, pending);
    std::vector<std::int64_t> starts{0};
    for (const std::int64_t count : counts) starts.push_back(starts.back() + count);
    ResultPlace place;
    place.start = starts[session.rank()];
    place.end = place.start + static_cast<std::int64_t>(rows);
    place.own_start = std::min((place.start + block_rows - 1) / block_rows * block_rows, place.end);
    place.head_owner = session.rank();
    while (starts[place.head_owner] > place.start / block_rows * block_rows ||
           (counts[place.head_owner] == 0 && place.head_owner > 0))
        --place.head_owner;
    return place;
}

}  // namespace partita::inline PARTITA_ABI::detail
