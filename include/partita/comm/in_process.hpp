// SPDX-License-Identifier: Apache-2.0
#pragma once

// The transport between workers that are threads of one process: a mailbox per worker, a queue in it per sender.

#include <partita/comm/channel.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/settings.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/spin.hpp>
#include <partita/exec/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// What the workers of one run share.
class InProcessHub {
  public:
    InProcessHub(std::size_t size, double deadline_seconds)
        : deadline_seconds_(deadline_seconds),
          // Waiting for a message in a busy loop only pays while every worker has a hardware thread of its own.
          may_spin_(size <= hardware_threads()) {
        for (std::size_t i = 0; i < size; ++i) workers_.push_back(std::make_unique<Worker>(size));
    }

    std::size_t size() const noexcept { return workers_.size(); }

    void send(std::size_t from, std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) {
        // Who has heard of the end of the run may catch that and call more collectives: nobody should take those messages
        // for a part of its own.
        throw_if_abandoned();
        Worker& receiver = *workers_[to];
        Queue& queue = receiver.queues[from];
        Message message;
        {
            const std::lock_guard lock(receiver.mutex);
            if (!queue.spare.empty()) {
                message.payload = std::move(queue.spare.back());
                queue.spare.pop_back();
            }
        }
        message.header = header;
        message.payload.assign(payload.begin(), payload.end());
        bool waiting = false;
        {
            const std::lock_guard lock(receiver.mutex);
            queue.waiting.push_back(std::move(message));
            queue.count.store(queue.waiting.size() - queue.taken, std::memory_order_release);
            waiting = receiver.waits_for.load(std::memory_order_relaxed) == from;
        }
        if (waiting) receiver.arrived.notify_one();
    }

    void receive(std::size_t self, std::size_t from, MessageHeader& header, Bytes& payload) {
        Worker& me = *workers_[self];
        Queue& queue = me.queues[from];
        if (may_spin_) spin_until([&] { return queue.count.load(std::memory_order_acquire) != 0; });
        std::unique_lock lock(me.mutex);
        const auto over = [&] {
            return queue.taken < queue.waiting.size() || abandoned_.load(std::memory_order_acquire) ||
                   workers_[from]->state.load(std::memory_order_acquire) != State::running;
        };
        if (!over()) {
            me.waits_for.store(from, std::memory_order_relaxed);
            const auto deadline =
                std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                       std::chrono::duration<double>(deadline_seconds_));
            const bool in_time = me.arrived.wait_until(lock, deadline, over);
            if (!in_time) {
                lock.unlock();  // everybody is woken, this worker among them
                give_up_on_late(self, from);
                lock.lock();
            }
            me.waits_for.store(nobody, std::memory_order_relaxed);
        }
        if (queue.taken < queue.waiting.size()) {  // what was sent before the sender failed still counts
            Message& message = queue.waiting[queue.taken++];
            header = message.header;
            payload.swap(message.payload);
            queue.spare.push_back(std::move(message.payload));
            if (queue.taken == queue.waiting.size()) {
                queue.waiting.clear();
                queue.taken = 0;
            }
            queue.count.store(queue.waiting.size() - queue.taken, std::memory_order_relaxed);
            return;
        }
        lock.unlock();
        if (!abandoned_.load(std::memory_order_acquire)) {
            abandon(write_error(
                std::make_exception_ptr(CollectiveMismatch(
                    "process " + std::to_string(self) + " waits in a collective that process " + std::to_string(from) +
                        " never called: it has returned from the body already; all workers must make the same calls",
                    Place{.process = static_cast<std::int64_t>(self)})),
                -1, self));
        }
        throw_if_abandoned();
    }

    void post(std::size_t from, std::size_t to, const MessageHeader& header, Bytes payload) {
        throw_if_abandoned();
        Worker& receiver = *workers_[to];
        {
            const std::lock_guard lock(receiver.service_mutex);
            receiver.requests.push_back({from, {header, std::move(payload)}});
        }
        receiver.requested.notify_one();
    }

    std::size_t take(std::size_t self, MessageHeader& header, Bytes& payload) {
        Worker& me = *workers_[self];
        std::unique_lock lock(me.service_mutex);
        me.requested.wait(lock, [&] { return !me.requests.empty() || abandoned_.load(std::memory_order_acquire); });
        throw_if_abandoned();
        Request request = std::move(me.requests.front());
        me.requests.pop_front();
        header = request.message.header;
        payload = std::move(request.message.payload);
        return request.from;
    }

    void abandon(std::span<const std::byte> error) {
        {
            const std::lock_guard lock(error_mutex_);
            if (!abandoned_.load(std::memory_order_relaxed)) {
                error_.assign(error.begin(), error.end());
                abandoned_.store(true, std::memory_order_release);
            }
        }
        wake_all();
    }

    void lose(std::size_t rank) {
        // First the reason, then the fact: who sees the fact without a reason takes it for an early return.
        abandon(write_error(
            std::make_exception_ptr(WorkerLost(
                "process " + std::to_string(rank) +
                    " is gone; look at its own output for the reason, and run again from the last checkpoint",
                Place{.process = static_cast<std::int64_t>(rank)})),
            -1, rank));
        finish(rank);
    }

    /// The end of a run in which nobody noticed that a worker is gone, because no collective followed.
    void rethrow_if_lost() {
        if (abandoned_.load(std::memory_order_acquire)) std::rethrow_exception(read_error(error_));
    }

    void finish(std::size_t rank) {
        workers_[rank]->state.store(State::gone, std::memory_order_release);
        wake_all();
    }

  private:
    enum class State { running, gone };
    static constexpr std::size_t nobody = ~std::size_t{0};

    struct Message {
        MessageHeader header;
        Bytes payload;
    };
    struct Request {
        std::size_t from = 0;
        Message message;
    };
    struct Queue {
        std::vector<Message> waiting;
        std::size_t taken = 0;     // messages of `waiting` that are received already
        std::vector<Bytes> spare;  // memory of received messages, for the next ones
        std::atomic<std::size_t> count{0};
    };
    struct alignas(64) Worker {
        explicit Worker(std::size_t size) : queues(size) {}
        std::mutex mutex;
        std::condition_variable arrived;
        std::vector<Queue> queues;  // by sender
        std::atomic<std::size_t> waits_for{nobody};
        std::atomic<State> state{State::running};
        // The service lane, on which messages of all senders queue up together.
        std::mutex service_mutex;
        std::condition_variable requested;
        std::deque<Request> requests;
    };

    void throw_if_abandoned() {
        if (!abandoned_.load(std::memory_order_acquire)) return;
        const std::lock_guard lock(error_mutex_);
        throw RunAbandoned{error_};
    }

    void wake_all() {
        for (const std::unique_ptr<Worker>& worker : workers_) {
            {
                const std::lock_guard lock(worker->mutex);
                worker->arrived.notify_all();
            }
            const std::lock_guard lock(worker->service_mutex);
            worker->requested.notify_all();
        }
    }

    /// Who is late: the one that `from` waits for, or whom that one waits for, and so on.
    void give_up_on_late(std::size_t self, std::size_t from) {
        std::size_t late = from;
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            const std::size_t next = workers_[late]->waits_for.load(std::memory_order_relaxed);
            if (next == nobody || next == self) break;
            late = next;
        }
        abandon(write_lateness(late, "arrive at a collective", deadline_seconds_));
    }

    double deadline_seconds_;
    bool may_spin_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::atomic<bool> abandoned_{false};
    std::mutex error_mutex_;
    Bytes error_;
};

}  // namespace detail

