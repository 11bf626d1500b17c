// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <thread>

namespace partita::inline PARTITA_ABI::detail {

/// Waits for `done()` for some tens of microseconds, which is cheaper than sleeping if the other side is about to answer:
/// first in a tight loop, then offering the processor to whoever needs it, because on a busy machine the thread that is
/// waited for may be among them. Gives what `done()` said last.
template <class Done>
bool spin_until(Done&& done) {
    for (int spin = 0; spin < 100; ++spin) {
        if (done()) return true;
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
    for (int spin = 0; spin < 40; ++spin) {
        if (done()) return true;
        std::this_thread::yield();
    }
    return done();
}

}  // namespace partita::inline PARTITA_ABI::detail
