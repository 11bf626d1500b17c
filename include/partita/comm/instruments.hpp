// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

class MessageLog;
struct FaultPlan;
class ReadLog;

/// What the wrappers Counting and Faulty write to and read from, and what a ParameterTable notes of its reads.
struct Instruments {
    MessageLog* messages = nullptr;
    const FaultPlan* faults = nullptr;
    ReadLog* reads = nullptr;
};

}  // namespace partita::inline PARTITA_ABI
