// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of a parameter server: every worker owns a run of the keys, and only touched keys travel.
//
// A worker's deltas of a clock go to the owners when it ends the clock, an owner runs the rule when those of all workers are in
// and says so to all: what an owner has applied is always a whole number of clocks, the same bits whoever was faster. Under
// Bsp and Ssp a worker ends its clock c once every owner has applied clock c - staleness, so that no read can be older.

#include <partita/comm/parameter_table/backend.hpp>
#include <partita/comm/parameter_table/key_cache.hpp>
#include <partita/comm/parameter_table/mail.hpp>
#include <partita/comm/parameter_table/outcome.hpp>
#include <partita/comm/parameter_table/owner.hpp>
#include <partita/comm/parameter_table/service.hpp>
#include <partita/comm/read_log.hpp>
#include <partita/comm/shares.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

class ShardedTable final : public TableBackend, public ServedTable {
  public:
    /// How far a worker's deltas may run ahead of their owners where no staleness is asked for: it bounds memory.
    static constexpr std::uint64_t most_unapplied = 16;

    ShardedTable(CommunicatorBase& communicator, std::uint64_t number, TableShard shard, std::uint64_t keys,
                 bool cache_keys, double deadline_seconds)
        : communicator_(communicator),
          reads_(communicator.link().instruments().reads),
          mail_(communicator.link().channel(), number),
          consistency_(communicator.table_consistency()),
          deadline_seconds_(deadline_seconds),
          width_(shard.width()),
          caches_(cache_keys && bounded()),
          cache_(shard.width()),
          owner_(std::move(shard), communicator.rank(), communicator.size(), consistency_),
          collected_(size()),
          acked_(size()),
          closed_(size()),
          replies_(size()) {
        for (std::size_t owner = 0; owner <= size(); ++owner)
            first_keys_.push_back(owner == size() ? keys
                                                  : share_of(static_cast<std::size_t>(keys), owner, size()).first);
    }

    // ---- for the worker ----

    void pull(std::span<const std::uint32_t> keys, std::span<float> values) override {
        const std::lock_guard one_pull(pulling_);
        const std::uint64_t oldest = clock_ > consistency_.staleness ? clock_ - consistency_.staleness : 0;
        {
            const std::lock_guard lock(mutex_);
            throw_if_failed();
            ++request_;
        }
        const std::vector<std::size_t> begins = begins_of(keys);
        std::vector<std::vector<std::size_t>> wanted(size());  // positions of the keys that must travel
        mail_.for_others([&](std::size_t owner) {
            for (std::size_t i = begins[owner]; i < begins[owner + 1]; ++i) {
                const std::size_t at = caches_ ? cache_.find(keys[i], oldest) : KeyCache::none;
                if (at == KeyCache::none) {
                    wanted[owner].push_back(i);
                } else {
                    std::copy_n(cache_.values(at), width_, values.data() + i * width_);
                    note_read(owner, cache_.version(at), 1, true);
                }
            }
            if (wanted[owner].empty()) return;
            Bytes message = mail_.begin();
            ByteWriter writer(message);
            message.reserve(message.size() + wanted[owner].size() * sizeof(std::uint32_t));
            for (const std::size_t i : wanted[owner]) writer.write(keys[i]);
            mail_.post(owner, Operation::table_pull, request_, std::move(message));
        });

        std::unique_lock lock(mutex_);
        const std::size_t mine = begins[rank()], mine_end = begins[rank() + 1];
        if (mine < mine_end) {
            owner_.shard().read(keys.subspan(mine, mine_end - mine), values.data() + mine * width_);
            note_read(rank(), owner_.applied(), mine_end - mine, false);
        }
        const auto missing = [&] {
            std::size_t owner = 0;
            while (owner < size() && (wanted[owner].empty() || replies_[owner].request == request_)) ++owner;
            return owner;
        };
        wait(
            lock, [&] { return missing() == size() && !reply_failed(); }, [&] { return missing(); },
            "answer a pull of a parameter table");
        lock.unlock();  // nobody touches the replies before the next request
        mail_.for_others([&](std::size_t owner) {
            if (wanted[owner].empty()) return;
            ByteReader reader(replies_[owner].message);
            reader.read<std::uint64_t>();
            const auto version = reader.read<std::uint64_t>();
            for (const std::size_t i : wanted[owner]) {
                reader.read_raw(values.data() + i * width_, width_ * sizeof(float));
                if (caches_) cache_.insert(keys[i], version, values.data() + i * width_, oldest);
            }
            replies_[owner].message = {};
            note_read(owner, version, wanted[owner].size(), false);
        });
    }

