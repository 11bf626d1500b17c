// SPDX-License-Identifier: Apache-2.0
#pragma once

// The transport between processes, on one machine or many: component partita::mpi.

#include <partita/comm/channel.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/local_threads.hpp>
#include <partita/comm/mpi/group.hpp>
#include <partita/comm/mpi/in_place.hpp>
#include <partita/comm/mpi/peer.hpp>
#include <partita/comm/mpi/process.hpp>
#include <partita/comm/mpi/scope.hpp>
#include <partita/comm/mpi/service_lane.hpp>
#include <partita/comm/mpi/wait.hpp>
#include <partita/comm/settings.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/thread_pool.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The transport of workers that are processes, started by `mpirun` or another launcher: `RingAllReduce<Mpi>`. Every process
/// runs the whole program and is one worker; without a launcher the program is one process and needs no MPI. MPI is started
/// at the first run, with MPI_THREAD_SERIALIZED, if the program has not done so; a program that has must allow at least
/// MPI_THREAD_FUNNELED and then make its runs, and their collectives, on its main thread. See MpiScope for runs of some of the
/// processes. Errors of one worker end the run on all; a process that is killed ends the job, if the launcher sees to that.
class Mpi final : public Channel {
  public:
    /// What one process's settings lack must be told to the others, so a run begins even with settings that are refused.
    static constexpr bool spans_processes = true;

    /// Looks at what the program itself asks for; PARTITA_WORKERS may be set for other runs and does not apply here.
    static void check(const RunSettings& settings) {
        if (settings.workers > 1)
            detail::refuse_setting("workers", std::to_string(settings.workers),
                                   "over Mpi every process is one worker: leave the setting at 0 and start the program "
                                   "with mpirun -n");
    }

    /// Whether a launcher started this program as one process of several.
    static bool is_launched() { return detail::MpiLauncher::find().present; }

    /// Runs `worker` once, in this process. All processes make the same runs.
    static void launch(const RunSettings& settings, FunctionRef<void(Channel&)> worker) {
        if (!detail::MpiProcess::start()) return detail::OneProcess::launch(settings, worker);
        const detail::MpiProcess::Run alive;
        Mpi channel(detail::MpiGroup::of(MpiScope::current(), settings.deadline_seconds), settings);
        std::exception_ptr error;
        try {
            worker(channel);
        } catch (...) {
            error = std::current_exception();
            channel.abandon(detail::write_error(error, -1, channel.rank()));
        }
        channel.leave(error);
    }

    std::size_t rank() const noexcept override { return group_.rank(); }
    std::size_t size() const noexcept override { return group_.size(); }
    std::size_t workers_on_machine() const noexcept override { return group_.sharing(); }
    bool may_change_threads() const noexcept override { return detail::MpiProcess::may_change_threads(); }

    void send(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) override {
        const auto turn = service_.turn();
        listen();
        MessageHeader numbered = header;
        numbered.run = run_;
        group_.post(to, numbered, payload);
        group_.flush();
    }

    void receive(std::size_t from, MessageHeader& header, Bytes& payload) override {
        wait_for(from, [&] { return take(from, header, payload) ? Progress::done : Progress::none; });
    }

    void receive_in_place(std::size_t from, PayloadVisitor visit) override {
        if (group_.neighbour(from) == nullptr) return Channel::receive_in_place(from, visit);
        const detail::MpiReading reading(group_, from);
        wait_for(from, [&] { return read(from, visit, ~std::size_t{0}); });
    }

