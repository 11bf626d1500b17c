// SPDX-License-Identifier: Apache-2.0
#pragma once

// What exact arithmetic asks of the processor's settings.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>

#include <string>

namespace partita::inline PARTITA_ABI {

/// Throws if this thread rounds other than to nearest, or takes subnormal numbers for zero: exact sums would be wrong.
/// These are settings of a thread, so every worker thread calls it once.
///
/// Errors: InvalidSetting, with the control register's name as its setting.
inline void check_floating_point_environment() {
#if defined(__SSE2__)
    const unsigned control = __builtin_ia32_stmxcsr();
    const char* wrong = (control & 0x8000U)   ? "flushes subnormal results to zero"
                        : (control & 0x0040U) ? "takes subnormal operands for zero"
                        : (control & 0x6000U) ? "rounds in another direction than to nearest"
                                              : nullptr;
    if (wrong) {
        Place place;
        place.setting = "MXCSR";
        throw InvalidSetting(
            std::string("this thread's floating-point arithmetic ") + wrong +
                ", which would make exact sums wrong; restore the default (do not link with -ffast-math, and "
                "call fesetenv(FE_DFL_ENV) before training)",
            std::move(place));
    }
#endif
}

}  // namespace partita::inline PARTITA_ABI
