// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/link.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>

namespace partita::inline PARTITA_ABI::detail {

/// What a worker sends about one table on the service lane. From any thread.
class TableMail {
  public:
    TableMail(Channel& channel, std::uint64_t number) : channel_(channel), number_(number) {}

    std::size_t rank() const noexcept { return channel_.rank(); }
    std::size_t size() const noexcept { return channel_.size(); }
    Channel& channel() noexcept { return channel_; }
    std::uint64_t number() const noexcept { return number_; }

    /// All but this worker, starting behind it, so that not all talk to the same one at once.
    template <class Visit>
    void for_others(Visit&& visit) const {
        for (std::size_t i = 1; i < size(); ++i) visit((rank() + i) % size());
    }

    /// A message begins with the number of its table.
    Bytes begin(std::span<const std::byte> rest = {}) const {
        Bytes message;
        ByteWriter writer(message);
        writer.write(number_);
        writer.write_raw(rest.data(), rest.size());
        return message;
    }
    std::span<const std::byte> rest_of(std::span<const std::byte> message) const {
        return message.subspan(sizeof number_);
    }

    /// Errors: that which the run ended with, once it is over.
    void post(std::size_t to, Operation operation, std::uint64_t sequence, Bytes message, bool failed = false) {
        const MessageHeader header{.sequence = sequence,
                                   .payload_bytes = message.size(),
                                   .operation = static_cast<std::uint32_t>(operation),
                                   .step = 1,
                                   .failed = failed ? 1U : 0U};
        try {
            channel_.post(to, header, std::move(message));
        } catch (const RunAbandoned& abandoned) {
            std::rethrow_exception(read_error(abandoned.error));
        }
    }

  private:
    Channel& channel_;
    std::uint64_t number_;
};

}  // namespace partita::inline PARTITA_ABI::detail
