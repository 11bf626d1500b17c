// SPDX-License-Identifier: Apache-2.0
#pragma once

// An owner's keys and the clocks that are on their way to them: who has ended which, and when the rule is run.

#include <partita/comm/consistency.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/link.hpp>
#include <partita/comm/parameter_table/deltas.hpp>
#include <partita/comm/parameter_table/shard.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

class TableOwner {
  public:
    /// What workers are to be told: that an owner is done with so many clocks, or an error that one of them came to.
    struct Applied {
        static constexpr std::size_t everyone = ~std::size_t{0};
        std::uint64_t clocks = 0;
        Bytes error;
        std::size_t to = everyone;

        bool concerns(std::size_t worker) const noexcept { return to == everyone || to == worker; }
    };

    TableOwner(TableShard shard, std::size_t rank, std::size_t workers, const TableConsistency& consistency)
        : shard_(std::move(shard)),
          rank_(rank),
          whole_clocks_(consistency.kind == TableConsistency::Kind::bounded),
          staleness_(consistency.staleness),
          ended_(workers) {}

    const TableShard& shard() const noexcept { return shard_; }
    /// Clocks of all workers that the values hold.
    std::uint64_t applied() const noexcept { return applied_; }
    /// Nothing is applied any more.
    bool failed() const noexcept { return failed_; }
    /// Clocks that each worker has ended, as far as is known here.
    const std::vector<std::uint64_t>& ended() const noexcept { return ended_; }

    /// A worker's deltas of its next clock are here, or an error in their place. A clock that `collects` has no deltas, and does so
    /// for all workers. Errors: CollectiveMismatch, and nothing has changed, for any other clock than the worker's next, and for one that
    /// it may not have come to yet.
    std::vector<Applied> end_clock(std::size_t from, std::uint64_t clock, Deltas deltas, Bytes error, bool collects) {
        if (clock != ended_[from] || (whole_clocks_ && !failed_ && clock - applied_ > staleness_))
            refuse_clock(from, clock);
        std::vector<Applied> applied;
        if (failed_) {
            ++ended_[from];
            return applied;
        }
        if (!whole_clocks_) {
            ++ended_[from];
            error = apply([&] { return std::move(deltas); });
            applied_ = *std::min_element(ended_.begin(), ended_.end());
            if (failed_) return {{clock + 1, std::move(error)}};
            applied.push_back({clock + 1, {}, from});
            if (!collects) return applied;
            // Only when all have come to collect can nothing fail any more, and then it has for none of them.
            collecting_.push_back(std::move(applied.front()));
            if (collecting_.size() < ended_.size()) return {};
            return std::exchange(collecting_, {});
        }
        const auto place = static_cast<std::size_t>(clock - applied_);
        if (open_.size() <= place) open_.resize(place + 1);
        OpenClock& mine = open_[place];
        if (!mine.runs) mine.runs = std::make_unique<DeltaRuns>(shard_.width(), shard_.unit());
        static_cast<void>(
            attempt([&] { mine.runs->add(std::move(deltas)); }));  // an error is given again when all is taken
        ++ended_[from];
        ++mine.ended;
        mine.collected += collects || !error.empty();
        mine.advanced += !collects || !error.empty();
        if (!error.empty() && (mine.error.empty() || key_of_error(error) < key_of_error(mine.error)))
            mine.error = std::move(error);
        while (!failed_ && !open_.empty() && open_.front().ended == ended_.size()) {
            OpenClock whole = std::move(open_.front());
            open_.pop_front();
            if (whole.collected < ended_.size() && whole.advanced < ended_.size() && whole.error.empty())
                whole.error = write_error(
                    std::make_exception_ptr(CollectiveMismatch(
                        "of the workers of a parameter table some collect after " + std::to_string(applied_) +
                        " clocks and some go on; all must end equally many clocks (advance), with "
                        "nothing pushed where there is nothing to do")),
                    -1, rank_);
            if (whole.error.empty()) whole.error = apply([&] { return whole.runs->take(); });
            failed_ = !whole.error.empty();
            applied.push_back({applied_ + 1, std::move(whole.error)});
            if (!failed_) ++applied_;
        }
        return applied;
    }

  private:
    struct OpenClock {
        std::unique_ptr<DeltaRuns> runs;
        std::size_t ended = 0;                    // workers that have
        std::size_t collected = 0, advanced = 0;  // of these; who brings an error would have done either
        Bytes error;                              // that one of them brought, if any
    };

    [[noreturn]] void refuse_clock(std::size_t from, std::uint64_t clock) const {
        throw CollectiveMismatch("process " + std::to_string(from) + " sent clock " + std::to_string(clock) +
                                     " of a parameter table to process " + std::to_string(rank_) +
                                     ", which has applied " + std::to_string(applied_) + " and had " +
                                     std::to_string(ended_[from]) +
                                     " from it; a transport must bring every message once, whole and in order",
                                 Place{.process = static_cast<std::int64_t>(from)});
    }

    /// Gives the error that it ends with.
    template <class Take>
    Bytes apply(Take take) {
        const PendingError failure = attempt([&] { shard_.apply(take()); });
        failed_ = bool(failure);
        return failure ? write_error(failure.error, -1, rank_) : Bytes{};
    }

    TableShard shard_;
    std::size_t rank_;
    bool whole_clocks_;        // the rule is run when the deltas of all workers are in, not per worker
    std::uint64_t staleness_;  // how many clocks a worker may then be ahead of what is applied
    std::uint64_t applied_ = 0;
    std::deque<OpenClock> open_;       // the clocks after that
    std::vector<Applied> collecting_;  // without whole clocks: for those who wait until all collect
    std::vector<std::uint64_t> ended_;
    bool failed_ = false;
};

}  // namespace partita::inline PARTITA_ABI::detail
