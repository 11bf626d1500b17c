// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a policy is written against: numbered peers, and words to send and to receive. The link puts a status in front of
// every message, so that a policy is arithmetic and nothing else: a worker with an error sends the error in the place of
// data, whoever receives it goes on with zeros, and after the collective all workers have the same error and throw it.

#include <partita/comm/channel.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/instruments.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace partita::inline PARTITA_ABI {

/// How an all-reduce combines two numbers: addition modulo 2^64, or the larger one.
enum class Reduction : std::uint32_t { sum, maximum };

/// The collectives, as they are named in messages, and what is said on the service lane about a ParameterTable. There the
/// sequence is that of a worker's pulls, or the clock.
enum class Operation : std::uint32_t {
    none,
    all_reduce,
    all_gather,
    broadcast,
    all_to_all,
    table_pull = 16,  ///< keys, to their owner
    table_values,     ///< their values
    table_push,       ///< the deltas of a worker's clock, to their owner
    table_collect,    ///< a worker's clock was its last before all are gathered
    table_applied,    ///< a clock is applied at an owner
    table_failed,     ///< a worker gives up the table
    table_closed,     ///< a worker needs the table no more
};

/// target[i] = target[i] combined with source[i]; `source` holds int64 words at any alignment.
inline void combine_words(std::span<std::int64_t> target, const std::byte* source, Reduction reduction) {
    const std::size_t count = target.size();
    std::int64_t* words = target.data();
    if (reduction == Reduction::sum) {
        for (std::size_t i = 0; i < count; ++i) {
            std::uint64_t word;
            std::memcpy(&word, source + i * sizeof word, sizeof word);
            words[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(words[i]) + word);
        }
    } else {
        for (std::size_t i = 0; i < count; ++i) {
            std::int64_t word;
            std::memcpy(&word, source + i * sizeof word, sizeof word);
            words[i] = words[i] < word ? word : words[i];
        }
    }
}

/// An error that a worker brings along into a collective instead of data, or none.
struct PendingError {
    std::exception_ptr error;
    std::int64_t block = -1;  ///< the block of rows it happened in, where the error itself does not say

    PendingError() = default;
    PendingError(std::nullptr_t) {}
    PendingError(std::exception_ptr error_, std::int64_t block_ = -1) : error(std::move(error_)), block(block_) {}

    explicit operator bool() const noexcept { return error != nullptr; }
};

/// Runs `action` and gives what it threw, for the collective that follows.
template <class Action>
PendingError attempt(Action&& action) {
    try {
        static_cast<void>(std::forward<Action>(action)());
        return {};
    } catch (...) {
        return std::current_exception();
    }
}

/// The messages of one worker's collectives over one channel.
class Link {
  public:
    explicit Link(Channel& channel, const Instruments& instruments = {}, std::size_t ring_from_bytes = 0)
        : channel_(channel), instruments_(instruments), ring_from_bytes_(ring_from_bytes) {}
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    std::size_t rank() const noexcept { return channel_.rank(); }
    std::size_t size() const noexcept { return channel_.size(); }

    // ---- for policies ----

    /// Sends bytes or words, without waiting for the receiver.
    void send(std::size_t to, std::span<const std::byte> bytes) {
        const MessageHeader header = put_header(bytes);
        channel_.send(to, header, bytes);
    }
    void send(std::size_t to, std::span<const std::int64_t> words) { send(to, std::as_bytes(words)); }

    /// Receives bytes of any number; none if the sender has an error.
    Bytes receive(std::size_t from) {
        MessageHeader header;
        do channel_.receive(from, header, buffer_);
        while (is_stale(header));
        if (header.failed != 0) merge(buffer_);
        return accepts(from, header) ? std::exchange(buffer_, {}) : Bytes{};
    }

    /// Receives exactly so many words; zeros if the sender has an error.
    void receive(std::size_t from, std::span<std::int64_t> words) { place(words, take(from, words, nullptr)); }

