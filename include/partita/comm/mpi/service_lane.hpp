// SPDX-License-Identifier: Apache-2.0
#pragma once

// The messages of the service lane over MPI, and the turns in which a worker's threads call MPI.

#include <partita/comm/channel.hpp>
#include <partita/comm/mpi/group.hpp>
#include <partita/comm/mpi/wait.hpp>
#include <partita/exec/function_ref.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace partita::inline PARTITA_ABI::detail {

class MpiServiceLane {
  public:
    /// Which of the worker's threads may call MPI and use what they share: itself, those of its pool that pull from a table, and the
    /// service's. Without a service it is the worker's own, which always may.
    using Turn = std::unique_lock<std::recursive_mutex>;

    Turn turn() { return serves_ ? Turn(turns_) : Turn(turns_, std::defer_lock); }

    /// A pause of the worker in its own wait, in which the service may look for its messages.
    bool pause(MpiWait& wait, Turn& turn, double deadline_seconds) {
        if (!turn.owns_lock()) return wait.pause(deadline_seconds);
        turn.unlock();
        while (service_waits_.load(std::memory_order_relaxed)) std::this_thread::yield();
        const bool in_time = wait.pause(deadline_seconds);
        turn.lock();
        return in_time;
    }

    void open(MpiGroup& group, std::uint32_t run) {
        group_ = &group;
        run_ = run;
        group_->begin_run(run);
    }
    bool is_open() const noexcept { return group_ != nullptr; }
    void begin() noexcept { serves_ = true; }

    /// In a turn.
    void post(std::size_t to, MessageHeader header, Bytes payload) {
        header.run = run_;
        ++posted_;
        if (to == group_->rank()) {
            own_.emplace_back(header, std::move(payload));
            return;
        }
        group_->post(to, header, payload);
        group_->flush();
    }

    /// Waits for a message, with `listen` at every look: without a pause while messages come and go, now and then while the worker
    /// computes for long.
    std::size_t take(MessageHeader& header, Bytes& payload, FunctionRef<void()> listen) {
        using Clock = std::chrono::steady_clock;
        Clock::time_point last = Clock::now();
        for (std::uint64_t posted = 0;;) {
            service_waits_.store(true, std::memory_order_relaxed);
            Turn turn = this->turn();
            service_waits_.store(false, std::memory_order_relaxed);
            listen();
            group_->flush();
            if (!own_.empty()) {
                header = own_.front().first;
                payload = std::move(own_.front().second);
                own_.pop_front();
                return group_->rank();
            }
            for (std::size_t i = 0; i < group_->size(); ++i) {
                const std::size_t from = looks_++ % group_->size();
                if (from == group_->rank()) continue;
                while (
                    group_->take(from, header, payload))  // what is left of a run that was given up is not for this one
                    if (header.run == run_ && header.operation != MpiGroup::farewell) return from;
            }
            const bool active = std::exchange(posted, posted_) != posted_;
            turn.unlock();
            const Clock::time_point now = Clock::now();
            if (active) last = now;
            if (now - last < std::chrono::milliseconds(1)) {
                std::this_thread::yield();
            } else {
                std::this_thread::sleep_for(std::chrono::microseconds(50));
            }
        }
    }

    void say_farewell(std::size_t to) {
        if (is_open()) group_->post(to, {.operation = MpiGroup::farewell, .run = run_}, {});
    }

    /// Sends on what found no room yet: nobody else does when the service has ended. True if nothing is left.
    bool flush() { return !is_open() || group_->flush(); }

    /// Drops what comes from a worker that opened its lane, so that it can send all. True if that was all of this run.
    bool is_drained(std::size_t from) {
        if (!is_open()) return true;
        MessageHeader header;
        Bytes unwanted;
        while (group_->left(from) < run_ && group_->take(from, header, unwanted)) {
        }
        return group_->left(from) >= run_;
    }

  private:
    MpiGroup* group_ = nullptr;
    std::uint32_t run_ = 0;
    bool serves_ = false;
    std::recursive_mutex turns_;
    std::atomic<bool> service_waits_{false};
    std::deque<std::pair<MessageHeader, Bytes>> own_;  // from this worker to itself
    std::uint64_t posted_ = 0;
    std::size_t looks_ = 0;
};

}  // namespace partita::inline PARTITA_ABI::detail