    void advance(Deltas deltas, const PendingError& pending) override {
        end_clock(std::move(deltas), pending, false, bounded() ? consistency_.staleness : most_unapplied);
    }

    TableContents collect(bool states, const PendingError& pending) override {
        end_clock({}, pending, true, 0);
        TableContents contents;
        const PendingError failure = attempt([&] {
            const std::lock_guard lock(mutex_);
            owner_.shard().append_non_zero(states, contents.keys, contents.values);
        });
        return gather_contents(communicator_, contents, owner_.shard().numbers_of_key(states), failure);
    }

    void close(bool unwinding) noexcept override {
        auto end = unwinding ? TableEnd::unwound : TableEnd::as_planned;
        {
            const std::lock_guard lock(mutex_);
            closed_[rank()] = Closed::as_planned;
            if (outcome_.has_failed(done_clocks())) end = TableEnd::failed;
        }
        service().close(mail_.number(), end);
    }

    // ---- for the service ----

    void handle(std::size_t from, const MessageHeader& header, Bytes message) override {
        const std::span<const std::byte> rest = mail_.rest_of(message);
        switch (static_cast<Operation>(header.operation)) {
            case Operation::table_pull: return answer(from, header.sequence, rest);
            case Operation::table_values: {
                const std::lock_guard lock(mutex_);
                replies_[from] = {header.sequence, header.failed != 0, std::move(message)};
                changed_.notify_all();
                return;
            }
            case Operation::table_push:
            case Operation::table_collect: {
                const bool collects = header.operation == static_cast<std::uint32_t>(Operation::table_collect);
                if (header.failed != 0)
                    return take_clock(from, header.sequence, {}, Bytes(rest.begin(), rest.end()), collects);
                return take_clock(from, header.sequence, read_deltas(rest, width_), {}, collects);
            }
            case Operation::table_applied: {
                const std::lock_guard lock(mutex_);
                acked_[from] = std::max(acked_[from], header.sequence);
                if (header.failed != 0) outcome_.note(rest, header.sequence);
                changed_.notify_all();
                return;
            }
            case Operation::table_failed: {
                const std::lock_guard lock(mutex_);
                outcome_.note(rest, 0);
                changed_.notify_all();
                return;
            }
            case Operation::table_closed: {
                const std::lock_guard lock(mutex_);
                closed_[from] = header.failed != 0 ? Closed::by_an_error : Closed::as_planned;
                changed_.notify_all();
                return;
            }
            default: return;
        }
    }

    void end(std::span<const std::byte> error) override {
        const std::lock_guard lock(mutex_);
        outcome_.end(error);
        changed_.notify_all();
    }

    std::size_t who_needs_it() override {
        const std::lock_guard lock(mutex_);
        std::size_t other = 0;
        while (other < size() && closed_[other] != Closed::no) ++other;
        return other;
    }

  private:
    enum class Closed : std::uint8_t { no, as_planned, by_an_error };
    struct Reply {
        std::uint64_t request = 0;
        bool failed = false;
        Bytes message;
    };
    TableService& service() const { return static_cast<TableService&>(*communicator_.service()); }
    std::size_t rank() const noexcept { return mail_.rank(); }
    std::size_t size() const noexcept { return mail_.size(); }
    bool bounded() const noexcept { return consistency_.kind == TableConsistency::Kind::bounded; }

