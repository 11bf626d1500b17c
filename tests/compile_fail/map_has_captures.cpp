// expect: partita::wrong::CaptureCannotBeSaved
// SPDX-License-Identifier: Apache-2.0
// A lambda with a capture: no model file could hold what it captured.
#include <partita/feature/map.hpp>

namespace pt = partita;

int main() {
    [[maybe_unused]] const float rate = 1.6f;
#ifndef PARTITA_FIXED
    const auto stage = pt::map<"miles", "km">([rate](float miles) { return miles * rate; });
#else
    const auto stage = pt::map<"miles", "km">([](float miles) { return miles * 1.6f; });
#endif
    return static_cast<int>(sizeof stage) == 0;
}
