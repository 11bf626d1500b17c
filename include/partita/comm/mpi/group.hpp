// SPDX-License-Identifier: Apache-2.0
#pragma once

// The processes of a communicator and the messages between them, for as long as the program runs: a run that ended early may
// leave messages behind, and the next one must not take them for its own.

#include <partita/comm/channel.hpp>
#include <partita/comm/mpi/wait.hpp>
#include <partita/comm/settings.hpp>
#include <partita/comm/shared_memory/neighbours.hpp>
#include <partita/core/error.hpp>
#include <partita/exec/thread_pool.hpp>
#include <partita/persist/checksum.hpp>

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

namespace partita::inline PARTITA_ABI::detail {

class MpiGroup {
  public:
    /// The operation of a process's last message of a run.
    static constexpr std::uint32_t farewell = ~std::uint32_t{0};
    /// What is said beside the messages, and of which run.
    struct Notice {
        std::size_t from = 0;
        std::uint32_t run = 0;
        Bytes bytes;
    };

    /// A communicator has a group for its collectives and, where a policy needs it, one for the service lane.
    enum class Lane : std::uint8_t { collectives, service };

    /// The group of a communicator. It has a communicator of its own, which is made when the group is first asked for; who
    /// gives up on that may ask again.
    /// Errors: DeadlineExceeded if not all processes come; InvalidSetting for more than most_workers of them.
    static MpiGroup& of(MPI_Comm processes, double deadline_seconds, Lane lane = Lane::collectives) {
        static const std::array<int, 2> keys = [] {
            std::array<int, 2> values{};
            for (int& value : values)
                MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &value, nullptr);
            return values;
        }();
        const int key = keys[static_cast<std::size_t>(lane)];
        void* found = nullptr;
        int has_one = 0;
        MPI_Comm_get_attr(processes, key, static_cast<void*>(&found), &has_one);
        if (has_one == 0) {
            all().push_back(new MpiGroup(processes));  // for good: MPI may write to what it has been given
            found = all().back();
            MPI_Comm_set_attr(processes, key, found);
        }
        MpiGroup& group = *static_cast<MpiGroup*>(found);
        for (MpiWait wait(false); !group.is_made();) {
            if (!wait.pause(deadline_seconds))
                throw DeadlineExceeded(
                    "not all processes started this run within " + std::to_string(deadline_seconds) +
                        " seconds; all of them must call run, and if one has much to do before, raise "
                        "deadline_seconds (PARTITA_DEADLINE_SECONDS)",
                    Place{.setting = "deadline_seconds"});
        }
        if (group.size() > most_workers)
            refuse_setting("workers", std::to_string(group.size()),
                           "start at most 4095 processes, each with more threads");
        return group;
    }

    /// Whether everybody has left the last run of every group, as far as can be found out in some seconds.
    static bool all_have_left() {
        for (MpiGroup* group : all()) {
            if (group->stage_ != Stage::made) return false;
            for (MpiWait wait(false); !group->have_left();)
                if (!wait.pause(10)) return false;
        }
        return true;
    }

    std::size_t rank() const noexcept { return rank_; }
    std::size_t size() const noexcept { return peers_.size(); }
    /// The processes that share this one's hardware threads, itself included.
    std::size_t sharing() const noexcept { return sharing_; }
    /// The number of the run that begins, from 1.
    std::uint32_t begin_run() noexcept { return ++runs_; }
    void begin_run(std::uint32_t number) noexcept { runs_ = number; }

    /// The process of this rank if messages to and from it go through shared memory, otherwise null.
    SharedNeighbours::Peer* neighbour(std::size_t rank) const noexcept { return neighbours_.find(rank); }

    /// Sends a message; `header.run` says of which run.
    void post(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) {
        if (SharedNeighbours::Peer* const peer = neighbour(to)) {
            SharedMessage message{header, payload};
            peer->to.write(message);
            if (!message.is_written()) keep(to, message);
            return;
        }
        // The header must lie in the last piece, which must be shorter than the others.
        const std::size_t rest = payload.size() % piece_bytes;
        const std::size_t padding = rest + sizeof header < piece_bytes ? 0 : piece_bytes - rest;
        Outgoing message = take_spare();
        message.bytes.resize(payload.size() + padding + sizeof header);
        if (!payload.empty()) std::memcpy(message.bytes.data(), payload.data(), payload.size());
        std::memcpy(message.bytes.data() + message.bytes.size() - sizeof header, &header, sizeof header);
        send(to, message_tag, std::move(message));
    }

