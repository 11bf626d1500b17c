// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>
#include <partita/comm/settings.hpp>

#include <cstdlib>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The transport of a run with one worker: it carries nothing.
class OneProcess final : public Channel {
  public:
    /// Looks at what the program itself asks for; PARTITA_WORKERS may be set for other runs and does not apply here.
    static void check(const RunSettings& settings) {
        if (settings.workers > 1) {
            refuse_setting(
                "workers", std::to_string(settings.workers),
                "LocalThreads has one worker; leave the setting at 0, or run under RingAllReduce<>, TreeAggregate<> or "
                "ParameterServer<>");
        }
    }

    static void launch(const RunSettings&, FunctionRef<void(Channel&)> worker) {
        OneProcess channel;
        worker(channel);
    }

    std::size_t rank() const noexcept override { return 0; }
    std::size_t size() const noexcept override { return 1; }
    void send(std::size_t, const MessageHeader&, std::span<const std::byte>) override { std::abort(); }
    void receive(std::size_t, MessageHeader&, Bytes&) override { std::abort(); }
    void abandon(std::span<const std::byte>) override {}
    [[noreturn]] void kill() override { throw Killed{}; }
};

}  // namespace detail

/// One worker: this process and its threads. Collectives cost nothing and send nothing.
class LocalThreads {
  public:
    using transport = detail::OneProcess;

    explicit LocalThreads(Link&) {}
    std::size_t rank() const noexcept { return 0; }
    std::size_t size() const noexcept { return 1; }
    void all_reduce(std::span<std::int64_t>, Reduction) {}
    std::vector<Bytes> all_gather(std::span<const std::byte> mine) { return {Bytes(mine.begin(), mine.end())}; }
};

}  // namespace partita::inline PARTITA_ABI
