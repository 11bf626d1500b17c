// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a run is told from outside: an aggregate, and environment variables that override it.

#include <partita/comm/instruments.hpp>
#include <partita/core/error.hpp>
#include <partita/exec/cancel.hpp>
#include <partita/exec/progress.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace partita::inline PARTITA_ABI {

/// Where going round begins to pay for RingAllReduce, measured between processes of one machine (bench/all_reduce); over a network
/// with many workers it is later, because a round takes 2(P-1) steps.
inline constexpr std::size_t default_ring_from_bytes = std::size_t{256} << 10;

/// Whether and where the iterative fits of a run keep their state, so that the program, started again after a failure, goes on from
/// there: on any number of processes and threads, to the same bytes. Off by default.
///
/// They are settings of the run and not of a learner: where a program may fail is no part of what it learns, one line turns them on
/// for all stages of all pipelines, and whoever starts the job may do so without the program. Each fit finds only its own files: their
/// names and contents carry all that decides it (see Checkpoints).
struct CheckpointSettings {
    std::string folder{};   ///< an existing folder that worker 0 may write to; empty: no checkpoints
    std::size_t every = 5;  ///< iterations from one checkpoint of a fit to the next, at least 1
};

/// The settings of a run. The environment overrides them: PARTITA_THREADS, PARTITA_WORKERS, PARTITA_DEADLINE_SECONDS,
/// PARTITA_CHECKPOINT_FOLDER, PARTITA_CHECKPOINT_EVERY, PARTITA_PROGRESS (0 or 1).
struct RunSettings {
    std::size_t threads = 0;          ///< threads of each worker; 0: the machine's, shared among workers
    std::size_t workers = 0;          ///< workers in this process; 0: one per hardware thread. Over Mpi there is one
    double deadline_seconds = 1800;   ///< how long a collective waits for a worker that is late
    std::uint64_t seed = 0;           ///< of everything that is random
    CheckpointSettings checkpoint{};  ///< of iterative fits: `.checkpoint = {.folder = "checkpoints"}`
    ShowProgress progress = ShowProgress::automatic;        ///< when to show the library's bar
    Progress* progress_sink = nullptr;                      ///< where progress goes instead, if anywhere
    CancelToken cancel{};                                   ///< cancels the run's parallel loops
    std::size_t ring_from_bytes = default_ring_from_bytes;  ///< the shortest vector that RingAllReduce sends round
    std::FILE* output = nullptr;                            ///< where Session::print writes; null: standard output
    Instruments instruments{};
};

namespace detail {

/// As many states as an exact sum can add before its digits overflow (math/accumulator.hpp).
inline constexpr std::size_t most_workers = 4095;
inline constexpr std::size_t most_iterations = 1'000'000'000;

[[noreturn]] inline void refuse_setting(const char* setting, std::string_view value, const char* remedy) {
    throw InvalidSetting(std::string(setting) + " is \"" + std::string(value) + "\"; " + remedy,
                         Place{.setting = setting});
}

inline const char* environment_text(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr && *text != '\0' ? text : nullptr;
}

inline void override_count(const char* variable, std::size_t& value, std::size_t largest = most_workers) {
    const char* text = environment_text(variable);
    if (text == nullptr) return;
    const std::string_view view(text);
    std::size_t parsed = 0;
    const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), parsed);
    if (error != std::errc{} || end != view.data() + view.size() || parsed == 0 || parsed > largest) {
        const std::string remedy = "give a whole number from 1 to " + std::to_string(largest) + ", or leave it unset";
        refuse_setting(variable, view, remedy.c_str());
    }
    value = parsed;
}

}  // namespace detail

/// The settings with what the environment overrides.
/// Errors: InvalidSetting for a variable that does not spell a value, or a setting out of range.
inline RunSettings with_environment(RunSettings settings) {
    detail::override_count("PARTITA_THREADS", settings.threads);
    detail::override_count("PARTITA_WORKERS", settings.workers);
    if (const char* folder = detail::environment_text("PARTITA_CHECKPOINT_FOLDER")) settings.checkpoint.folder = folder;
    detail::override_count("PARTITA_CHECKPOINT_EVERY", settings.checkpoint.every, detail::most_iterations);
    if (settings.checkpoint.every == 0 || settings.checkpoint.every > detail::most_iterations)
        detail::refuse_setting(
            "checkpoint.every", std::to_string(settings.checkpoint.every),
            "give a whole number from 1 to 1000000000; checkpoints are off while the folder is empty");
    if (const char* text = detail::environment_text("PARTITA_DEADLINE_SECONDS")) {
        const std::string_view view(text);
        double parsed = 0;
        const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), parsed);
        if (error != std::errc{} || end != view.data() + view.size() || !(parsed > 0 && parsed <= 1e9)) {
            detail::refuse_setting("PARTITA_DEADLINE_SECONDS", view,
                                   "give a positive number of seconds, or leave it unset");
        }
        settings.deadline_seconds = parsed;
    }
    if (const char* text = detail::environment_text("PARTITA_PROGRESS")) {
        const std::string_view view(text);
        if (view != "0" && view != "1") {
            detail::refuse_setting("PARTITA_PROGRESS", view,
                                   "give 0 (never show a bar) or 1 (always), or leave it unset");
        }
        settings.progress = view == "1" ? ShowProgress::always : ShowProgress::never;
    }
    if (!(settings.deadline_seconds > 0 && settings.deadline_seconds <= 1e9)) {
        detail::refuse_setting("deadline_seconds", std::to_string(settings.deadline_seconds),
                               "give a positive number of seconds");
    }
    if (settings.threads > detail::most_workers)
        detail::refuse_setting("threads", std::to_string(settings.threads), "give at most 4095");
    if (settings.workers > detail::most_workers)
        detail::refuse_setting("workers", std::to_string(settings.workers), "give at most 4095");
    return settings;
}

}  // namespace partita::inline PARTITA_ABI