    /// Receives as many words as there are and combines them into `words`; leaves them if the sender has an error.
    void combine(std::size_t from, std::span<std::int64_t> words, Reduction reduction) {
        take(from, words, &reduction);
    }

    /// Sends words to one worker and combines those of another, or of the same, into `words`, both at once where the transport
    /// can. `sent` and `words` may be the same; then nothing is overwritten before it is sent. This worker may be held up until
    /// its message is received, so the one that it is for must be about to receive it, as where all make a step of one kind.
    void exchange(std::size_t to, std::span<const std::int64_t> sent, std::size_t from, std::span<std::int64_t> words,
                  Reduction reduction) {
        trade(to, sent, from, words, &reduction);
    }
    /// The same, but the words that come are put in the place of `words`; zeros if the sender has an error.
    void exchange(std::size_t to, std::span<const std::int64_t> sent, std::size_t from, std::span<std::int64_t> words) {
        place(words, trade(to, sent, from, words, nullptr));
    }

    /// Whether this worker has an error by now, its own or another's.
    bool failed() const noexcept { return !failure_.wire.empty(); }

    /// Gives this worker an error in the middle of a collective, which goes on.
    void fail(std::exception_ptr error, std::int64_t block = -1) {
        Bytes wire = detail::write_error(error, block, rank());
        if (failed() && !(detail::key_of_error(wire) < detail::key_of_error(failure_.wire))) return;
        failure_ = {std::move(wire), std::move(error)};
    }

    /// Sends under another name from here on, and gives the former: for policies that talk before they do what was asked.
    Operation exchange_operation(Operation operation) noexcept { return std::exchange(operation_, operation); }

    /// See RunSettings.
    std::size_t ring_from_bytes() const noexcept { return ring_from_bytes_; }
    const Instruments& instruments() const noexcept { return instruments_; }
    Channel& channel() noexcept { return channel_; }

    // ---- for CommunicatorBase ----

    /// `length`: of the vector that is reduced.
    void begin(Operation operation, const PendingError& pending, std::size_t length = 0) {
        ++sequence_;
        length_ = length;
        operation_ = operation;
        step_ = 0;
        failure_ = {};
        if (pending) fail(pending.error, pending.block);
    }

    /// Takes over another worker's error if it is the one that wins.
    void merge(std::span<const std::byte> wire) {
        if (failed() && !(detail::key_of_error(wire) < detail::key_of_error(failure_.wire))) return;
        failure_.wire.assign(wire.begin(), wire.end());
        failure_.original = nullptr;
    }

    /// Ends the collective: throws the error that the workers agreed on, the original where it came from.
    void finish() {
        operation_ = Operation::none;
        if (!failed()) return;
        const Failure failure = std::exchange(failure_, {});
        std::rethrow_exception(failure.original ? failure.original : detail::read_error(failure.wire));
    }

  private:
    struct Failure {
        Bytes wire;
        std::exception_ptr original;
    };

    /// The header for these bytes, or for this worker's error, which then takes their place.
    MessageHeader put_header(std::span<const std::byte>& bytes) const {
        if (failed()) bytes = failure_.wire;
        return {.sequence = sequence_,
                .payload_bytes = bytes.size(),
                .length = own_length(),
                .operation = static_cast<std::uint32_t>(operation_),
                .step = step_ + 1,
                .failed = failed() ? 1U : 0U};
    }
    std::uint64_t own_length() const noexcept { return operation_ == Operation::all_reduce ? length_ : 0; }

    /// Left by a worker that left an earlier collective with an error of its own.
    bool is_stale(const MessageHeader& header) const noexcept { return header.sequence < sequence_; }

