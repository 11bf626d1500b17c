// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a worker knows of another one in a run.

#include <partita/comm/bytes.hpp>

#include <cstdint>

namespace partita::inline PARTITA_ABI::detail {

struct MpiPeer {
    static constexpr std::int64_t nobody = -1;

    bool left = false;    // its farewell is here
    bool told = false;    // it says that it told everybody of an error
    bool heard = false;   // and here it is
    bool serves = false;  // its service lane is open, and has a farewell of its own
    Bytes aside;          // of a message that is none of this run's collectives
    Bytes end;            // the error that it left with, or knows of
    std::int64_t waits_for = nobody;
};

}  // namespace partita::inline PARTITA_ABI::detail
