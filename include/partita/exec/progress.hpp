// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <unistd.h>

namespace partita::inline PARTITA_ABI {

/// Where long operations tell how far they are. Derive to show progress your own way.
/// `begin` and `end` come from one thread, nested like brackets; `advance` may come from any thread.
class Progress {
  public:
    virtual ~Progress() = default;
    /// A piece of work starts; `total` counts its steps, 0 if nobody knows.
    virtual void begin(std::string_view work, std::uint64_t total) = 0;
    /// So many more steps of the innermost work are done.
    virtual void advance(std::uint64_t steps) = 0;
    /// The innermost work is over, by success or by an error.
    virtual void end() = 0;
};

/// When the library shows its own bar: on a terminal only, never, or always.
enum class ShowProgress { automatic, never, always };

/// Says nothing.
class SilentProgress final : public Progress {
  public:
    void begin(std::string_view, std::uint64_t) override {}
    void advance(std::uint64_t) override {}
    void end() override {}
};

/// One line on a terminal, redrawn at most ten times a second and wiped when the work ends.
class TerminalProgress final : public Progress {
  public:
    explicit TerminalProgress(std::FILE* output = stderr) : output_(output) {}

    void begin(std::string_view work, std::uint64_t total) override {
        if (depth_++ > 0) return;  // the outermost work owns the line; steps of inner work do not count
        work_.assign(work);
        total_ = total;
        done_.store(0, std::memory_order_relaxed);
        next_draw_.store(now_milliseconds() + first_draw_milliseconds, std::memory_order_relaxed);
        drawn_.store(false, std::memory_order_relaxed);
    }

    void advance(std::uint64_t steps) override {
        if (depth_.load(std::memory_order_relaxed) != 1) return;
        const std::uint64_t done = done_.fetch_add(steps, std::memory_order_relaxed) + steps;
        const std::int64_t now = now_milliseconds();
        std::int64_t due = next_draw_.load(std::memory_order_relaxed);
        if (now < due) return;
        if (next_draw_.compare_exchange_strong(due, now + redraw_milliseconds, std::memory_order_relaxed)) draw(done);
    }

    void end() override {
        if (--depth_ > 0) return;
        if (drawn_.load(std::memory_order_relaxed)) {
            std::fputs("\r\033[K", output_);
            std::fflush(output_);
        }
    }

  private:
    static constexpr std::int64_t first_draw_milliseconds = 300;
    static constexpr std::int64_t redraw_milliseconds = 100;

    static std::int64_t now_milliseconds() {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }

    void draw(std::uint64_t done) {
        std::string line = "\r" + work_ + " ";
        if (total_ > 0) {
            const std::uint64_t percent = (done < total_ ? done : total_) * 100 / total_;
            line.append("[").append(percent / 5, '#').append(20 - percent / 5, '.').append("] ");
            line += std::to_string(percent) + " %";
        } else {
            line += std::to_string(done);
        }
        line += "\033[K";
        std::fputs(line.c_str(), output_);
        std::fflush(output_);
        drawn_.store(true, std::memory_order_relaxed);
    }

    std::FILE* output_;
    std::string work_;
    std::uint64_t total_ = 0;
    std::atomic<int> depth_{0};
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::int64_t> next_draw_{0};
    std::atomic<bool> drawn_{false};
};

/// Whether `show` asks for a bar here: `automatic` means that stderr is a terminal.
inline bool wants_progress(ShowProgress show) {
    return show == ShowProgress::always || (show == ShowProgress::automatic && isatty(STDERR_FILENO) == 1);
}

/// A piece of work in a scope: begins here and ends with the scope, also when an error leaves it.
class ProgressScope {
  public:
    ProgressScope(Progress& progress, std::string_view work, std::uint64_t total) : progress_(progress) {
        progress_.begin(work, total);
    }
    ~ProgressScope() { progress_.end(); }
    ProgressScope(const ProgressScope&) = delete;
    ProgressScope& operator=(const ProgressScope&) = delete;

    void advance(std::uint64_t steps = 1) { progress_.advance(steps); }

  private:
    Progress& progress_;
};

}  // namespace partita::inline PARTITA_ABI
