// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the rows that a worker has of a result lie among those of all workers.

#include <partita/comm/session.hpp>
#include <partita/comm/shares.hpp>
#include <partita/data/row_ids.hpp>

#include <algorithm>
#include <span>
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

/// Which worker each of these blocks goes to when the blocks of all workers are dealt out evenly, in their order. A collective.
inline std::vector<std::size_t> new_owners(Session& session, const std::vector<std::int64_t>& blocks) {
    std::vector<std::int64_t> all;
    for (const Bytes& theirs : session.communicator().all_gather(std::as_bytes(std::span(blocks)))) {
        ByteReader reader(theirs);
        while (reader.remaining() != 0) all.push_back(reader.read<std::int64_t>());
    }
    std::sort(all.begin(), all.end());
    std::vector<std::size_t> first_of_workers;  // where the shares begin
    for (std::size_t worker = 0; worker < session.size(); ++worker)
        first_of_workers.push_back(share_of(all.size(), worker, session.size()).first);
    std::vector<std::size_t> owners;
    for (const std::int64_t block : blocks) {
        const auto at = static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), block) - all.begin());
        owners.push_back(static_cast<std::size_t>(
            std::upper_bound(first_of_workers.begin(), first_of_workers.end(), at) - first_of_workers.begin() - 1));
    }
    return owners;
}

}  // namespace partita::inline PARTITA_ABI::detail