    /// Through shared memory the two go slot by slot in turns, so that the one copies while the other combines.
    void exchange(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload, std::size_t from,
                  PayloadVisitor visit) override {
        detail::SharedNeighbours::Peer* const receiver = group_.neighbour(to);
        if (receiver == nullptr || group_.neighbour(from) == nullptr)
            return Channel::exchange(to, header, payload, from, visit);
        {
            const auto turn = service_.turn();
            listen();
        }
        detail::MpiWriting writing(group_, run_, to, header, payload);
        const detail::MpiReading reading(group_, from);
        std::size_t written = 0, read_slots = 0;
        bool received = false;
        wait_for(from, [&] {
            Progress progress = Progress::none;
            if (!writing.message.is_written()) {
                const std::size_t more = receiver->to.write(writing.message, written == 0 ? 2 : 1);
                written += more;
                if (more != 0) progress = Progress::some;
            }
            // What comes may be put where that lies which is sent, so it must not overtake it.
            if (!received && (read_slots < written || writing.message.is_written())) {
                const Progress read_some = read(from, visit, 1);
                if (read_some != Progress::none) {
                    progress = Progress::some;
                    ++read_slots;
                }
                received = read_some == Progress::done;
                if (received) waits_for_ = static_cast<std::int64_t>(to);
            }
            return received && writing.message.is_written() ? Progress::done : progress;
        });
    }

    void settle() override {
        detail::MpiWait wait(may_spin_);
        auto turn = service_.turn();
        while (!group_.flush()) {
            listen();
            if (!service_.pause(wait, turn, deadline_seconds_)) give_up_on_late(group_.slowest());
        }
    }

    void open_service_lane() override {
        constexpr auto lane = detail::MpiGroup::Lane::service;
        if (size() > 1) service_.open(detail::MpiGroup::of(MpiScope::current(), deadline_seconds_, lane), run_);
    }
    void begin_service() override {
        if (!service_.is_open()) return Channel::begin_service();
        if (!may_change_threads())
            throw InvalidSetting(
                "a parameter table calls MPI from other threads as well, in turns with the worker's own; start MPI by "
                "MPI_Init_thread with MPI_THREAD_SERIALIZED, or leave it to partita");
        service_.begin();
    }
    void post(std::size_t to, const MessageHeader& header, Bytes payload) override {
        const auto turn = service_.turn();
        if (!abandoned_.empty()) throw detail::RunAbandoned{abandoned_};
        service_.post(to, header, std::move(payload));
    }
    std::size_t take_posted(MessageHeader& header, Bytes& payload) override {
        return service_.take(header, payload, [this] { listen(); });
    }

    void abandon(std::span<const std::byte> error) override {
        const auto turn = service_.turn();
        if (told_ || !abandoned_.empty()) return;
        abandoned_.assign(error.begin(), error.end());
        told_ = true;
        for_others([&](std::size_t other) { notify(other, Word::abandon, abandoned_); });
    }

    [[noreturn]] void kill() override {
        std::raise(SIGKILL);
        throw detail::Killed{};
    }

  private:
    /// What a notice begins with.
    enum class Word : std::uint8_t {
        abandon,    // the run is over; an error follows
        whom,       // whom do you wait for?
        waits_for,  // the answer; a rank follows
    };
    using Peer = detail::MpiPeer;
    static constexpr std::int64_t nobody = Peer::nobody;
    enum class Progress : std::uint8_t { none, some, done };

    Mpi(detail::MpiGroup& group, const RunSettings& settings)
        : group_(group),
          run_(group.begin_run()),
          deadline_seconds_(settings.deadline_seconds),
          may_spin_(group.sharing() * std::max<std::size_t>(settings.threads, 1) <= hardware_threads()),
          peers_(group.size()) {}

    template <class Visit>
    void for_others(Visit&& visit) const {
        for (std::size_t i = 1; i < size(); ++i) visit((rank() + i) % size());
    }

    void notify(std::size_t to, Word word, std::span<const std::byte> rest) {
        Bytes bytes;
        ByteWriter writer(bytes);
        writer.write(word);
        writer.write_raw(rest.data(), rest.size());
        group_.post_notice(to, run_, bytes);
    }

