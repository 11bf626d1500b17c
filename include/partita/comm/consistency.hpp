// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far apart the workers may be that share a ParameterTable.

#include <partita/core/version.hpp>

#include <cstdint>
#include <limits>

namespace partita::inline PARTITA_ABI {

/// What a ParameterTable does under a policy. A policy says so by a member type `consistency` that has a
/// `static constexpr TableConsistency table`; one that says nothing gets the replicated twin.
struct TableConsistency {
    enum class Kind : std::uint8_t {
        replicated,  ///< every worker holds the whole table; the deltas of a clock are reduced by the policy
        bounded,     ///< keys are sharded; a worker may be `staleness` clocks ahead of the slowest
        unbounded,   ///< keys are sharded; what is pushed is applied as it comes
    };
    Kind kind = Kind::replicated;
    std::uint32_t staleness = 0;
};

/// Bulk synchronous: a clock ends when every worker's contribution is in, so results equal an all-reduce bit for bit.
struct Bsp {
    static constexpr TableConsistency table{TableConsistency::Kind::bounded, 0};
};

/// Stale synchronous: a worker may be up to `staleness` clocks ahead of the slowest, and reads values that lack at most the
/// last so many clocks. Ssp<0> is Bsp. What it reads beyond that depends on time, so results do too.
/// Source: Ho et al., More effective distributed ML via a stale synchronous parallel parameter server, 2013.
template <std::uint32_t staleness>
struct Ssp {
    static_assert(staleness <= 1'000'000, "partita: Ssp allows so many clocks that Async is meant");
    static constexpr TableConsistency table{TableConsistency::Kind::bounded, staleness};
};

/// Nobody waits for anybody: what a worker pushes in a clock is applied when it arrives. Results depend on time.
struct Async {
    static constexpr TableConsistency table{TableConsistency::Kind::unbounded, 0};
};

}  // namespace partita::inline PARTITA_ABI
