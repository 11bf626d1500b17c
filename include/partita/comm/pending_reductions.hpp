// SPDX-License-Identifier: Apache-2.0
#pragma once

// All-reduces that go on while their worker computes: what a backward pass has ready, layer by layer, travels while the next
// layer is worked on.

#include <partita/comm/communicator.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// All-reduces in the background. `start` hands words over and returns; `wait` ends when all of them are reduced. Several that
/// follow each other travel in one collective, up to `batch_words` together: by their lengths alone, so alike on all workers.
///
/// All workers make the same starts and waits. Between the first start and the end of the wait no other collective may run: it
/// throws CollectiveMismatch. A worker that runs into an error brings it to `wait`, whatever it has started until then; an
/// error of any worker, there or in a collective that was under way, is thrown by the waits of all, as by other collectives, and
/// after that the words that were started are undefined. Batches are sent by a thread of the worker's own, which is made when
/// the first is full, except the last: `wait` sends that itself. So there is never more than one thread that talks. Where the
/// channel must be used on one thread alone, all are sent by `wait`, with the same results.
/// Errors: those of CommunicatorBase::all_reduce, from `wait`.
/// Determinism: the same words as all_reduce gives, in the same collectives on every run.
/// Cost: a copy of the words where several share a batch; two switches between threads for every batch but the last.
class PendingReductions {
  public:
    /// Above so many words a vector travels about as fast alone as together with others.
    static constexpr std::size_t usual_batch_words = 16384;

    explicit PendingReductions(CommunicatorBase& communicator, std::size_t batch_words = usual_batch_words)
        : communicator_(communicator),
          batch_words_(batch_words),
          in_background_(communicator.size() > 1 && communicator.link().channel().may_change_threads()) {}
    PendingReductions(const PendingReductions&) = delete;
    PendingReductions& operator=(const PendingReductions&) = delete;

    /// Ends what is under way and forgets the rest: for a worker that leaves the run with an error. One that goes on must wait.
    ~PendingReductions() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
            full_.clear();
        }
        work_.notify_one();
        if (thread_.joinable()) thread_.join();
        if (communicator_.reserved_for_ == this) communicator_.reserved_for_ = nullptr;
    }

    /// words[i] becomes the reduction of all workers' words[i] by the end of the next `wait`; until then nobody may touch them.
    /// They must live until the end of the wait or, where an error may leave the scope before that, longer than this object.
    /// Errors: CollectiveMismatch where the starts of other PendingReductions are not waited for.
    void start(std::span<std::int64_t> words, Reduction reduction = Reduction::sum) {
        reserve();
        if (words.empty()) return;
        if (!open_.parts.empty() && (open_.words + words.size() > batch_words_ || open_.reduction != reduction))
            hand_over();
        open_.reduction = reduction;
        open_.words += words.size();
        open_.parts.push_back(words);
    }

    /// Waits until everything that was started is reduced. With nothing started the workers meet all the same.
    void wait(const PendingError& pending = {}) {
        reserve();
        Batch last = std::exchange(open_, {});
        std::exception_ptr failure;
        if (thread_.joinable()) {
            std::unique_lock lock(mutex_);
            idle_.wait(lock, [&] { return full_.empty() && !busy_; });
            failure = std::exchange(failure_, nullptr);
        } else {
            for (; !full_.empty() && !failure; full_.pop_front()) failure = send(full_.front(), {});
            full_.clear();
        }
        // After an error nobody sends more: it has reached all workers in the same batch.
        if (!failure) failure = send(last, pending);
        communicator_.reserved_for_ = nullptr;
        if (failure) std::rethrow_exception(failure);
    }

  private:
    struct Batch {
        std::vector<std::span<std::int64_t>> parts;
        std::size_t words = 0;
        Reduction reduction = Reduction::sum;
    };

    void reserve() {
        if (communicator_.reserved_for_ != this) communicator_.refuse_while_reserved();
        communicator_.reserved_for_ = this;
    }

    void hand_over() {
        Batch batch = std::exchange(open_, {});
        if (in_background_ && !thread_.joinable()) {
            try {
                thread_ = std::thread([this] { send_all(); });
            } catch (...) {  // the system gives no more threads: slower, not wrong
                in_background_ = false;
            }
        }
        {
            const std::lock_guard lock(mutex_);
            full_.push_back(std::move(batch));
        }
        work_.notify_one();
    }

    /// Gives what the collective threw: also what ends a killed worker, which goes on to the thread that waits.
    std::exception_ptr send(const Batch& batch, const PendingError& pending) noexcept {
        try {
            if (batch.parts.size() == 1) {
                communicator_.reduce_pending(batch.parts[0], batch.reduction, pending);
                return nullptr;
            }
            join(batch);
            communicator_.reduce_pending(together_, batch.reduction, pending);
            const std::int64_t* from = together_.data();
            for (const std::span<std::int64_t> part : batch.parts) {
                for (std::size_t i = 0; i < part.size(); ++i) part[i] = from[i];
                from += part.size();
            }
            return nullptr;
        } catch (...) {
            return std::current_exception();
        }
    }

    void join(const Batch& batch) {
        try {
            together_.clear();
            for (const std::span<std::int64_t> part : batch.parts)
                together_.insert(together_.end(), part.begin(), part.end());
        } catch (...) {  // the others are in the collective that this worker cannot come to
            communicator_.link().channel().abandon(
                detail::write_error(std::current_exception(), -1, communicator_.rank()));
            throw;
        }
    }

    void send_all() {
        std::unique_lock lock(mutex_);
        for (;;) {
            work_.wait(lock, [&] { return stop_ || !full_.empty(); });
            if (full_.empty()) return;
            const Batch batch = std::move(full_.front());
            full_.pop_front();
            if (failure_) {
                idle_.notify_one();
                continue;
            }
            busy_ = true;
            lock.unlock();
            std::exception_ptr failure = send(batch, {});
            lock.lock();
            busy_ = false;
            failure_ = std::move(failure);
            idle_.notify_one();
        }
    }

    CommunicatorBase& communicator_;
    const std::size_t batch_words_;
    bool in_background_;
    Batch open_;                          // what is not handed over yet: the caller's
    std::vector<std::int64_t> together_;  // of whoever sends
    std::thread thread_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable work_, idle_;
    std::deque<Batch> full_;
    bool busy_ = false, stop_ = false;
    std::exception_ptr failure_;
};

}  // namespace partita::inline PARTITA_ABI