    /// Sends this worker's part of a clock, then waits until no owner is more than `room` clocks behind.
    void end_clock(Deltas deltas, PendingError failure, bool collects, std::uint64_t room) {
        service().go_on();
        {
            const std::lock_guard lock(mutex_);
            throw_if_failed();
        }
        std::vector<Bytes> messages(size());  // all are made before one is sent: what fails here fails at every owner
        if (!failure) failure = attempt([&] { divide(deltas, messages); });
        Bytes error;
        if (failure) {
            deltas = {};
            {
                const std::lock_guard lock(mutex_);
                error = outcome_.keep(failure, rank());
            }
            mail_.for_others([&](std::size_t other) { messages[other] = mail_.begin(error); });
        }
        const bool at_once = failure && !bounded();  // nobody waits for the end of this clock
        const auto operation = at_once    ? Operation::table_failed
                               : collects ? Operation::table_collect
                                          : Operation::table_push;
        try {
            mail_.for_others([&](std::size_t other) {
                mail_.post(other, operation, clock_, std::move(messages[other]), bool(failure));
            });
            if (!at_once) take_clock(rank(), clock_, std::move(deltas), std::move(error), collects);
        } catch (const Killed&) {
            throw;
        } catch (...) {  // some have the clock and some have not
            mail_.channel().abandon(write_error(std::current_exception(), -1, rank()));
            throw;
        }
        if (at_once) {
            const std::lock_guard lock(mutex_);
            outcome_.note(error, 0);
            throw_if_failed();
        }
        ++clock_;

        if (failure) room = 0;
        const std::uint64_t needed = clock_ > room ? clock_ - room : 0;
        std::unique_lock lock(mutex_);
        wait(
            lock,
            [&] {
                return done_clocks() >= needed &&
                       (!collects || *std::min_element(collected_.begin(), collected_.end()) >= collected_[rank()]);
            },
            [&] { return who_is_behind(needed); }, "end its clock of a parameter table", needed);
    }

    /// Where each owner's keys begin in an ascending list, and where the last one's end.
    std::vector<std::size_t> begins_of(std::span<const std::uint32_t> keys) const {
        std::vector<std::size_t> begins;
        for (const std::uint64_t first : first_keys_)
            begins.push_back(
                static_cast<std::size_t>(std::lower_bound(keys.begin(), keys.end(), first) - keys.begin()));
        return begins;
    }

    /// Writes what of a clock's deltas is for others, and keeps this worker's own.
    void divide(Deltas& deltas, std::vector<Bytes>& messages) const {
        const std::vector<std::size_t> begins = begins_of(deltas.keys);
        mail_.for_others([&](std::size_t owner) {
            messages[owner] = mail_.begin();
            write_deltas(deltas, begins[owner], begins[owner + 1], width_, messages[owner]);
        });
        keep_range(deltas, begins[rank()], begins[rank() + 1], width_);
    }

    // ---- the owner's side ----

    void answer(std::size_t to, std::uint64_t request, std::span<const std::byte> rest) {
        std::vector<std::uint32_t> keys(rest.size() / sizeof(std::uint32_t));
        ByteReader(rest).read_raw(keys.data(), keys.size() * sizeof(std::uint32_t));
        std::vector<float> values(keys.size() * width_);
        Bytes message = mail_.begin();
        bool failed = false;
        {
            const std::lock_guard lock(mutex_);
            failed = owner_.failed();
            ByteWriter(message).write(owner_.applied());
            owner_.shard().read(keys, values.data());
        }
        if (!failed) ByteWriter(message).write_raw(values.data(), values.size() * sizeof(float));
        mail_.post(to, Operation::table_values, request, std::move(message), failed);
    }

    /// A worker's deltas of a clock are here, or an error in their place.
    void take_clock(std::size_t from, std::uint64_t clock, Deltas deltas, Bytes error, bool collects) {
        std::vector<TableOwner::Applied> applied;
        {
            const std::lock_guard lock(mutex_);
            applied = owner_.end_clock(from, clock, std::move(deltas), std::move(error), collects);
            if (collects) ++collected_[from];
            for (const TableOwner::Applied& each : applied) {
                if (each.concerns(rank())) acked_[rank()] = each.clocks;
                if (!each.error.empty()) outcome_.note(each.error, bounded() ? each.clocks : 0);
            }
            changed_.notify_all();
        }
        for (const TableOwner::Applied& each : applied) {
            const bool failed = !each.error.empty();
            mail_.for_others([&](std::size_t other) {
                if (!each.concerns(other)) return;
                mail_.post(other, failed && !bounded() ? Operation::table_failed : Operation::table_applied,
                           each.clocks, mail_.begin(each.error), failed);
            });
        }
    }

