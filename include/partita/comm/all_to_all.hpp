// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes from every worker to every other: what rows that change place travel in.

#include <partita/comm/link.hpp>

#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The all-to-all of policies that have none of their own: P-1 steps, in step k to the worker k ahead and from the worker k
/// behind, so that no two send to the same one at once. A worker holds what it sends, what it received, and the messages of
/// whoever is ahead of it.
inline std::vector<Bytes> exchange_in_steps(Link& link, std::vector<Bytes> outgoing) {
    const std::size_t size = link.size(), rank = link.rank();
    outgoing.resize(size);  // a worker with an error may bring anything
    std::vector<Bytes> incoming(size);
    incoming[rank] = std::move(outgoing[rank]);
    for (std::size_t step = 1; step < size; ++step) {
        const std::size_t to = (rank + step) % size, from = (rank + size - step) % size;
        link.send(to, outgoing[to]);
        outgoing[to] = {};
        incoming[from] = link.receive(from);
    }
    return incoming;
}

namespace detail {

/// The policy's own way, if it has one.
template <class Policy>
std::vector<Bytes> all_to_all_of(Policy& policy, Link& link, std::vector<Bytes> outgoing) {
    if constexpr (requires { policy.all_to_all(std::move(outgoing)); }) {
        return policy.all_to_all(std::move(outgoing));
    } else {
        return exchange_in_steps(link, std::move(outgoing));
    }
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