    void post_notice(std::size_t to, std::uint32_t run, std::span<const std::byte> bytes) {
        Outgoing message = take_spare();
        message.bytes.clear();
        ByteWriter writer(message.bytes);
        writer.write(run);
        writer.write_raw(bytes.data(), bytes.size());
        send(to, notice_tag, std::move(message));
        if (SharedNeighbours::Peer* const peer = neighbour(to)) peer->notices.fetch_add(1, std::memory_order_release);
    }

    /// Takes over what is left of a message to a neighbour, whose payload is about to go.
    void keep(std::size_t to, const SharedMessage& message) {
        neighbour(to)->to.keep(message);
        if (std::find(keeping_.begin(), keeping_.end(), to) == keeping_.end()) keeping_.push_back(to);
    }

    /// Lets go of what has been sent, the oldest first. True if nothing is on its way.
    bool flush() {
        if (!keeping_.empty()) std::erase_if(keeping_, [&](std::size_t to) { return neighbour(to)->to.flush(); });
        while (!outgoing_.empty()) {
            Outgoing& oldest = outgoing_.front();
            int done = 0;
            MPI_Testall(static_cast<int>(oldest.requests.size()), oldest.requests.data(), &done, MPI_STATUSES_IGNORE);
            if (done == 0) return false;
            if (spare_.size() < size()) spare_.push_back(std::move(oldest));
            outgoing_.pop_front();
        }
        return keeping_.empty();
    }
    /// The last run that a process said farewell to.
    std::uint32_t left(std::size_t from) const { return peers_[from].left; }

    /// The receiver of the oldest message on its way.
    std::size_t slowest() const { return outgoing_.empty() ? keeping_.front() : outgoing_.front().to; }

    /// Reads at most so many slots of a neighbour's next message; see SharedReader::read. Never waits.
    template <class Visit>
    bool read(std::size_t from, MessageHeader& header, Visit&& visit, std::size_t most_slots) {
        if (!neighbour(from)->from.read(header, visit, most_slots)) return false;
        if (header.operation == farewell) peers_[from].left = header.run;
        return true;
    }

    /// Takes what has arrived of a process's next message; true if that is all of it. Never waits.
    bool take(std::size_t from, MessageHeader& header, Bytes& payload) {
        Peer& peer = peers_[from];
        if (neighbour(from) != nullptr) {
            const auto append = [&](const MessageHeader& begun, std::size_t at, std::span<const std::byte> bytes) {
                if (at == 0) peer.incoming.resize(static_cast<std::size_t>(begun.payload_bytes));
                if (!bytes.empty()) std::memcpy(peer.incoming.data() + at, bytes.data(), bytes.size());
            };
            if (!read(from, header, append, ~std::size_t{0})) return false;
            payload.swap(peer.incoming);
            return true;
        }
        for (;;) {
            int done = 0;
            if (peer.receiving == MPI_REQUEST_NULL) {
                MPI_Message piece = MPI_MESSAGE_NULL;
                MPI_Status status;
                MPI_Improbe(static_cast<int>(from), message_tag, own_, &done, &piece, &status);
                if (done == 0) return false;
                int count = 0;
                MPI_Get_count(&status, MPI_BYTE, &count);
                peer.arriving = static_cast<std::size_t>(count);
                const std::size_t filled = peer.filled + peer.arriving;
                if (peer.incoming.size() < filled) peer.incoming.resize(filled);
                MPI_Imrecv(peer.incoming.data() + peer.filled, count, MPI_BYTE, &piece, &peer.receiving);
            }
            MPI_Test(&peer.receiving, &done, MPI_STATUS_IGNORE);
            if (done == 0) return false;
            peer.filled += peer.arriving;
            if (peer.arriving == piece_bytes) continue;
            std::memcpy(&header, peer.incoming.data() + peer.filled - sizeof header, sizeof header);
            peer.incoming.resize(header.payload_bytes);
            payload.swap(peer.incoming);
            peer.filled = 0;
            if (header.operation == farewell) peer.left = header.run;
            return true;
        }
    }

