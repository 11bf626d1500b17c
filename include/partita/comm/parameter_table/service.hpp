// SPDX-License-Identifier: Apache-2.0
#pragma once

// The thread on which a worker answers others about its part of the tables, whatever the worker itself is doing.

#include <partita/comm/communicator.hpp>
#include <partita/comm/parameter_table/mail.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The moment at which a wait that begins now has lasted too long.
inline std::chrono::steady_clock::time_point deadline_after(double seconds) {
    return std::chrono::steady_clock::now() +
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

/// How a worker let go of a table.
enum class TableEnd : std::uint8_t {
    as_planned,
    failed,   ///< after an error that all workers come to
    unwound,  ///< by an error of its own
};

/// A worker's part of a table, as the service sees it.
class ServedTable {
  public:
    virtual ~ServedTable() = default;
    virtual void handle(std::size_t from, const MessageHeader& header, Bytes message) = 0;
    /// The run is over, with this error.
    virtual void end(std::span<const std::byte> error) = 0;
    /// A worker that still needs the table, or their number if there is none.
    virtual std::size_t who_needs_it() = 0;
};

/// Messages on the service lane begin with the number of their table.
class TableService final : public Service {
  public:
    /// The communicator's, which is begun when it is first asked for.
    static TableService& of(CommunicatorBase& communicator, double deadline_seconds) {
        if (communicator.service() == nullptr) {
            communicator.link().channel().begin_service();
            communicator.service() = std::make_unique<TableService>(communicator.link().channel(), deadline_seconds);
        }
        return static_cast<TableService&>(*communicator.service());
    }

    TableService(Channel& channel, double deadline_seconds)
        : channel_(channel), deadline_seconds_(deadline_seconds), thread_([this] { serve(); }) {}
    TableService(const TableService&) = delete;
    TableService& operator=(const TableService&) = delete;

    ~TableService() override {
        try {
            channel_.post(channel_.rank(), {.operation = static_cast<std::uint32_t>(Operation::none)}, {});
        } catch (...) {  // the run is over: the thread hears of that
        }
        thread_.join();
    }

    void add(std::uint64_t number, std::shared_ptr<ServedTable> table) {
        const std::lock_guard lock(mutex_);
        if (!over_.empty()) table->end(over_);
        tables_[number] = std::move(table);
    }

    /// Called when the worker needs a table no more. Where the worker's own error unwound it others wait for that, until they hear
    /// that the run ends with it, or that the worker went on.
    void close(std::uint64_t number, TableEnd end) noexcept {
        tell_closed(number, end);
        if (end == TableEnd::unwound) {
            const std::lock_guard lock(mutex_);
            unwound_.push_back(number);
        }
        remove_unless_needed(number);
    }
    void go_on() noexcept override {
        std::unique_lock lock(mutex_);
        const std::vector<std::uint64_t> unwound = std::exchange(unwound_, {});
        lock.unlock();
        for (const std::uint64_t number : unwound) tell_closed(number, TableEnd::as_planned);
    }

    /// Lets go of a table that no worker has begun to use.
    void discard(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        tables_.erase(number);
    }

    void finish() override {
        go_on();
        std::unique_lock lock(mutex_);
        const auto finished = [&] { return tables_.empty() || !over_.empty(); };
        if (!changed_.wait_until(lock, deadline_after(deadline_seconds_), finished)) {
            const std::size_t late = tables_.begin()->second->who_needs_it();
            lock.unlock();
            channel_.abandon(write_lateness(late, "end its work on a parameter table", deadline_seconds_));
            lock.lock();
            changed_.wait(lock, finished);
        }
        if (!over_.empty()) std::rethrow_exception(read_error(over_));
    }

  private:
    void tell_closed(std::uint64_t number, TableEnd end) noexcept {
        TableMail mail(channel_, number);
        try {
            mail.for_others([&](std::size_t other) {
                mail.post(other, Operation::table_closed, 0, mail.begin(), end != TableEnd::as_planned);
            });
        } catch (...) {  // the run is over, and the others know
        }
    }

    /// Lets go of a table that no worker needs any more.
    void remove_unless_needed(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        const auto found = tables_.find(number);
        if (found == tables_.end() || found->second->who_needs_it() < channel_.size()) return;
        tables_.erase(found);
        if (tables_.empty()) changed_.notify_all();
    }

    void serve() {
        try {
            for (;;) {
                MessageHeader header;
                Bytes message;
                const std::size_t from = channel_.take_posted(header, message);
                if (header.operation == static_cast<std::uint32_t>(Operation::none)) return;
                const auto number = ByteReader(message).read<std::uint64_t>();
                if (const std::shared_ptr<ServedTable> table = find(number)) {
                    table->handle(from, header, std::move(message));
                    if (header.operation == static_cast<std::uint32_t>(Operation::table_closed))
                        remove_unless_needed(number);
                }
            }
        } catch (const RunAbandoned& abandoned) {
            end(abandoned.error);
        } catch (const Killed&) {  // the worker as well: nobody here waits for anything
        } catch (...) {
            const Bytes error = write_error(std::current_exception(), -1, channel_.rank());
            end(error);
            channel_.abandon(error);  // others may wait for an answer while the worker computes
        }
    }

    std::shared_ptr<ServedTable> find(std::uint64_t number) {
        const std::lock_guard lock(mutex_);
        const auto found = tables_.find(number);
        return found == tables_.end() ? nullptr : found->second;
    }

    void end(std::span<const std::byte> error) {
        const std::lock_guard lock(mutex_);
        over_.assign(error.begin(), error.end());
        for (const auto& [number, table] : tables_) table->end(error);
        changed_.notify_all();
    }

    Channel& channel_;
    double deadline_seconds_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::uint64_t, std::shared_ptr<ServedTable>> tables_;
    std::vector<std::uint64_t> unwound_;  // tables of which it is not known yet whether the worker goes on
    Bytes over_;                          // why the run is over, as ErrorWire wrote it
    std::thread thread_;                  // the last member: it uses the others
};

}  // namespace partita::inline PARTITA_ABI::detail