    /// Looks again and again for what comes from that worker, until it is there. The look may come to wait for another one.
    template <class Look>
    void wait_for(std::size_t from, Look&& look) {
        detail::MpiWait wait(may_spin_);
        auto turn = service_.turn();
        waits_for_ = static_cast<std::int64_t>(from);
        Progress progress = look();
        for (; progress != Progress::done; progress = look()) {
            if (progress == Progress::some) {
                wait = detail::MpiWait(may_spin_);
                continue;
            }
            listen();
            group_.flush();
            const auto whom = static_cast<std::size_t>(waits_for_);
            if (peers_[whom].left) {
                learn_from_farewell(whom);
            } else if (!service_.pause(wait, turn, deadline_seconds_)) {
                give_up_on_late(whom);
            }
        }
        waits_for_ = nobody;
    }

    /// Reads at most so many slots of a neighbour's next message of this run.
    Progress read(std::size_t from, PayloadVisitor visit, std::size_t most_slots) {
        Peer& peer = peers_[from];
        Progress progress = Progress::none;
        if (peer.left) return progress;
        MessageHeader header;
        const auto sort = [&](const MessageHeader& begun, std::size_t first_byte, std::span<const std::byte> bytes) {
            progress = Progress::some;
            if (is_of_this_run(begun)) visit(begun, first_byte, bytes);
            else if (begun.run >= run_) peer.aside.insert(peer.aside.end(), bytes.begin(), bytes.end());
        };
        if (!group_.read(from, header, sort, most_slots)) return progress;
        if (is_of_this_run(header)) return Progress::done;
        if (header.run >= run_) take_aside(from, header, std::exchange(peer.aside, {}));
        return Progress::some;
    }

    bool is_of_this_run(const MessageHeader& header) const noexcept {
        return header.run == run_ && header.operation != detail::MpiGroup::farewell;
    }

    void mismatch(const std::string& what) {
        abandon(detail::write_error(std::make_exception_ptr(CollectiveMismatch(
                                        "process " + std::to_string(rank()) + " waits in a collective that " + what +
                                            "; all workers must make the same calls",
                                        Place{.process = static_cast<std::int64_t>(rank())})),
                                    -1, rank()));
    }

    /// Takes a process's next message of this run, if all of it is here. A farewell is no message.
    bool take(std::size_t from, MessageHeader& header, Bytes& payload) {
        while (!peers_[from].left && group_.take(from, header, payload)) {
            if (header.run < run_) continue;  // left behind by a run that was given up
            if (is_of_this_run(header)) return true;
            take_aside(from, header, payload);
            if (header.run > run_) return false;
        }
        return false;
    }

    /// A farewell, or a message of a later run.
    void take_aside(std::size_t from, const MessageHeader& header, const Bytes& payload) {
        if (header.run > run_)
            return mismatch("process " + std::to_string(from) + " never called: it is in a later run");
        Peer& peer = peers_[from];
        ByteReader reader(payload);
        peer.left = true;
        peer.told = reader.read<bool>();
        peer.serves = reader.read<bool>();
        const std::span<const std::byte> end = reader.read_sized();
        peer.end.assign(end.begin(), end.end());
    }

    /// Hears what others say beside their messages, and throws if the run is over.
    void listen() {
        hear();
        if (!abandoned_.empty()) throw detail::RunAbandoned{abandoned_};
    }

    void hear() {
        detail::MpiGroup::Notice notice;
        while (group_.take_notice(run_, notice)) {
            ByteReader reader(notice.bytes);
            switch (reader.read<Word>()) {
                case Word::abandon:
                    peers_[notice.from].heard = true;
                    if (abandoned_.empty()) abandoned_.assign(notice.bytes.begin() + 1, notice.bytes.end());
                    break;
                case Word::whom:
                    if (waits_for_ != nobody)
                        notify(notice.from, Word::waits_for, std::as_bytes(std::span(&waits_for_, 1)));
                    break;
                case Word::waits_for: peers_[notice.from].waits_for = reader.read<std::int64_t>(); break;
            }
        }
    }