/// The transport of workers that are threads of this process, each with its own pool: for tests, for trying a policy
/// before there is a cluster, and for programs that want the distributed path on one machine.
class InProcess final : public Channel {
  public:
    /// Runs `worker` once per worker, worker 0 on the calling thread. If workers throw, the error of the lowest block,
    /// then of the lowest rank, is rethrown when all have stopped; what they only heard of from others comes last.
    static void launch(const RunSettings& settings, FunctionRef<void(Channel&)> worker);

    InProcess(detail::InProcessHub& hub, std::size_t rank) : hub_(hub), rank_(rank) {}

    std::size_t rank() const noexcept override { return rank_; }
    std::size_t size() const noexcept override { return hub_.size(); }
    bool leads_process() const noexcept override { return rank_ == 0; }
    std::size_t workers_on_machine() const noexcept override { return hub_.size(); }

    void send(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) override {
        if (killed_) throw detail::Killed{};
        hub_.send(rank_, to, header, payload);
    }
    void receive(std::size_t from, MessageHeader& header, Bytes& payload) override {
        if (killed_) throw detail::Killed{};
        hub_.receive(rank_, from, header, payload);
    }
    void begin_service() override {}
    void post(std::size_t to, const MessageHeader& header, Bytes payload) override {
        if (killed_) throw detail::Killed{};
        hub_.post(rank_, to, header, std::move(payload));
    }
    std::size_t take_posted(MessageHeader& header, Bytes& payload) override {
        return hub_.take(rank_, header, payload);
    }
    void abandon(std::span<const std::byte> error) override {
        if (!killed_) hub_.abandon(error);
    }
    [[noreturn]] void kill() override {
        killed_ = true;
        hub_.lose(rank_);
        throw detail::Killed{};
    }

  private:
    detail::InProcessHub& hub_;
    std::size_t rank_;
    std::atomic<bool> killed_{false};  // the worker's service thread looks at it too
};

inline void InProcess::launch(const RunSettings& settings, FunctionRef<void(Channel&)> worker) {
    const std::size_t size = settings.workers == 0 ? hardware_threads() : settings.workers;
    detail::InProcessHub hub(size, settings.deadline_seconds);

    std::vector<std::exception_ptr> errors(size);
    const auto one = [&](std::size_t rank) {
        InProcess channel(hub, rank);
        try {
            worker(channel);
            if (channel.killed_) return;  // the body swallowed its own end
        } catch (const detail::Killed&) {
            return;
        } catch (...) {
            errors[rank] = std::current_exception();
            channel.abandon(detail::write_error(errors[rank], -1, rank));
        }
        hub.finish(rank);
    };

    std::vector<std::thread> threads;
    std::exception_ptr no_thread;
    try {
        threads.reserve(size - 1);
        for (std::size_t rank = 1; rank < size; ++rank) threads.emplace_back(one, rank);
    } catch (...) {
        no_thread = std::current_exception();
        hub.abandon(detail::write_error(no_thread, -1, 0));
    }
    if (!no_thread) one(0);
    for (std::thread& thread : threads) thread.join();
    if (no_thread) std::rethrow_exception(no_thread);

    std::vector<Bytes> ends(size);
    for (std::size_t rank = 0; rank < size; ++rank)
        if (errors[rank]) ends[rank] = detail::write_error(errors[rank], -1, rank);
    const std::size_t decisive = detail::decisive_error(ends);
    if (decisive < size) std::rethrow_exception(errors[decisive]);
    hub.rethrow_if_lost();
}

}  // namespace partita::inline PARTITA_ABI