    /// Whether what follows the header is what this collective waits for.
    bool accepts(std::size_t from, const MessageHeader& header) {
        if (header.step > step_) step_ = header.step;
        if (header.failed != 0) return false;
        if (header.sequence != sequence_ || header.operation != static_cast<std::uint32_t>(operation_)) {
            mismatch(from, "is in another collective (" + describe(header.operation, header.sequence) + ")");
            return false;
        }
        if (header.length != own_length()) {
            mismatch(from, "brings " + std::to_string(header.length) + " words where this one brings " +
                               std::to_string(own_length()));
            return false;
        }
        return true;
    }
    bool accepts_words(std::size_t from, const MessageHeader& header, std::size_t count) {
        if (!accepts(from, header)) return false;
        if (header.payload_bytes == count * sizeof(std::int64_t)) return true;
        mismatch(from, "sent " + std::to_string(header.payload_bytes) + " bytes where " +
                           std::to_string(count * sizeof(std::int64_t)) + " were expected");
        return false;
    }

    static void place(std::span<std::int64_t> words, bool received) {
        if (received) return;
        for (std::int64_t& word : words) word = 0;
    }

    /// What becomes of the messages of one sender until the one that this collective waits for.
    struct Arrival {
        Link& link;
        std::size_t from;
        std::span<std::int64_t> words;
        const Reduction* reduction;  // null: what comes is put in the place of the words
        MessageHeader header{};
        bool wanted = false;

        void operator()(const MessageHeader& begun, std::size_t first_byte, std::span<const std::byte> bytes) {
            if (first_byte == 0) {
                header = begun;
                wanted = !link.is_stale(begun) && link.accepts_words(from, begun, words.size());
                if (begun.failed != 0) link.buffer_.clear();
            }
            // A simulated network may have carried the length alone: then there are no bytes.
            const std::size_t first = first_byte / sizeof(std::int64_t);
            if (wanted && reduction != nullptr) {
                combine_words(words.subspan(first, bytes.size() / sizeof(std::int64_t)), bytes.data(), *reduction);
            } else if (wanted && !bytes.empty()) {
                std::memcpy(words.data() + first, bytes.data(), bytes.size());
            } else if (begun.failed != 0) {
                link.buffer_.insert(link.buffer_.end(), bytes.begin(), bytes.end());
            }
        }
        /// After the first message: whether words came.
        bool finish() {
            while (link.is_stale(header)) link.channel_.receive_in_place(from, *this);
            if (header.failed != 0) link.merge(link.buffer_);
            return wanted;
        }
    };

    bool take(std::size_t from, std::span<std::int64_t> words, const Reduction* reduction) {
        Arrival arrival{*this, from, words, reduction};
        channel_.receive_in_place(from, arrival);
        return arrival.finish();
    }

    bool trade(std::size_t to, std::span<const std::int64_t> sent, std::size_t from, std::span<std::int64_t> words,
               const Reduction* reduction) {
        std::span<const std::byte> bytes = std::as_bytes(sent);
        const MessageHeader header = put_header(bytes);
        Arrival arrival{*this, from, words, reduction};
        channel_.exchange(to, header, bytes, from, arrival);
        return arrival.finish();
    }

    static std::string describe(std::uint32_t operation, std::uint64_t sequence) {
        static constexpr const char* names[] = {"none", "all_reduce", "all_gather", "broadcast", "all_to_all"};
        return std::string(operation < std::size(names) ? names[operation] : "unknown") + ", number " +
               std::to_string(sequence);
    }

    void mismatch(std::size_t from, const std::string& what) {
        if (failed()) return;  // a worker with an error need not know the sizes
        fail(std::make_exception_ptr(
            CollectiveMismatch("process " + std::to_string(rank()) + " is in a collective (" +
                                   describe(static_cast<std::uint32_t>(operation_), sequence_) + ") and process " +
                                   std::to_string(from) + " " + what +
                                   "; all workers must make the same calls with the same sizes, so call collectives "
                                   "outside of conditions on the rank",
                               Place{.process = static_cast<std::int64_t>(rank())})));
    }

    Channel& channel_;
    Instruments instruments_;
    std::size_t ring_from_bytes_;
    std::uint64_t sequence_ = 0;
    std::uint64_t length_ = 0;
    Operation operation_ = Operation::none;
    std::uint32_t step_ = 0;
    Failure failure_;
    Bytes buffer_;
};

}  // namespace partita::inline PARTITA_ABI
