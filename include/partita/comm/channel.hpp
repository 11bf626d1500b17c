// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a transport is: it carries whole messages between numbered workers, keeps those of one sender in order, and knows
// who has left.

#include <partita/comm/bytes.hpp>
#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/exec/function_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::inline PARTITA_ABI {

struct RunSettings;

/// What travels in front of every message of a collective.
struct MessageHeader {
    std::uint64_t sequence = 0;  ///< which collective of the run, counted from 1
    std::uint64_t payload_bytes = 0;
    std::uint64_t length = 0;  ///< how many words every worker brings into the collective, where that must be the same
    std::uint32_t operation = 0;  ///< what kind of collective, see Operation
    std::uint32_t step = 0;       ///< the longest chain of messages that led to this one, itself included
    std::uint32_t failed = 0;     ///< 1: the payload is an error instead of data
    std::uint32_t run = 0;        ///< for transports on which the messages of several runs may meet
};

/// Is given the payload of a message in one run of bytes or several, in order, with where each begins: once at least.
using PayloadVisitor =
    FunctionRef<void(const MessageHeader& header, std::size_t first_byte, std::span<const std::byte> bytes)>;

/// One worker's end of a transport. A transport derives from it and adds
/// `static void launch(const RunSettings&, FunctionRef<void(Channel&)> worker)`, which calls `worker` once per worker
/// of this process, waits for all, and rethrows the error that the run ended with.
class Channel {
  public:
    virtual ~Channel() = default;

    virtual std::size_t rank() const noexcept = 0;
    virtual std::size_t size() const noexcept = 0;
    /// Whether this is the worker of its process whose result `run` returns.
    virtual bool leads_process() const noexcept { return true; }
    /// The number of workers that share this one's hardware threads, this one included.
    virtual std::size_t workers_on_machine() const noexcept { return 1; }
    /// Whether the channel may be used by one thread after another, or else by the one alone that was given it.
    virtual bool may_change_threads() const noexcept { return true; }

    /// Sends without waiting for the receiver; the payload may be reused at once.
    /// Errors: detail::RunAbandoned once the run is known to be over.
    virtual void send(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) = 0;

    /// Takes the next message of that sender, waiting for it. `payload` is resized to fit; its memory is reused.
    /// Errors: detail::RunAbandoned when no message is there and none can come: a worker failed outside a collective,
    /// is gone, or has not arrived before the deadline.
    virtual void receive(std::size_t from, MessageHeader& header, Bytes& payload) = 0;

    /// Takes the next message of that sender as `receive` does, but gives its payload to `visit` from where the transport has it.
    virtual void receive_in_place(std::size_t from, PayloadVisitor visit) {
        MessageHeader header;
        receive(from, header, arrived_);
        visit(header, 0, arrived_);
    }

    /// Sends a message and takes one, at once: a worker may be held up until both are through, so the other sides must be about to
    /// take and to send theirs. A transport that can lets both overlap.
    virtual void exchange(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload,
                          std::size_t from, PayloadVisitor visit) {
        send(to, header, payload);
        receive_in_place(from, visit);
    }

    /// Waits until what was sent needs this worker no longer, so that it may compute for long without holding others up. Called
    /// at the end of every collective.
    /// Errors: detail::RunAbandoned, as receive.
    virtual void settle() {}

    /// Says that this worker computes so many operations, to a transport whose clock is not that of the machine.
    virtual void work(double operations) { static_cast<void>(operations); }

    // ---- the service lane: messages beside those of the collectives, for whoever serves others while its worker computes. Any
    // thread may post, one thread takes, and neither disturbs the worker in its collectives.

    /// Called on all workers when a run begins whose policy may need the lane.
    virtual void open_service_lane() {}

    /// Called before this worker uses the lane, which it does from then on until the run ends.
    /// Errors: InvalidSetting if the transport has none.
    virtual void begin_service();

    /// Sends without waiting for the receiver, which may be the worker itself.
    /// Errors: detail::RunAbandoned once the run is known to be over.
    virtual void post(std::size_t to, const MessageHeader& header, Bytes payload);

    /// Waits for the next message on the lane, of any sender, those of one sender in order. Gives the sender.
    /// Errors: detail::RunAbandoned once the run is over.
    virtual std::size_t take_posted(MessageHeader& header, Bytes& payload);

    /// Tells every worker that the run cannot go on, with an error as ErrorWire wrote it. The first to do so wins.
    virtual void abandon(std::span<const std::byte> error) = 0;

    /// Ends this worker as a crash would: it sends nothing more, and the others find it gone. Does not return.
    [[noreturn]] virtual void kill() = 0;

  private:
    Bytes arrived_;
};

namespace detail {

[[noreturn]] inline void refuse_service_lane() {
    throw InvalidSetting(
        "the policy's transport has no service lane (Channel::post and take_posted), which a parameter table with keys "
        "sharded over "
        "workers needs; run under ParameterServer over InProcess or Mpi, or under another policy");
}

/// Leaves `receive` when the run was abandoned; carries the error in its wire form. Never seen by users.
struct RunAbandoned {
    Bytes error;
};

}  // namespace detail

inline void Channel::begin_service() { detail::refuse_service_lane(); }
inline void Channel::post(std::size_t, const MessageHeader&, Bytes) { detail::refuse_service_lane(); }
inline std::size_t Channel::take_posted(MessageHeader&, Bytes&) { detail::refuse_service_lane(); }

}  // namespace partita::inline PARTITA_ABI
