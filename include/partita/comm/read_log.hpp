// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Values that a worker read of a ParameterTable at once. They lack the last `clock - version` clocks, of which its policy allows
/// so many.
struct ReadRecord {
    std::size_t rank = 0;       ///< who read
    std::uint64_t clock = 0;    ///< the clocks that it had ended; `collect` ends one as `advance` does
    std::uint64_t version = 0;  ///< the clocks of all workers that the values hold
    std::size_t keys = 0;       ///< how many keys
    std::size_t owner = 0;      ///< where they live
    bool cached = false;        ///< the worker had them already
};

/// What a ParameterTable with sharded keys notes of every read: give its address as `RunSettings::instruments.reads`. Safe from
/// any thread.
class ReadLog {
  public:
    void add(const ReadRecord& record) {
        const std::lock_guard lock(mutex_);
        records_.push_back(record);
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        records_.clear();
    }
    /// All reads so far; those of one worker are in order.
    std::vector<ReadRecord> reads() const {
        const std::lock_guard lock(mutex_);
        return records_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<ReadRecord> records_;
};

}  // namespace partita::inline PARTITA_ABI
