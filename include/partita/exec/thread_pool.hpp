// SPDX-License-Identifier: Apache-2.0
#pragma once

// A fixed set of threads for parallel loops. A loop costs about a microsecond when the threads are awake: they spin for a
// moment after a loop before they sleep, and a loop never waits for a thread that did not wake in time to help.

#include <partita/exec/cancel.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/spin.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

namespace partita::inline PARTITA_ABI {

/// What a loop runs: the index, and which of the pool's workers (0 … threads()-1) runs it, for scratch memory.
using LoopBody = FunctionRef<void(std::size_t index, std::size_t worker)>;

/// The number of threads that the machine runs at once, or as many of them as this process may use; at least 1.
inline std::size_t hardware_threads() {
#if defined(__linux__)
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) == 0) return static_cast<std::size_t>(CPU_COUNT(&usable));
#endif
    const unsigned count = std::thread::hardware_concurrency();
    return count == 0 ? 1 : count;
}

/// A fixed set of threads. The thread that calls a loop takes part in it, as worker 0.
/// One loop runs at a time: calls from several threads take turns, and a loop inside a loop runs on its own thread alone.
class ThreadPool {
  public:
    /// `threads` counts the caller too; 0 means all that the machine has. `may_spin` is false where more threads than
    /// the machine has are at work: waiting threads then sleep at once.
    explicit ThreadPool(std::size_t threads = 0, bool may_spin = true);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    std::size_t threads() const noexcept { return helpers_.size() + 1; }

    /// Runs `body(index, worker)` once for every index in [0, count), on all threads, in no fixed order.
    /// Errors: after one, no further index is started; when all have stopped the error of the lowest index that failed is
    /// rethrown, and that index is the same for any number of threads. `cancel` is looked at before every index.
    void for_each(std::size_t count, LoopBody body, const CancelToken* cancel = nullptr);

    /// Runs `produce(index, worker)` on all threads and hands each result to `consume(index, result)` in the order of the
    /// indices, one at a time, on whichever thread is at hand. At most `look_ahead` results wait (0: four per thread).
    /// Errors: as for_each; results before the failed index are consumed, later ones are not.
    template <class Produce, class Consume>
    void for_each_ordered(std::size_t count, Produce&& produce, Consume&& consume, const CancelToken* cancel = nullptr,
                          std::size_t look_ahead = 0);

  private:
    struct Loop;

    static constexpr std::uint64_t open_bit = std::uint64_t{1} << 31;
    static constexpr std::uint64_t active_mask = open_bit - 1;
    static constexpr std::uint64_t one_epoch = std::uint64_t{1} << 32;

    static constexpr std::size_t outside = ~std::size_t{0};

    std::size_t worker_of_this_thread() const noexcept;
    bool join(std::uint64_t& seen);
    void leave();
    void help(std::size_t worker);
    static void work(Loop& loop, std::size_t worker);
    static void run_inline(std::size_t count, LoopBody body, std::size_t worker, const CancelToken* cancel);

    bool may_spin_;
    std::mutex one_loop_;                    // held by the caller for the whole loop
    std::atomic<std::thread::id> caller_{};  // who runs the loop, to see nested calls
    std::atomic<std::uint64_t> state_{0};    // epoch | open | helpers inside
    std::atomic<std::size_t> sleepers_{0};
    std::atomic<bool> stop_{false};
    Loop* loop_ = nullptr;  // valid while the loop is open or a helper is inside
    std::mutex sleep_;
    std::condition_variable wake_;
    std::condition_variable left_;
    std::vector<std::thread> helpers_;
    std::vector<std::thread::id> helper_ids_;
};

struct ThreadPool::Loop {
    Loop(std::size_t count_, LoopBody body_, const CancelToken* cancel_)
        : count(count_), body(body_), cancel(cancel_), failed(count_) {}

