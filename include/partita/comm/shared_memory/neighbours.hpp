// SPDX-License-Identifier: Apache-2.0
#pragma once

// The processes of one machine that share memory: how they find each other's, and what lies where in it.

#include <partita/comm/shared_memory/segment.hpp>
#include <partita/comm/shared_memory/stream.hpp>
#include <partita/core/version.hpp>
#include <partita/persist/checksum.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace partita::inline PARTITA_ABI::detail {

/// Tells the machines of processes apart: processes of one number can try to share memory. Namespaces count as machines, because
/// who is put into one of his own for processes or for the network is meant to be apart.
inline std::uint64_t shared_memory_place() {
    std::uint64_t place = 0;
#if defined(__linux__)
    for (const char* name : {"/proc/self/ns/pid", "/proc/self/ns/net"}) {
        struct stat facts{};
        if (stat(name, &facts) != 0) continue;
        place = checksum(std::as_bytes(std::span(&facts.st_ino, 1)), place);
    }
#endif
    return place;
}

/// The other processes of this machine, in each of whose memory lie the messages that it sends.
class SharedNeighbours {
  public:
    /// Where a process's memory is to be found; a `key` of 0 says that it has none.
    struct Offer {
        std::uint64_t process = 0, file = 0, key = 0;
    };
    struct Peer {
        SharedWriter to;
        SharedReader from;
        std::atomic<std::uint64_t>& notices;  // how many it has been sent in all
        SharedSegment memory;                 // its own
    };

    /// Makes this process's memory. `ranks` are the processes of this machine, in rising order, `self` among them.
    Offer offer(std::vector<std::size_t> ranks, std::size_t self) {
        ranks_ = std::move(ranks);
        self_ = self;
        own_ = SharedSegment::create(size_bytes());
        if (own_.data() == nullptr) return {};
        auto* const control = new (own_.data()) Control{};
#if defined(__linux__)
        control->key = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) |
                       std::uint64_t{1} << 63;
        return {static_cast<std::uint64_t>(getpid()), static_cast<std::uint64_t>(own_.file()), control->key};
#else
        return {};
#endif
    }

    /// Opens the others' memory; `offers` are by rank. False if that of one cannot be had.
    bool accept(std::span<const Offer> offers) {
        if (own_.data() == nullptr) return false;
        peers_.resize(offers.size());
        const std::size_t own_place = place_of(self_);
        for (const std::size_t rank : ranks_) {
            if (rank == self_) continue;
            const Offer& offered = offers[rank];
            if (offered.key == 0) return false;
            SharedSegment memory = SharedSegment::open(static_cast<std::int64_t>(offered.process),
                                                       static_cast<int>(offered.file), size_bytes());
            if (memory.data() == nullptr || control(memory).key != offered.key) return false;
            peers_[rank].reset(new Peer{SharedWriter(slots(own_, place_of(rank))),
                                        SharedReader(slots(memory, own_place)), control(memory).notices,
                                        std::move(memory)});
        }
        return true;
    }

    /// Ends the search: with what was found if all have found it (`agreed`), with nothing otherwise.
    void settle(bool agreed) {
        own_.close_file();
        if (agreed) return;
        for (std::unique_ptr<Peer>& peer : peers_) peer.reset();
        own_ = {};
    }

    /// The process of this rank, or null if it shares no memory with this one.
    Peer* find(std::size_t rank) const noexcept { return rank < peers_.size() ? peers_[rank].get() : nullptr; }
    /// How many notices this process has been sent by those that share memory with it.
    std::uint64_t notices() const { return control(own_).notices.load(std::memory_order_acquire); }

  private:
    struct alignas(SharedSlots::line_bytes) Control {
        std::atomic<std::uint64_t> notices{0};
        std::uint64_t key = 0;
    };

    std::size_t size_bytes() const noexcept { return sizeof(Control) + ranks_.size() * SharedSlots::size_bytes; }
    static Control& control(const SharedSegment& segment) { return *reinterpret_cast<Control*>(segment.data()); }
    /// The slots for what the owner of the memory sends to the process of that place.
    static std::byte* slots(const SharedSegment& segment, std::size_t place) {
        return segment.data() + sizeof(Control) + place * SharedSlots::size_bytes;
    }
    std::size_t place_of(std::size_t rank) const noexcept {
        std::size_t place = 0;
        while (ranks_[place] != rank) ++place;
        return place;
    }

    std::vector<std::size_t> ranks_;
    std::size_t self_ = 0;
    SharedSegment own_;
    std::vector<std::unique_ptr<Peer>> peers_;  // by rank
};

}  // namespace partita::inline PARTITA_ABI::detail
