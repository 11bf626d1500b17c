// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages through shared memory whose bytes stay where they are.

#include <partita/comm/channel.hpp>
#include <partita/comm/mpi/group.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::inline PARTITA_ABI::detail {

/// A message to a neighbour whose payload is borrowed for as long as this lives: what is not written by then is kept.
struct MpiWriting {
    MpiWriting(MpiGroup& group_, std::uint32_t run, std::size_t to_, const MessageHeader& header,
               std::span<const std::byte> payload)
        : group(group_), to(to_), message{header, payload} {
        message.header.run = run;
    }
    MpiWriting(const MpiWriting&) = delete;
    MpiWriting& operator=(const MpiWriting&) = delete;
    ~MpiWriting() {
        if (!message.is_written()) group.keep(to, message);
    }

    MpiGroup& group;
    std::size_t to;
    SharedMessage message;
};

/// While it lives, a neighbour's message is read in place: what is not read by then is dropped.
struct MpiReading {
    MpiReading(MpiGroup& group, std::size_t from) : neighbour(*group.neighbour(from)) {}
    MpiReading(const MpiReading&) = delete;
    MpiReading& operator=(const MpiReading&) = delete;
    ~MpiReading() { neighbour.from.drop(); }

    SharedNeighbours::Peer& neighbour;
};

}  // namespace partita::inline PARTITA_ABI::detail
