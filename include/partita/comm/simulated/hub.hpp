// SPDX-License-Identifier: Apache-2.0
#pragma once

// The clock of a simulated run: one worker runs at a time, the one whose clock is least, until it waits for a message; messages
// leave and reach hosts in the order of the instants at which they do. So every decision depends on simulated time alone,
// and a run can be repeated to the last digit.

#include <partita/comm/channel.hpp>
#include <partita/comm/counting.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/link.hpp>
#include <partita/comm/simulated/fiber.hpp>
#include <partita/comm/simulated/network.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// One message of a simulated run.
struct SimulatedMessage : MessageRecord {
    double sent_seconds = 0;     ///< when it was handed to the network
    double arrived_seconds = 0;  ///< when its last byte was there, whether or not its receiver waited for it
};

/// How one worker of a simulated run fared.
struct SimulatedWorker {
    double seconds = 0;          ///< when it was done
    double busy_seconds = 0;     ///< of these it computed, sent or took in
    double waiting_seconds = 0;  ///< and waited for messages
    std::uint64_t sent_messages = 0;
    std::uint64_t sent_bytes = 0;  ///< without headers
};

/// What a simulated run took.
struct SimulatedRun {
    double seconds = 0;                      ///< until the last worker was done
    std::vector<SimulatedWorker> workers;    ///< by rank
    std::vector<SimulatedMessage> messages;  ///< as they were sent, if SimulatedNetwork::keeps_messages
};

namespace detail {

class SimulatedHub {
  public:
    SimulatedHub(const SimulatedNetwork& network, std::size_t size)
        : network_(network), hosts_(network, size), workers_(size), queues_(size * size) {
        result_.workers.resize(size);
    }

    std::size_t size() const noexcept { return workers_.size(); }
    SimulatedRun& result() noexcept { return result_; }

    /// Runs `body(rank)` on all workers, to the end of each.
    void run(FunctionRef<void(std::size_t)> body) {
        struct Start {
            FunctionRef<void(std::size_t)> body;
            std::size_t rank;
            void operator()() const { body(rank); }
        };
        std::deque<Start> starts;
        std::deque<Fiber> fibers;
        for (std::size_t rank = 0; rank < size(); ++rank) {
            starts.push_back({body, rank});
            fibers.emplace_back(starts.back());
            workers_[rank].fiber = &fibers.back();
            make_ready(rank, 0);
        }
        for (std::size_t running = size(); running > 0;) {
            if (!ready_.empty() && (crossing_.empty() || ready_.front().seconds <= crossing_.front().seconds)) {
                const std::size_t rank = pop(ready_).index;
                workers_[rank].fiber->resume();
                if (workers_[rank].waits_for == nobody) {
                    workers_[rank].done = true;
                    --running;
                }
            } else if (!crossing_.empty()) {
                transfer(pop(crossing_));
            } else {
                wake_in_vain();
            }
        }
        for (const SimulatedWorker& worker : result_.workers)
            result_.seconds = std::max(result_.seconds, worker.seconds);
    }

    // ---- for the worker that runs ----

    void work(std::size_t self, double operations) {
        if (!(operations >= 0 && operations <= std::numeric_limits<double>::max()))
            throw InvalidSetting("simulate_work was told of " + std::to_string(operations) +
                                     " operations; give a number that is not negative",
                                 Place{.process = static_cast<std::int64_t>(self)});
        spend(self, operations / network_.operations_per_second);
    }

    void send(std::size_t self, std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) {
        throw_if_abandoned();
        const std::size_t bytes = sizeof header + payload.size();
        spend(self, hosts_.processor_seconds(bytes));
        if (spare_.empty()) {
            spare_.push_back(messages_.size());
            messages_.emplace_back();
        }
        const std::size_t index = spare_.back();
        spare_.pop_back();
        Message& message = messages_[index];
        message.header = header;
        message.from = self;
        message.to = to;
        message.next = none;
        message.at_card = false;
        message.bytes = bytes;
        const bool travels = network_.carries_vectors || header.failed != 0 ||
                             header.operation != static_cast<std::uint32_t>(Operation::all_reduce);
        if (travels) message.payload.assign(payload.begin(), payload.end());
        else message.payload.clear();

        SimulatedWorker& mine = result_.workers[self];
        ++mine.sent_messages;
        mine.sent_bytes += payload.size();
        if (network_.keeps_messages) {
            message.record = result_.messages.size();
            result_.messages.push_back(
                {{header.sequence, header.operation, header.step, self, to, payload.size(), header.failed != 0},
                 mine.seconds,
                 mine.seconds});
        }
        push(crossing_, {mine.seconds, count_++, index});
    }