    // ---- errors ----

    /// Clocks that all owners are done with.
    std::uint64_t done_clocks() const { return *std::min_element(acked_.begin(), acked_.end()); }

    bool reply_failed() const {
        return std::any_of(replies_.begin(), replies_.end(),
                           [&](const Reply& reply) { return reply.failed && reply.request == request_; });
    }

    void throw_if_failed() const {
        if (const std::exception_ptr error = outcome_.error(done_clocks())) std::rethrow_exception(error);
    }

    /// Waits until something is done, while `who()` is to blame if it is not.
    template <class Done, class Who>
    void wait(std::unique_lock<std::mutex>& lock, Done done, Who who, const char* what, std::uint64_t clocks = 0) {
        const auto over = [&] { return done() || outcome_.has_failed(done_clocks()) || deserter(clocks) < size(); };
        if (!changed_.wait_until(lock, deadline_after(deadline_seconds_), over)) {
            const std::size_t late = who();
            lock.unlock();
            mail_.channel().abandon(write_lateness(late, what, deadline_seconds_));
            lock.lock();
            changed_.wait(lock, [&] { return outcome_.is_over(); });
        }
        throw_if_failed();
        if (done()) return;
        const std::size_t gone = deserter(clocks);
        outcome_.refuse_desertion(gone, owner_.ended()[gone]);
    }

    bool is_behind(std::size_t other, std::uint64_t clocks) const {
        return (bounded() && owner_.ended()[other] < clocks) || collected_[other] < collected_[rank()];
    }

    /// A worker that will not end so many clocks, though nothing went wrong; size() if there is none.
    std::size_t deserter(std::uint64_t clocks) const {
        std::size_t other = 0;
        while (other < size() && !(closed_[other] == Closed::as_planned && is_behind(other, clocks))) ++other;
        return other;
    }

    /// The worker that the others wait for, to end so many clocks.
    std::size_t who_is_behind(std::uint64_t clocks) const {
        const auto last = std::min_element(owner_.ended().begin(), owner_.ended().end());
        if (bounded() && *last < clocks) return static_cast<std::size_t>(last - owner_.ended().begin());
        for (std::size_t other = 0; other < size(); ++other)
            if (is_behind(other, clocks)) return other;
        return static_cast<std::size_t>(std::min_element(acked_.begin(), acked_.end()) - acked_.begin());
    }

    // ---- what tests look at ----

    void note_read(std::size_t owner, std::uint64_t version, std::size_t keys, bool cached) {
        if (reads_ != nullptr) reads_->add({rank(), clock_, version, keys, owner, cached});
    }

    CommunicatorBase& communicator_;
    ReadLog* reads_;
    TableMail mail_;
    TableConsistency consistency_;
    double deadline_seconds_;
    std::size_t width_;
    std::vector<std::uint64_t> first_keys_;  // of each owner, and the number of keys
    bool caches_;
    std::mutex pulling_;       // held by the thread that pulls
    KeyCache cache_;           // of what was pulled
    std::uint64_t clock_ = 0;  // that the worker is in; to collect ends one too

    std::mutex mutex_;  // of all below
    std::condition_variable changed_;
    TableOwner owner_;
    std::vector<std::uint64_t> collected_;  // how often each worker has collected
    std::vector<std::uint64_t> acked_;      // clocks that each owner is done with; under Async, of this worker's
    std::vector<Closed> closed_;            // who needs the table no more
    std::uint64_t request_ = 0;             // the number of this worker's last pull
    std::vector<Reply> replies_;            // of each owner
    TableOutcome outcome_;
};

}  // namespace partita::inline PARTITA_ABI::detail