    /// The next notice of this run, if there is one. Those of later runs are kept, those of earlier ones forgotten.
    bool take_notice(std::uint32_t run, Notice& notice) {
        if (all_are_neighbours_ && notices_taken_ == neighbours_.notices() && early_.empty()) return false;
        std::erase_if(early_, [&](const Notice& early) { return early.run < run; });
        const auto kept =
            std::find_if(early_.begin(), early_.end(), [&](const Notice& early) { return early.run == run; });
        if (kept != early_.end()) {
            notice = std::move(*kept);
            early_.erase(kept);
            return true;
        }
        for (;;) {
            int there = 0;
            MPI_Status status;
            MPI_Iprobe(MPI_ANY_SOURCE, notice_tag, own_, &there, &status);
            if (there == 0) return false;
            int count = 0;
            MPI_Get_count(&status, MPI_BYTE, &count);
            Bytes bytes(static_cast<std::size_t>(count));
            MPI_Recv(bytes.data(), count, MPI_BYTE, status.MPI_SOURCE, notice_tag, own_, MPI_STATUS_IGNORE);
            ++notices_taken_;
            ByteReader reader(bytes);
            notice.from = static_cast<std::size_t>(status.MPI_SOURCE);
            notice.run = reader.read<std::uint32_t>();
            bytes.erase(bytes.begin(), bytes.begin() + sizeof notice.run);
            notice.bytes = std::move(bytes);
            if (notice.run == run) return true;
            if (notice.run > run) early_.push_back(std::move(notice));
        }
    }

  private:
    static constexpr int message_tag = 1, notice_tag = 2;
    /// A message travels in pieces of so many bytes and a shorter last one, which ends with the header: MPI counts in int.
    static constexpr std::size_t piece_bytes = std::size_t{4} << 20;
    /// What the processes tell each other at a time while the group is made.
    static constexpr std::size_t words_each = 3;

    enum class Stage { duplicating, counting, offering, agreeing, made };
    struct Peer {
        Bytes incoming;  // the message that has begun, and room that need not be cleared first
        std::size_t filled = 0, arriving = 0;
        MPI_Request receiving = MPI_REQUEST_NULL;
        std::uint32_t left = 0;  // the last run that it said farewell to
    };
    struct Outgoing {
        std::size_t to = 0;
        Bytes bytes;
        std::vector<MPI_Request> requests;
    };

    explicit MpiGroup(MPI_Comm processes) { MPI_Comm_idup(processes, &own_, &making_); }

    static std::vector<MpiGroup*>& all() {
        static auto* const groups = new std::vector<MpiGroup*>;
        return *groups;
    }

    /// Goes on with what needs all processes, without waiting for them.
    bool is_made() {
        if (stage_ == Stage::made) return true;
        int done = 0;
        MPI_Test(&making_, &done, MPI_STATUS_IGNORE);
        if (done == 0) return false;
        if (stage_ == Stage::duplicating) {
            MPI_Comm_set_errhandler(own_, MPI_ERRORS_ARE_FATAL);
            int rank = 0, size = 1;
            MPI_Comm_rank(own_, &rank);
            MPI_Comm_size(own_, &size);
            rank_ = static_cast<std::size_t>(rank);
            peers_.resize(static_cast<std::size_t>(size));
            gathered_.resize(peers_.size() * words_each);
            const auto [machine, threads] = place_here();
            gather(Stage::counting, {machine, threads, shared_memory_place()});
        } else if (stage_ == Stage::counting) {
            std::vector<std::size_t> sharing_memory;
            for (std::size_t rank = 0; rank < size(); ++rank) {
                const bool same_machine = said_by(rank)[0] == said_by(rank_)[0];
                if (same_machine && said_by(rank)[1] == said_by(rank_)[1]) ++sharing_;
                if (same_machine && said_by(rank)[2] == said_by(rank_)[2]) sharing_memory.push_back(rank);
            }
            all_are_neighbours_ = sharing_memory.size() == size();
            machine_ = sharing_memory;
            const SharedNeighbours::Offer offer = neighbours_.offer(std::move(sharing_memory), rank_);
            gather(Stage::offering, {offer.process, offer.file, offer.key});
        } else if (stage_ == Stage::offering) {
            std::vector<SharedNeighbours::Offer> offers;
            for (std::size_t rank = 0; rank < size(); ++rank)
                offers.push_back({said_by(rank)[0], said_by(rank)[1], said_by(rank)[2]});
            gather(Stage::agreeing, {neighbours_.accept(offers) ? 1U : 0U, 0, 0});
        } else {
            const bool agreed =
                std::all_of(machine_.begin(), machine_.end(), [&](std::size_t rank) { return said_by(rank)[0] != 0; });
            neighbours_.settle(agreed);
            all_are_neighbours_ = all_are_neighbours_ && agreed;
            stage_ = Stage::made;
        }
        return is_made();
    }

