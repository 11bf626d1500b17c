// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

namespace partita::inline PARTITA_ABI {

/// a·b + c, rounded once where the instruction set has fused multiply-add and twice where it has not: never left to the
/// compiler's choice, so every build for one instruction set gives the same bits.
template <class T>
constexpr T fused(T a, T b, T c) {
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA)
    if constexpr (sizeof(T) == sizeof(float)) {
        return __builtin_fmaf(a, b, c);
    } else {
        return __builtin_fma(a, b, c);
    }
#else
    return a * b + c;
#endif
}

}  // namespace partita::inline PARTITA_ABI
