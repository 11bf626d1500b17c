// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a process waits for messages.

#include <partita/core/version.hpp>

#include <chrono>
#include <thread>

namespace partita::inline PARTITA_ABI::detail {

/// Passes the time between two looks for a message: in a tight loop at first, then by giving the processor away, then asleep,
/// because who waits long waits for a computation.
class MpiWait {
  public:
    using Clock = std::chrono::steady_clock;

    /// `may_spin`: every thread of every worker here has a hardware thread of its own.
    explicit MpiWait(bool may_spin) : spins_(may_spin ? 2'000 : 0) {}

    /// Whether the wait is still shorter than that.
    bool pause(double most_seconds) {
        if (++rounds_ <= spins_ && rounds_ % 64 != 0) {
#if defined(__x86_64__) || defined(__i386__)
            if (rounds_ > 64) __builtin_ia32_pause();
#endif
            return true;
        }
        const Clock::time_point now = Clock::now();
        if (!started_) start_ = now;  // not before: the clock costs as much as a short message
        started_ = true;
        const double waited = std::chrono::duration<double>(now - start_).count();
        if (rounds_ > spins_) {
            if (waited < 0.02) {
                std::this_thread::yield();
            } else {
                std::this_thread::sleep_for(std::chrono::microseconds(100));
            }
        }
        return waited < most_seconds;
    }

  private:
    int spins_;
    int rounds_ = 0;
    bool started_ = false;
    Clock::time_point start_{};
};

}  // namespace partita::inline PARTITA_ABI::detail