    /// Tells all processes some words, and goes on to a stage in which they may have said theirs.
    void gather(Stage stage, const std::array<std::uint64_t, words_each>& words) {
        stage_ = stage;
        mine_ = words;
        MPI_Iallgather(mine_.data(), words_each, MPI_UINT64_T, gathered_.data(), words_each, MPI_UINT64_T, own_,
                       &making_);
    }
    const std::uint64_t* said_by(std::size_t rank) const { return gathered_.data() + rank * words_each; }

    /// A number for the machine, and one for those of its hardware threads that this process may use.
    static std::pair<std::uint64_t, std::uint64_t> place_here() {
        std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
        int length = 0;
        MPI_Get_processor_name(name.data(), &length);
        const std::uint64_t machine = checksum(std::as_bytes(std::span(name).first(static_cast<std::size_t>(length))));
        std::uint64_t place = machine;
#if defined(__linux__)
        cpu_set_t usable;
        if (sched_getaffinity(0, sizeof usable, &usable) == 0)
            place = checksum(std::as_bytes(std::span(&usable, 1)), machine);
#endif
        return {machine, place};
    }

    bool have_left() {
        MessageHeader header;
        Bytes unwanted;
        Notice notice;
        while (take_notice(~std::uint32_t{0}, notice)) {
        }
        bool all_left = flush();
        for (std::size_t other = 0; other < size(); ++other) {
            if (other == rank_) continue;
            while (take(other, header, unwanted)) {
            }
            all_left = all_left && peers_[other].left >= runs_;
        }
        return all_left;
    }

    void send(std::size_t to, int tag, Outgoing message) {
        outgoing_.push_back(std::move(message));
        Outgoing& kept = outgoing_.back();
        kept.to = to;
        kept.requests.clear();
        for (std::size_t at = 0; at < kept.bytes.size(); at += piece_bytes) {
            const std::size_t count = std::min(piece_bytes, kept.bytes.size() - at);
            kept.requests.push_back(MPI_REQUEST_NULL);
            MPI_Isend(kept.bytes.data() + at, static_cast<int>(count), MPI_BYTE, static_cast<int>(to), tag, own_,
                      &kept.requests.back());
        }
    }

    Outgoing take_spare() {
        if (spare_.empty()) return {};
        Outgoing message = std::move(spare_.back());
        spare_.pop_back();
        return message;
    }

    MPI_Comm own_ = MPI_COMM_NULL;
    MPI_Request making_ = MPI_REQUEST_NULL;
    Stage stage_ = Stage::duplicating;
    std::array<std::uint64_t, words_each> mine_{};  // what is being told to all
    std::vector<std::uint64_t> gathered_;           // what all say
    std::vector<std::size_t> machine_;  // the processes that may share memory with this one, itself among them
    std::size_t rank_ = 0, sharing_ = 0;
    std::uint32_t runs_ = 0;
    std::vector<Peer> peers_;
    std::deque<Outgoing> outgoing_;  // on their way, the oldest first
    std::vector<Outgoing> spare_;    // memory of sent messages, for the next ones
    std::vector<Notice> early_;      // of runs that others have begun already
    SharedNeighbours neighbours_;
    bool all_are_neighbours_ = false;
    std::uint64_t notices_taken_ = 0;
    std::vector<std::size_t> keeping_;  // the neighbours for whom parts of messages wait
};

}  // namespace partita::inline PARTITA_ABI::detail
