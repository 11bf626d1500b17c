// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

class MessageLog;
struct FaultPlan;
class ReadLog;
struct Simulation;

/// What the wrappers Counting and Faulty write to and read from, what a ParameterTable notes of its reads, and the network of
/// Simulated; everything else ignores it.
struct Instruments {
    MessageLog* messages = nullptr;
    const FaultPlan* faults = nullptr;
    ReadLog* reads = nullptr;
    Simulation* simulation = nullptr;
};

}  // namespace partita::inline PARTITA_ABI