    void fail(std::size_t index) {
        const std::lock_guard lock(mutex);
        if (index < failed.load(std::memory_order_relaxed)) {
            failed.store(index, std::memory_order_relaxed);
            error = std::current_exception();
        }
    }

    std::size_t count;
    LoopBody body;
    const CancelToken* cancel;

    alignas(64) std::atomic<std::size_t> next{0};
    alignas(64) std::atomic<std::size_t> failed;  // lowest index that failed, count if none
    std::mutex mutex;
    std::exception_ptr error;
};

inline ThreadPool::ThreadPool(std::size_t threads, bool may_spin) {
    if (threads == 0) threads = hardware_threads();
    may_spin_ = may_spin && threads <= hardware_threads();
    helpers_.reserve(threads - 1);
    helper_ids_.reserve(threads - 1);
    const std::lock_guard lock(one_loop_);
    try {
        for (std::size_t worker = 1; worker < threads; ++worker) {
            helpers_.emplace_back([this, worker] { help(worker); });
            helper_ids_.push_back(helpers_.back().get_id());
        }
    } catch (...) {  // the system gives no more threads: fewer are slower, not wrong
    }
}

inline ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(sleep_);
        stop_.store(true);
    }
    wake_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
}

inline std::size_t ThreadPool::worker_of_this_thread() const noexcept {
    const std::thread::id self = std::this_thread::get_id();
    if (caller_.load(std::memory_order_relaxed) == self) return 0;
    for (std::size_t i = 0; i < helper_ids_.size(); ++i) {
        if (helper_ids_[i] == self) return i + 1;
    }
    return outside;
}

inline void ThreadPool::work(Loop& loop, std::size_t worker) {
    for (;;) {
        const std::size_t index = loop.next.fetch_add(1, std::memory_order_relaxed);
        // Indices are claimed in order, so whatever failed, every index below it has been claimed; those still run, which
        // makes the lowest failing index the same every time.
        if (index >= loop.failed.load(std::memory_order_relaxed)) return;
        try {
            if (loop.cancel != nullptr) loop.cancel->check();
            loop.body(index, worker);
        } catch (...) {
            loop.fail(index);
        }
    }
}

inline void ThreadPool::run_inline(std::size_t count, LoopBody body, std::size_t worker, const CancelToken* cancel) {
    for (std::size_t index = 0; index < count; ++index) {
        if (cancel != nullptr) cancel->check();
        body(index, worker);
    }
}

inline bool ThreadPool::join(std::uint64_t& seen) {
    std::uint64_t state = state_.load(std::memory_order_seq_cst);
    while ((state & open_bit) != 0 && (state & ~(one_epoch - 1)) != seen) {
        if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) {
            seen = state & ~(one_epoch - 1);
            return true;
        }
    }
    return false;
}

inline void ThreadPool::leave() {
    const std::uint64_t before = state_.fetch_sub(1, std::memory_order_acq_rel);
    if ((before & active_mask) == 1 && (before & open_bit) == 0) {
        const std::lock_guard lock(sleep_);
        left_.notify_one();
    }
}

inline void ThreadPool::help(std::size_t worker) {
    std::uint64_t seen = 0;
    for (;;) {
        bool joined = may_spin_ && detail::spin_until([&] { return join(seen); });
        if (!joined) {
            std::unique_lock lock(sleep_);
            sleepers_.fetch_add(1, std::memory_order_seq_cst);
            wake_.wait(lock, [&] { return stop_.load() || (joined = join(seen)); });
            sleepers_.fetch_sub(1, std::memory_order_relaxed);
            if (!joined) return;
        }
        work(*loop_, worker);
        leave();
    }
}