    void receive(std::size_t self, std::size_t from, MessageHeader& header, Bytes& payload) {
        Queue& queue = queues_[self * size() + from];
        if (queue.first == none) {
            workers_[self].waits_for = from;
            workers_[self].fiber->suspend();
            workers_[self].waits_for = nobody;
        }
        if (queue.first == none) throw_if_abandoned();
        const std::size_t index = queue.first;
        Message& message = messages_[index];
        queue.first = message.next;
        SimulatedWorker& mine = result_.workers[self];
        if (message.arrives_seconds > mine.seconds) {
            mine.waiting_seconds += message.arrives_seconds - mine.seconds;
            mine.seconds = message.arrives_seconds;
        }
        spend(self, hosts_.processor_seconds(message.bytes));
        header = message.header;
        payload.swap(message.payload);
        spare_.push_back(index);
    }

    void abandon(std::span<const std::byte> error) {
        if (error_.empty()) error_.assign(error.begin(), error.end());
    }
    std::span<const std::byte> error() const noexcept { return error_; }

  private:
    static constexpr std::size_t none = ~std::size_t{0}, nobody = none;

    struct Message {
        MessageHeader header;
        std::size_t from = 0, to = 0, next = none;
        std::size_t bytes = 0;  // with the header
        bool at_card = false;   // of the receiver's host
        std::size_t record = 0;
        double arrives_seconds = 0;
        Bytes payload;
    };
    struct Queue {  // of messages that have crossed the network
        std::size_t first = none, last = none;
    };
    struct Worker {
        Fiber* fiber = nullptr;
        std::size_t waits_for = nobody;
        bool done = false;
    };
    struct Event {
        double seconds;
        std::uint64_t order;  // among those of one instant
        std::size_t index;

        /// A heap has its largest in front, which is the earliest here.
        friend bool operator<(const Event& a, const Event& b) {
            return a.seconds != b.seconds ? a.seconds > b.seconds : a.order > b.order;
        }
    };

    static void push(std::vector<Event>& events, Event event) {
        events.push_back(event);
        std::push_heap(events.begin(), events.end());
    }
    static Event pop(std::vector<Event>& events) {
        std::pop_heap(events.begin(), events.end());
        const Event event = events.back();
        events.pop_back();
        return event;
    }

    void make_ready(std::size_t rank, double seconds) { push(ready_, {seconds, rank, rank}); }

    void spend(std::size_t self, double seconds) {
        result_.workers[self].busy_seconds += seconds;
        result_.workers[self].seconds += seconds;
    }

    /// A message leaves its sender's host, or arrives at its receiver's.
    void transfer(const Event& crossing) {
        Message& message = messages_[crossing.index];
        if (message.at_card) {
            message.arrives_seconds = hosts_.arrival(message.to, message.bytes, crossing.seconds);
        } else if (hosts_.on_one_host(message.from, message.to)) {
            message.arrives_seconds = hosts_.arrival_within(message.from, message.bytes, crossing.seconds);
        } else {
            message.at_card = true;
            const double at_card_seconds = hosts_.arrival_at_card(message.from, message.bytes, crossing.seconds);
            return push(crossing_, {at_card_seconds, count_++, crossing.index});
        }
        if (network_.keeps_messages) result_.messages[message.record].arrived_seconds = message.arrives_seconds;
        Queue& queue = queues_[message.to * size() + message.from];
        if (queue.first == none) queue.first = crossing.index;
        else messages_[queue.last].next = crossing.index;
        queue.last = crossing.index;
        if (workers_[message.to].waits_for == message.from && queue.first == crossing.index)
            make_ready(message.to, message.arrives_seconds);
    }

    /// Nobody can go on: all that wait do so for messages that nobody will send.
    void wake_in_vain() {
        if (error_.empty()) {
            std::size_t self = 0;
            const auto waits_for_one_that_is_done = [&](std::size_t rank) {
                return !workers_[rank].done && workers_[workers_[rank].waits_for].done;
            };
            while (self < size() && !waits_for_one_that_is_done(self)) ++self;
            std::string what;
            if (self < size()) {
                what = "process " + std::to_string(workers_[self].waits_for) +
                       " never called: it has returned from the body already";
            } else {
                for (self = 0; workers_[self].done;) ++self;
                what = "process " + std::to_string(workers_[self].waits_for) + " is not in: all wait for each other";
            }
            abandon(write_error(std::make_exception_ptr(CollectiveMismatch(
                                    "process " + std::to_string(self) + " waits in a collective that " + what +
                                        "; all workers must make the same calls",
                                    Place{.process = static_cast<std::int64_t>(self)})),
                                -1, self));
        }
        for (std::size_t rank = 0; rank < size(); ++rank)
            if (!workers_[rank].done) make_ready(rank, result_.workers[rank].seconds);
    }

    void throw_if_abandoned() const {
        if (!error_.empty()) throw RunAbandoned{error_};
    }

    SimulatedNetwork network_;
    SimulatedHosts hosts_;
    std::vector<Worker> workers_;
    std::vector<Queue> queues_;  // of receiver and sender
    std::deque<Message> messages_;
    std::vector<std::size_t> spare_;  // messages that were received
    std::vector<Event> ready_, crossing_;
    std::uint64_t count_ = 0;
    SimulatedRun result_;
    Bytes error_;  // why the run is over
};

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
