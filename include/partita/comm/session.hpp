// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a worker holds while it runs: its threads, its way to the other workers, and the settings of the run.

#include <partita/comm/communicator.hpp>
#include <partita/comm/format.hpp>
#include <partita/comm/local_threads.hpp>
#include <partita/comm/settings.hpp>
#include <partita/exec/progress.hpp>
#include <partita/exec/thread_pool.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace partita::inline PARTITA_ABI {

/// A worker's view of the run. Given to the body by `run`; a program of one process may make a LocalSession.
class Session {
  public:
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() = default;

    std::size_t rank() const noexcept { return communicator_.rank(); }  ///< this worker, from 0
    std::size_t size() const noexcept { return communicator_.size(); }  ///< the number of workers
    bool primary() const noexcept { return rank() == 0; }               ///< the worker that prints and saves
    std::size_t threads() const noexcept { return pool_.threads(); }    ///< threads of this worker
    std::uint64_t seed() const noexcept { return settings_.seed; }      ///< of whatever is drawn

    /// This worker's threads.
    ThreadPool& pool() noexcept { return pool_; }
    /// What all workers meet in; a collective must be called by each of them, in one order.
    CommunicatorBase& communicator() noexcept { return communicator_; }
    /// Where passes say how far they have come.
    Progress& progress() noexcept { return *progress_; }
    /// The settings of the run, with what the environment added.
    const RunSettings& settings() const noexcept { return settings_; }

    /// A parallel loop on this worker's threads; see ThreadPool::for_each. Ends with Cancelled when the run is cancelled.
    void for_each(std::size_t count, LoopBody body) { pool_.for_each(count, body, &settings_.cancel); }

    /// A parallel loop with results in order; see ThreadPool::for_each_ordered.
    template <class Produce, class Consume>
    void for_each_ordered(std::size_t count, Produce&& produce, Consume&& consume, std::size_t look_ahead = 0) {
        pool_.for_each_ordered(count, std::forward<Produce>(produce), std::forward<Consume>(consume), &settings_.cancel,
                               look_ahead);
    }

    /// Prints once, on worker 0: `{}` stands for a value, `{:.3f}`, `{:>10}` and the like say how. A collective: all
    /// workers call it, and all throw FileError if worker 0 cannot write.
    template <class... Values>
    void print(FormatPattern<std::type_identity_t<Values>...> pattern, const Values&... values) {
        std::string text;
        const PendingError pending = attempt([&] {
            text = format(pattern, values...);
            if (primary()) write(text);
        });
        communicator_.agree(pending);
    }

    /// For `run`, which makes the sessions. `neighbours` is the number of workers that share this machine's threads with this
    /// one, itself included.
    Session(CommunicatorBase& communicator, const RunSettings& resolved, std::size_t neighbours);

  private:
    void write(const std::string& text) const {
        std::FILE* output = settings_.output == nullptr ? stdout : settings_.output;
        if (std::fwrite(text.data(), 1, text.size(), output) != text.size() || std::fflush(output) != 0) {
            throw FileError(std::string("cannot write to the output: ") + std::strerror(errno) +
                            "; check that its reader is still there and the disk is not full");
        }
    }

    static std::size_t share_of_threads(std::size_t threads, std::size_t neighbours) {
        if (threads != 0) return threads;
        const std::size_t share = hardware_threads() / neighbours;
        return share == 0 ? 1 : share;
    }

    RunSettings settings_;
    CommunicatorBase& communicator_;
    std::unique_ptr<Progress> own_progress_;
    Progress* progress_;
    ThreadPool pool_;
};

inline Session::Session(CommunicatorBase& communicator, const RunSettings& resolved, std::size_t neighbours)
    : settings_(resolved),
      communicator_(communicator),
      progress_(communicator.rank() == 0 ? resolved.progress_sink : nullptr),
      pool_(share_of_threads(resolved.threads, neighbours),
            share_of_threads(resolved.threads, neighbours) * neighbours <= hardware_threads()) {
    settings_.threads = pool_.threads();
    settings_.workers = communicator.size();
    if (progress_ != nullptr) return;
    if (primary() && wants_progress(resolved.progress)) {
        own_progress_ = std::make_unique<TerminalProgress>();
    } else {
        own_progress_ = std::make_unique<SilentProgress>();
    }
    progress_ = own_progress_.get();
}

namespace detail {

/// What a LocalSession stands on; a base, because it must exist before the session.
struct LocalRuntime {
    RunSettings runtime_settings;
    OneProcess runtime_channel{};
    Link runtime_link{runtime_channel, runtime_settings.instruments};
    CommunicatorOf<LocalThreads> runtime_communicator{runtime_link};
};

}  // namespace detail

/// A session of one process, without `run`: the short form for small programs and tests.
/// Errors: InvalidSetting, as with_environment. PARTITA_WORKERS does not apply.
class LocalSession : private detail::LocalRuntime, public Session {
  public:
    explicit LocalSession(RunSettings settings = {})
        : LocalRuntime{with_environment(std::move(settings))}, Session(runtime_communicator, runtime_settings, 1) {}
};

}  // namespace partita::inline PARTITA_ABI
