// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checkpoints of an iterative fit, on all workers. What a learner writes, where State is a struct that can be saved (persist/value.hpp)
// and holds all that the next iteration stands on:
//
//     pt::Checkpoints checkpoints(rows.session(), [&] {       // asked only where the run has checkpoints
//         return pt::FitIdentity("MyLearner").add("l2", l2).add("features", Features.view()).add("rows", rows.checksum());
//     });
//     State state;
//     if (!checkpoints.resume(state, [&](const State& s) { return s.point.size() == width; })) state = at_the_start();
//     while (!over(state)) {
//         iterate(state);
//         checkpoints.keep(state.iterations, state);
//     }

#include <partita/comm/checkpoints/files.hpp>
#include <partita/comm/session.hpp>
#include <partita/persist/value.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace partita::inline PARTITA_ABI {

/// Everything that decides what a fit does, as a text: the learner, each of its settings, the columns, the checksum of the rows. Two fits
/// with the same text must be the same fit, for the second takes up the checkpoints of the first. The library's version, the
/// instruction set, the compiler and the seed of the session are added by Checkpoints.
class FitIdentity {
  public:
    explicit FitIdentity(std::string_view learner) : learner_(learner) {}

    /// Adds a setting: a number (to its last bit), a bool, an enum or a text.
    template <class T>
        requires std::integral<T> || std::floating_point<T> || std::is_enum_v<T>
    FitIdentity& add(std::string_view name, T value) {
        if constexpr (std::floating_point<T>) {
            static_assert(sizeof(T) <= 8);
            return add(name, std::string_view(checksum_text(std::bit_cast<std::uint64_t>(static_cast<double>(value)))));
        } else {
            return add(name, std::string_view(std::to_string(static_cast<std::int64_t>(value))));
        }
    }
    [[gnu::cold]] FitIdentity& add(std::string_view name, std::string_view value) {
        text_.append(name).append(" (").append(std::to_string(value.size())).append("): ").append(value).append("\n");
        return *this;
    }

    const std::string& learner() const { return learner_; }
    const std::string& text() const { return text_; }

  private:
    std::string learner_, text_;
};

/// The checkpoints of one fit; does nothing where the run's CheckpointSettings name no folder. Its members are collectives: all workers
/// call them alike.
///
/// Worker 0 writes and reads the files. They hold the state to the last bit and nothing of workers and threads, so a fit that goes on
/// from one ends with the bytes of a fit that was never interrupted, on any number of either. A file belongs to the fit of one
/// identity; a damaged one is passed over (and removed), and the one before is used. The last two are kept, also after the fit: a
/// program that fails in a later stage then finds them. Remove the folder when the model is saved, or have partita-launch do it.
/// Errors: FileError on all workers where worker 0's folder is missing, or a file cannot be written.
/// Cost: a pass over the rows for their checksum, and for each checkpoint one file that is synced, which all workers wait for.
class Checkpoints {
  public:
    [[gnu::cold]] Checkpoints(Session& session, FunctionRef<FitIdentity()> identify) : session_(&session) {
        if (session.settings().checkpoint.folder.empty()) return;
        const FitIdentity identity = identify();
        const std::string text = "learner: " + identity.learner() + "\n" + identity.text() +
                                 "seed: " + std::to_string(session.seed()) + "\n" + PARTITA_VERSION_STRING + ", " +
                                 PARTITA_INSTRUCTION_SET + ", " + PARTITA_COMPILER + "\n";
        on_ = true;
        learner_ = identity.learner();
        text_ = text;
        session.communicator().agree(attempt([&] {
            if (session.primary()) files_.emplace(session.settings().checkpoint.folder, learner_, text_);
        }));
    }

    /// Whether the run has checkpoints.
    bool on() const { return on_; }
    /// Whether the end of iteration `number` is to be kept: for learners that have to gather their state first.
    bool due(std::int64_t number) const {
        return on_ && number > 0 && number % static_cast<std::int64_t>(session_->settings().checkpoint.every) == 0;
    }

    /// Takes up the newest state that was kept, on all workers alike; false, and `state` untouched, if there is none. `fits(state)` says
    /// whether a state can be gone on from, so that no file, whatever it holds, leads outside of arrays.
    template <Persistable State, class Fits>
    bool resume(State& state, Fits fits) {
        if (!on_) return false;
        std::optional<State> found;
        const bool any = take_up([&](ModelReader& reader) {
            State read;
            load_value(reader, {}, read);
            if (!fits(std::as_const(read))) reader.invalid("its state is not one of this fit");
            found.emplace(std::move(read));
        });
        if (any) state = std::move(*found);
        return any;
    }

    /// Keeps the state at the end of iteration `number`, if one is due; only worker 0's is written.
    template <Persistable State>
    void keep(std::int64_t number, const State& state) {
        if (due(number)) write(number, [&](ModelWriter& writer) { save_value(writer, {}, state); });
    }

  private:
    [[gnu::cold]] bool take_up(FunctionRef<void(ModelReader&)> accept) {
        Bytes newest;
        const PendingError pending = attempt([&] {
            const std::string bytes = files_ ? files_->newest(accept) : std::string();
            ByteWriter(newest).write_raw(bytes.data(), bytes.size());
        });
        session_->communicator().broadcast(newest, 0, pending);
        if (!files_ && !newest.empty())
            CheckpointFiles::read(std::string(reinterpret_cast<const char*>(newest.data()), newest.size()),
                                  "the checkpoint that worker 0 read", learner_, text_, std::nullopt, accept);
        return !newest.empty();
    }

    [[gnu::cold]] void write(std::int64_t number, FunctionRef<void(ModelWriter&)> save) {
        session_->communicator().agree(attempt([&] {
            if (files_) files_->write(number, save);
        }));
    }

    Session* session_;
    bool on_ = false;
    std::string learner_, text_;
    std::optional<CheckpointFiles> files_;  // on worker 0
};

}  // namespace partita::inline PARTITA_ABI