inline void ThreadPool::for_each(std::size_t count, LoopBody body, const CancelToken* cancel) {
    const std::size_t nested_in = worker_of_this_thread();
    if (nested_in != outside) return run_inline(count, body, nested_in, cancel);

    const std::lock_guard one(one_loop_);
    caller_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    struct Forget {
        std::atomic<std::thread::id>& caller;
        ~Forget() { caller.store({}, std::memory_order_relaxed); }
    } forget{caller_};
    if (count <= 1 || helpers_.empty()) return run_inline(count, body, 0, cancel);

    Loop loop(count, body, cancel);
    loop_ = &loop;
    // The epoch starts at 1, so that a helper which has seen nothing (0) joins the first loop.
    const std::uint64_t epoch = (state_.load(std::memory_order_relaxed) & ~(one_epoch - 1)) + one_epoch;
    state_.store((epoch == 0 ? one_epoch : epoch) | open_bit, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) {
        const std::lock_guard lock(sleep_);
        if (count > 2) {
            wake_.notify_all();
        } else {
            wake_.notify_one();
        }
    }
    work(loop, 0);
    state_.fetch_and(~open_bit, std::memory_order_acq_rel);
    const auto all_left = [this] { return (state_.load(std::memory_order_acquire) & active_mask) == 0; };
    if (!(may_spin_ ? detail::spin_until(all_left) : all_left())) {
        std::unique_lock lock(sleep_);
        left_.wait(lock, all_left);
    }
    if (loop.error) std::rethrow_exception(loop.error);
}

namespace detail {

/// The part of an ordered loop that does not depend on the type of the results: who may produce, who consumes next.
class OrderedGate {
  public:
    OrderedGate(std::size_t window) : window_(window), ready_(window, false) {}

    /// Waits until the result of `index` has a slot; false if an earlier index failed meanwhile.
    bool wait_for_slot(std::size_t index) {
        std::unique_lock lock(mutex_);
        moved_.wait(lock, [&] { return failed_ || index < consumed_ + window_; });
        return index < consumed_ + window_;
    }

    void fail() {
        const std::lock_guard lock(mutex_);
        failed_ = true;
        moved_.notify_all();
    }

    /// Marks `index` as produced, then consumes what is next in order unless another thread is doing so.
    void deposit_and_drain(std::size_t index, FunctionRef<void(std::size_t index)> consume) {
        std::unique_lock lock(mutex_);
        ready_[index % window_] = true;
        if (draining_) return;
        draining_ = true;
        while (!broken_ && ready_[consumed_ % window_]) {
            const std::size_t next = consumed_;
            lock.unlock();
            try {
                consume(next);
            } catch (...) {
                lock.lock();
                broken_ = true;  // nothing is consumed after an error
                draining_ = false;
                throw;
            }
            lock.lock();
            ready_[next % window_] = false;
            ++consumed_;
            moved_.notify_all();
        }
        draining_ = false;
    }

  private:
    std::size_t window_;
    std::vector<bool> ready_;
    std::size_t consumed_ = 0;
    bool draining_ = false;
    bool failed_ = false;
    bool broken_ = false;
    std::mutex mutex_;
    std::condition_variable moved_;
};

}  // namespace detail

template <class Produce, class Consume>
void ThreadPool::for_each_ordered(std::size_t count, Produce&& produce, Consume&& consume, const CancelToken* cancel,
                                  std::size_t look_ahead) {
    using Result = std::decay_t<std::invoke_result_t<Produce&, std::size_t, std::size_t>>;
    std::size_t window = look_ahead == 0 ? 4 * threads() : look_ahead;
    if (window > count) window = count;
    if (window == 0) return;
    detail::OrderedGate gate(window);
    std::vector<std::optional<Result>> slots(window);
    for_each(count, [&](std::size_t index, std::size_t worker) {
        try {
            if (!gate.wait_for_slot(index)) return;
            if (cancel != nullptr) cancel->check();
            slots[index % window].emplace(produce(index, worker));
            gate.deposit_and_drain(index, [&](std::size_t next) {
                consume(next, std::move(*slots[next % window]));
                slots[next % window].reset();
            });
        } catch (...) {
            gate.fail();
            throw;
        }
    });
}

}  // namespace partita::inline PARTITA_ABI
