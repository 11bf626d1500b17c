// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

/// A function along a line: its value and its first two derivatives by the step.
struct AlongLine {
    double value = 0.0, slope = 0.0, curvature = 0.0;
};

}  // namespace partita::inline PARTITA_ABI
