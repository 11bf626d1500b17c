// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/error.hpp>

#include <atomic>
#include <memory>

namespace partita::inline PARTITA_ABI {

/// A switch that stops long operations: copies share it, any thread may throw it, parallel loops look at it between
/// two indices and end with Cancelled.
class CancelToken {
  public:
    CancelToken() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}

    /// Asks everything that holds a copy of this token to stop soon. May be called from any thread, and again.
    void cancel() const noexcept { cancelled_->store(true, std::memory_order_relaxed); }
    bool cancelled() const noexcept { return cancelled_->load(std::memory_order_relaxed); }

    /// Throws Cancelled if somebody has cancelled.
    void check() const {
        if (cancelled()) throw Cancelled("the operation was cancelled by its caller; run it again to complete it");
    }

  private:
    std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace partita::inline PARTITA_ABI
