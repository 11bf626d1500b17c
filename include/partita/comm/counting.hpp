// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/channel.hpp>
#include <partita/comm/in_process.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// One message as it was sent.
struct MessageRecord {
    std::uint64_t sequence = 0;   ///< which collective of the run, from 1
    std::uint32_t operation = 0;  ///< see Operation
    std::uint32_t step = 0;       ///< the longest chain of messages that led to this one, itself included
    std::size_t from = 0;
    std::size_t to = 0;
    std::size_t payload_bytes = 0;  ///< without the header
    bool failed = false;            ///< it carried an error

    friend bool operator==(const MessageRecord&, const MessageRecord&) = default;
};

/// What Counting writes to: give its address as `RunSettings::instruments.messages`. Safe from any thread.
class MessageLog {
  public:
    void add(const MessageRecord& record) {
        const std::lock_guard lock(mutex_);
        records_.push_back(record);
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        records_.clear();
    }
    /// All messages so far, by collective, step, sender and receiver, those of one pair as they were sent.
    std::vector<MessageRecord> messages() const {
        const std::lock_guard lock(mutex_);
        const auto key = [&](std::size_t index) {
            const MessageRecord& record = records_[index];
            return std::tuple(record.sequence, record.step, record.from, record.to, index);
        };
        std::vector<std::size_t> order(records_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
        std::vector<MessageRecord> sorted;
        for (const std::size_t index : order) sorted.push_back(records_[index]);
        return sorted;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<MessageRecord> records_;
};

/// A transport that records every message of the one it wraps: `RingAllReduce<Counting<InProcess>>`.
template <class Transport = InProcess>
class Counting final : public Channel {
  public:
    static void launch(const RunSettings& settings, FunctionRef<void(Channel&)> worker) {
        Transport::launch(settings, [&](Channel& inner) {
            Counting channel(inner, settings.instruments.messages);
            worker(channel);
        });
    }

    Counting(Channel& inner, MessageLog* log) : inner_(inner), log_(log) {}

    std::size_t rank() const noexcept override { return inner_.rank(); }
    std::size_t size() const noexcept override { return inner_.size(); }
    bool leads_process() const noexcept override { return inner_.leads_process(); }
    std::size_t workers_on_machine() const noexcept override { return inner_.workers_on_machine(); }
    bool may_change_threads() const noexcept override { return inner_.may_change_threads(); }

    void send(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) override {
        record(to, header, payload);
        inner_.send(to, header, payload);
    }
    void receive(std::size_t from, MessageHeader& header, Bytes& payload) override {
        inner_.receive(from, header, payload);
    }
    void receive_in_place(std::size_t from, PayloadVisitor visit) override { inner_.receive_in_place(from, visit); }
    void exchange(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload, std::size_t from,
                  PayloadVisitor visit) override {
        record(to, header, payload);
        inner_.exchange(to, header, payload, from, visit);
    }
    void settle() override { inner_.settle(); }
    void open_service_lane() override { inner_.open_service_lane(); }
    void begin_service() override { inner_.begin_service(); }
    void post(std::size_t to, const MessageHeader& header, Bytes payload) override {
        if (log_ != nullptr && to != rank()) {
            log_->add({header.sequence, header.operation, header.step, rank(), to, payload.size(), header.failed != 0});
        }
        inner_.post(to, header, std::move(payload));
    }
    std::size_t take_posted(MessageHeader& header, Bytes& payload) override {
        return inner_.take_posted(header, payload);
    }
    void work(double operations) override { inner_.work(operations); }
    void abandon(std::span<const std::byte> error) override { inner_.abandon(error); }
    [[noreturn]] void kill() override {
        inner_.kill();
        throw detail::Killed{};  // compilers forget that a virtual call does not return
    }

  private:
    void record(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) {
        if (log_ == nullptr) return;
        log_->add({header.sequence, header.operation, header.step, rank(), to, payload.size(), header.failed != 0});
    }

    Channel& inner_;
    MessageLog* log_;
};

}  // namespace partita::inline PARTITA_ABI
