// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

class MessageLog;
struct FaultPlan;

/// What the wrappers Counting and Faulty write to and read from; everything else ignores it.
struct Instruments {
    MessageLog* messages = nullptr;
    const FaultPlan* faults = nullptr;
};

}  // namespace partita::inline PARTITA_ABI