    /// A worker that is waited for has left: with an error, or because it knew of one, or because nothing was left for it to do.
    void learn_from_farewell(std::size_t from) {
        if (peers_[from].end.empty())
            mismatch("process " + std::to_string(from) + " never called: it has returned from the body already");
        else abandoned_ = peers_[from].end;
    }

    /// Who is late: the one that this worker waits for or, if that one answers that it waits as well, whom that one waits for.
    void give_up_on_late(std::size_t from) {
        std::size_t late = from;
        for (std::size_t i = 0; i < size() && late != rank(); ++i) {
            Peer& asked = peers_[late];
            asked.waits_for = nobody;
            notify(late, Word::whom, {});
            detail::MpiWait wait(false);
            const double patience = std::clamp(deadline_seconds_ / 2, 0.1, 5.0);
            while (asked.waits_for == nobody && wait.pause(patience)) {
                group_.flush();
                listen();
            }
            if (asked.waits_for == nobody) break;
            late = static_cast<std::size_t>(asked.waits_for);
        }
        if (late == rank()) late = from;  // all wait for each other
        abandon_for(late, "arrive at a collective");
    }

    void abandon_for(std::size_t late, const char* what) {
        abandon(detail::write_lateness(late, what, deadline_seconds_));
    }

    /// A worker that has not left, or was not heard out; size() if there is none.
    std::size_t missing() {
        std::size_t late = size();
        for_others([&](std::size_t other) {
            const Peer& peer = peers_[other];
            const bool drained = !peer.serves || service_.is_drained(other);
            if (!peer.left || (peer.told && !peer.heard) || !drained) late = other;
        });
        return late;
    }

    /// Says goodbye to all and waits for theirs, takes what nobody wants any more, and throws what the run ended with: the
    /// same error on all workers, the original where it came from.
    void leave(const std::exception_ptr& error) {
        waits_for_ = nobody;
        std::vector<Bytes> ends(size());
        ends[rank()] = error ? detail::write_error(error, -1, rank()) : abandoned_;
        Bytes goodbye;
        ByteWriter writer(goodbye);
        writer.write(told_);
        writer.write(service_.is_open());
        writer.write_sized(ends[rank()]);
        for_others([&](std::size_t other) {
            group_.post(other, {.payload_bytes = goodbye.size(), .operation = detail::MpiGroup::farewell, .run = run_},
                        goodbye);
            service_.say_farewell(other);
        });

        detail::MpiWait wait(may_spin_);
        MessageHeader header;
        Bytes unwanted;
        for (;;) {
            for_others([&](std::size_t other) {
                while (take(other, header, unwanted)) {
                }
            });
            hear();
            const bool served = service_.flush(), sent = group_.flush() && served;
            const std::size_t late = missing();
            if (late == size() && sent) {
                hear();  // what was said before the last farewell, but not known at the first look
                break;
            }
            if (wait.pause(deadline_seconds_)) continue;
            if (late < size()) abandon_for(late, "end its run, as this one has,");
            group_.flush();
            break;
        }
        for_others([&](std::size_t other) { ends[other] = std::move(peers_[other].end); });

        const std::size_t decisive = detail::decisive_error(ends);
        if (decisive == rank() && error) std::rethrow_exception(error);
        if (decisive < size()) std::rethrow_exception(detail::read_error(ends[decisive]));
        if (!abandoned_.empty()) std::rethrow_exception(detail::read_error(abandoned_));
    }

    detail::MpiGroup& group_;
    std::uint32_t run_;
    double deadline_seconds_;
    bool may_spin_;
    std::vector<Peer> peers_;
    std::int64_t waits_for_ = nobody;
    Bytes abandoned_;                 // why the run is over, as ErrorWire wrote it
    bool told_ = false;               // by this worker
    detail::MpiServiceLane service_;  // whose thread, if there is one, and those that post share all of this in turns
};

}  // namespace partita::inline PARTITA_ABI
