// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages from one process to another through shared memory: a ring of slots that one side fills and the other empties, without
// locks. A slot's first line says that it is full and holds the header and a short payload, so that a short message costs the
// way of one cache line; longer payloads lie behind it, and go on in the slots that follow. What finds no room waits on the
// sender's side.

#include <partita/comm/channel.hpp>
#include <partita/core/version.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <utility>

namespace partita::inline PARTITA_ABI::detail {

/// The slots of one direction, in memory that both sides see. The memory is zero at first.
class SharedSlots {
  public:
    /// So long that what is said between the sides does not count beside the copying, so short that the slots which are under way
    /// stay in the second-level cache: measured with bench/all_reduce.
    static constexpr std::size_t slot_bytes = std::size_t{32} << 10;
    static constexpr std::size_t slots = 16;
    static constexpr std::size_t line_bytes = 64;
    static constexpr std::size_t size_bytes = line_bytes + slots * (line_bytes + slot_bytes);

    struct alignas(line_bytes) Head {
        std::atomic<std::uint64_t>
            filled;            // how many slots were filled in all, this one included, when it was filled last
        MessageHeader header;  // of the message that begins here
        std::byte inlined[line_bytes - sizeof filled - sizeof header];
    };
    static_assert(sizeof(Head) == line_bytes && std::atomic<std::uint64_t>::is_always_lock_free);

    explicit SharedSlots(std::byte* memory) : memory_(memory) {}

    /// How many slots the receiver has emptied in all.
    std::atomic<std::uint64_t>& emptied() const { return *reinterpret_cast<std::atomic<std::uint64_t>*>(memory_); }
    Head& head(std::uint64_t number) const {
        return *reinterpret_cast<Head*>(memory_ + line_bytes + number % slots * (line_bytes + slot_bytes));
    }
    /// Where so many bytes of a payload lie in a slot; only the first slot of a message may hold them in its line.
    static std::byte* payload(Head& head, std::size_t message_bytes) {
        return message_bytes <= sizeof head.inlined ? head.inlined : reinterpret_cast<std::byte*>(&head + 1);
    }

  private:
    std::byte* memory_;
};

/// A message that is being written: its payload is borrowed.
struct SharedMessage {
    MessageHeader header;
    std::span<const std::byte> rest;
    bool begun = false;

    bool is_written() const noexcept { return begun && rest.empty(); }
};

/// The side that sends.
class SharedWriter {
  public:
    explicit SharedWriter(std::byte* memory) : slots_(memory) {}

    /// Writes as much of a message as there is room for, at most so many slots, behind all that waits. Never waits itself. Gives the
    /// number of slots.
    std::size_t write(SharedMessage& message, std::size_t most_slots = ~std::size_t{0}) {
        return flush() ? fill(message, most_slots) : 0;
    }

    /// Takes over what is left of a message, so that its payload may go.
    void keep(const SharedMessage& message) {
        if (!message.is_written()) kept_.push_back({message, Bytes(message.rest.begin(), message.rest.end())});
    }

    /// Writes what waits. True if nothing does any more.
    bool flush() {
        while (!kept_.empty()) {
            Kept& first = kept_.front();
            first.message.rest = std::span<const std::byte>(first.bytes).last(first.message.rest.size());
            fill(first.message, ~std::size_t{0});
            if (!first.message.is_written()) return false;
            kept_.pop_front();
        }
        return true;
    }

  private:
    struct Kept {
        SharedMessage message;
        Bytes bytes;
    };

    bool has_room() {
        if (filled_ - emptied_ < SharedSlots::slots) return true;
        emptied_ = slots_.emptied().load(std::memory_order_acquire);
        return filled_ - emptied_ < SharedSlots::slots;
    }

    std::size_t fill(SharedMessage& message, std::size_t most_slots) {
        std::size_t count = 0;
        while (!message.is_written() && count < most_slots && has_room()) {
            SharedSlots::Head& head = slots_.head(filled_);
            if (!message.begun) head.header = message.header;
            message.begun = true;
            const std::size_t bytes = std::min(message.rest.size(), SharedSlots::slot_bytes);
            if (bytes != 0)
                std::memcpy(SharedSlots::payload(head, message.header.payload_bytes), message.rest.data(), bytes);
            message.rest = message.rest.subspan(bytes);
            head.filled.store(++filled_, std::memory_order_release);
            ++count;
        }
        return count;
    }

    SharedSlots slots_;
    std::uint64_t filled_ = 0;   // slots, in all
    std::uint64_t emptied_ = 0;  // slots, as last seen
    std::deque<Kept> kept_;
};

/// The side that receives.
class SharedReader {
  public:
    explicit SharedReader(std::byte* memory) : slots_(memory) {}

    /// Whether there is something to read.
    bool has_arrived() const { return slots_.head(emptied_).filled.load(std::memory_order_acquire) == emptied_ + 1; }

    /// Reads at most so many slots of the next message, if they are here: `visit(header, first_byte, bytes)` is given its bytes in
    /// order as they lie in the slots, once without any if the message has none. True, with its header, if that is all of it.
    template <class Visit>
    bool read(MessageHeader& header, Visit&& visit, std::size_t most_slots = ~std::size_t{0}) {
        for (std::size_t count = 0; count < most_slots && has_arrived(); ++count) {
            SharedSlots::Head& head = slots_.head(emptied_);
            if (!begun_) {
                header_ = head.header;
                at_ = 0;
                begun_ = true;
            }
            const auto message_bytes = static_cast<std::size_t>(header_.payload_bytes);
            const std::size_t bytes = std::min(message_bytes - at_, SharedSlots::slot_bytes);
            if (!dropped_)
                visit(header_, at_, std::span<const std::byte>(SharedSlots::payload(head, message_bytes), bytes));
            at_ += bytes;
            slots_.emptied().store(++emptied_, std::memory_order_release);
            if (at_ < message_bytes) continue;
            begun_ = false;
            if (std::exchange(dropped_, false)) continue;
            header = header_;
            return true;
        }
        return false;
    }

    /// Nobody wants the rest of a message that was begun.
    void drop() noexcept { dropped_ = begun_; }

  private:
    SharedSlots slots_;
    std::uint64_t emptied_ = 0;  // slots, in all
    MessageHeader header_;       // of the message that has begun
    std::size_t at_ = 0;         // its bytes so far
    bool begun_ = false, dropped_ = false;
};

}  // namespace partita::inline PARTITA_ABI::detail
