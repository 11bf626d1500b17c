// SPDX-License-Identifier: Apache-2.0
#pragma once

// The errors that a sharded table may come to, and which of them its workers throw.

#include <partita/comm/error_wire.hpp>
#include <partita/comm/link.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>

namespace partita::inline PARTITA_ABI::detail {

class TableOutcome {
  public:
    /// Keeps a worker's own error, so that it throws the original, and gives its wire form.
    Bytes keep(const PendingError& pending, std::size_t rank) {
        original_ = pending.error;
        original_wire_ = write_error(pending.error, pending.block, rank);
        return original_wire_;
    }

    /// An error that all workers throw when the owners are done with so many clocks, or at once (0). Of several it is the
    /// soonest, then that of the lowest block, then of the lowest rank.
    void note(std::span<const std::byte> error, std::uint64_t clocks) {
        const bool sooner = failure_.empty() || clocks < failure_clocks_;
        if (!sooner && !(clocks == failure_clocks_ && key_of_error(error) < key_of_error(failure_))) return;
        failure_.assign(error.begin(), error.end());
        failure_clocks_ = clocks;
    }

    /// The run is over.
    void end(std::span<const std::byte> error) { over_.assign(error.begin(), error.end()); }
    bool is_over() const noexcept { return !over_.empty(); }

    /// What is to be thrown where the owners are done with so many clocks; null if nothing.
    std::exception_ptr error(std::uint64_t clocks) const {
        if (is_over()) return read_error(over_);
        if (!has_failed(clocks)) return desertion_;
        return failure_ == original_wire_ ? original_ : read_error(failure_);
    }
    bool has_failed(std::uint64_t clocks) const noexcept {
        return is_over() || (!failure_.empty() && clocks >= failure_clocks_);
    }

    /// Throws that a worker will not end the clock which others wait for, and error() gives it from here on: this worker's
    /// clock will never end, so it must not send another.
    [[noreturn]] void refuse_desertion(std::size_t gone, std::uint64_t clocks) {
        desertion_ = std::make_exception_ptr(CollectiveMismatch(
            "process " + std::to_string(gone) + " let go of a parameter table after " + std::to_string(clocks) +
                " clocks, while others wait for its next one; all workers must end equally many clocks (advance), with "
                "nothing pushed where there is nothing to do, and with its error where one is caught",
            Place{.process = static_cast<std::int64_t>(gone)}));
        std::rethrow_exception(desertion_);
    }

  private:
    Bytes failure_;
    std::uint64_t failure_clocks_ = 0;
    std::exception_ptr original_;
    Bytes original_wire_;
    Bytes over_;
    std::exception_ptr desertion_;
};

}  // namespace partita::inline PARTITA_ABI::detail
