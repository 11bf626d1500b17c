// SPDX-License-Identifier: Apache-2.0
#pragma once

// The processes of a communicator and the messages between them, for as long as the program runs: a run that ended early may
// leave messages behind, and the next one must not take them for its own.

#include <partita/comm/channel.hpp>
#include <partita/comm/mpi/wait.hpp>
#include <partita/core/error.hpp>
#include <partita/exec/thread_pool.hpp>

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

    /// The group of a communicator. It has a communicator of its own, which is made when the group is first asked for; who
    /// gives up on that may ask again.
    /// Errors: DeadlineExceeded if not all processes come.
    static MpiGroup& of(MPI_Comm processes, double deadline_seconds) {
        static const int key = [] {
            int value = 0;
            MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &value, nullptr);
            return value;
        }();
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

    /// Sends a message; `header.run` says of which run.
    void post(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) {
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
    }

    /// Lets go of what has been sent, the oldest first. True if nothing is on its way.
    bool flush() {
        while (!outgoing_.empty()) {
            Outgoing& oldest = outgoing_.front();
            int done = 0;
            MPI_Testall(static_cast<int>(oldest.requests.size()), oldest.requests.data(), &done, MPI_STATUSES_IGNORE);
            if (done == 0) return false;
            if (spare_.size() < size()) spare_.push_back(std::move(oldest));
            outgoing_.pop_front();
        }
        return true;
    }
    /// The receiver of the oldest message on its way.
    std::size_t slowest() const { return outgoing_.front().to; }

    /// Takes what has arrived of a process's next message; true if that is all of it. Never waits.
    bool take(std::size_t from, MessageHeader& header, Bytes& payload) {
        Peer& peer = peers_[from];
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

    enum class Stage { duplicating, counting, made };
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
            places_.resize(peers_.size());
            place_ = place_of_threads();
            stage_ = Stage::counting;
            MPI_Iallgather(&place_, 1, MPI_UINT64_T, places_.data(), 1, MPI_UINT64_T, own_, &making_);
            return is_made();
        }
        sharing_ = static_cast<std::size_t>(std::count(places_.begin(), places_.end(), place_));
        stage_ = Stage::made;
        return true;
    }

    /// One number for the machine and those of its hardware threads that this process may use.
    static std::uint64_t place_of_threads() {
        std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
        int length = 0;
        MPI_Get_processor_name(name.data(), &length);
        std::uint64_t hash = 14695981039346656037U;  // FNV-1a
        const auto add = [&](std::span<const std::byte> bytes) {
            for (const std::byte byte : bytes) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 1099511628211U;
        };
        add(std::as_bytes(std::span(name).first(static_cast<std::size_t>(length))));
#if defined(__linux__)
        cpu_set_t usable;
        if (sched_getaffinity(0, sizeof usable, &usable) == 0) add(std::as_bytes(std::span(&usable, 1)));
#endif
        return hash;
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
    std::uint64_t place_ = 0;
    std::vector<std::uint64_t> places_;
    std::size_t rank_ = 0, sharing_ = 1;
    std::uint32_t runs_ = 0;
    std::vector<Peer> peers_;
    std::deque<Outgoing> outgoing_;  // on their way, the oldest first
    std::vector<Outgoing> spare_;    // memory of sent messages, for the next ones
    std::vector<Notice> early_;      // of runs that others have begun already
};

}  // namespace partita::inline PARTITA_ABI::detail
