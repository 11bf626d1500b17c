// SPDX-License-Identifier: Apache-2.0
#pragma once

// The transport of workers that are simulated: the schedules of any policy, executed on a clock. It steers nothing.

#include <partita/comm/channel.hpp>
#include <partita/comm/communicator.hpp>
#include <partita/comm/error_wire.hpp>
#include <partita/comm/run.hpp>
#include <partita/comm/settings.hpp>
#include <partita/comm/simulated/hub.hpp>
#include <partita/comm/simulated/network.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/exec/thread_pool.hpp>

#include <cstddef>
#include <exception>
#include <span>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// What a run over Simulated is told and tells: give its address as `RunSettings::instruments.simulation`.
struct Simulation {
    SimulatedNetwork network{};
    std::size_t workers = 0;  ///< how many to simulate; 0: what the settings of the run say
    SimulatedRun result{};    ///< written when the run has ended, also when it ended with an error
};

/// The transport of simulated workers: `RingAllReduce<Simulated>`. They take turns on the calling thread, each on a stack of
/// its own (1 MiB, of which what is used takes memory); sums are the real ones, while the time that messages take is that of
/// a SimulatedNetwork. A body that is run so must wait for other workers in collectives alone; there is no service lane, so a
/// ParameterTable is simulated in its replicated form only. Nobody is ever late: a wait that no message can end is a
/// CollectiveMismatch at once.
class Simulated final : public Channel {
  public:
    static void launch(const RunSettings& settings, FunctionRef<void(Channel&)> worker);

    Simulated(detail::SimulatedHub& hub, std::size_t rank) : hub_(hub), rank_(rank) {}

    std::size_t rank() const noexcept override { return rank_; }
    std::size_t size() const noexcept override { return hub_.size(); }
    bool leads_process() const noexcept override { return rank_ == 0; }
    std::size_t workers_on_machine() const noexcept override { return hub_.size(); }
    bool may_change_threads() const noexcept override { return false; }

    void send(std::size_t to, const MessageHeader& header, std::span<const std::byte> payload) override {
        if (killed_) throw detail::Killed{};
        hub_.send(rank_, to, header, payload);
    }
    void receive(std::size_t from, MessageHeader& header, Bytes& payload) override {
        if (killed_) throw detail::Killed{};
        hub_.receive(rank_, from, header, payload);
    }
    void work(double operations) override { hub_.work(rank_, operations); }
    void abandon(std::span<const std::byte> error) override {
        if (!killed_) hub_.abandon(error);
    }
    [[noreturn]] void kill() override {
        killed_ = true;
        hub_.abandon(
            detail::write_error(std::make_exception_ptr(WorkerLost(
                                    "process " + std::to_string(rank_) +
                                        " is gone; look at its own output for the reason, and run again from the "
                                        "last checkpoint",
                                    Place{.process = static_cast<std::int64_t>(rank_)})),
                                -1, rank_));
        throw detail::Killed{};
    }

  private:
    detail::SimulatedHub& hub_;
    std::size_t rank_;
    bool killed_ = false;
};

inline void Simulated::launch(const RunSettings& settings, FunctionRef<void(Channel&)> worker) {
    Simulation without;
    Simulation& simulation = settings.instruments.simulation == nullptr ? without : *settings.instruments.simulation;
    std::size_t size = simulation.workers != 0 ? simulation.workers : settings.workers;
    if (size == 0) size = hardware_threads();
    if (size > detail::most_workers) detail::refuse_setting("workers", std::to_string(size), "simulate at most 4095");

    detail::SimulatedHub hub(simulation.network, size);
    std::vector<std::exception_ptr> errors(size);
    hub.run([&](std::size_t rank) {
        Simulated channel(hub, rank);
        try {
            worker(channel);
        } catch (const detail::Killed&) {
        } catch (...) {
            errors[rank] = std::current_exception();
            channel.abandon(detail::write_error(errors[rank], -1, rank));
        }
    });
    simulation.result = std::move(hub.result());

    std::vector<Bytes> ends(size);
    for (std::size_t rank = 0; rank < size; ++rank)
        if (errors[rank]) ends[rank] = detail::write_error(errors[rank], -1, rank);
    const std::size_t decisive = detail::decisive_error(ends);
    if (decisive < size) std::rethrow_exception(errors[decisive]);
    if (!hub.error().empty()) std::rethrow_exception(detail::read_error(hub.error()));
}

/// Lets so many operations of computation pass on this worker's clock, in a simulated run; does nothing in others.
inline void simulate_work(Session& session, double operations) {
    session.communicator().link().channel().work(operations);
}

namespace detail {

template <class Transport>
inline constexpr bool is_simulated = false;
template <>
inline constexpr bool is_simulated<Simulated> = true;
template <template <class> class Wrapper, class Transport>
inline constexpr bool is_simulated<Wrapper<Transport>> = is_simulated<Transport>;

}  // namespace detail

/// Runs `body(session)` on so many simulated workers, of one thread each unless `settings` says otherwise, and says how long
/// that would take on this network: `simulate<RingAllReduce<Simulated>>({.latency_seconds = 1e-4}, 1024, body)`. What the body
/// computes takes no time but what it tells `simulate_work`. The same run gives the same times to the last digit.
/// Errors: InvalidSetting for a network that cannot be, or no worker, or more than 4095; what the body threw, as `run`.
/// Cost: one thread; some microseconds a message, the memory of those on their way, and 16 bytes for each pair of workers.
template <Communicator Policy, class Body>
SimulatedRun simulate(const SimulatedNetwork& network, std::size_t workers, Body&& body, RunSettings settings = {}) {
    static_assert(detail::is_simulated<typename Policy::transport>,
                  "partita: simulate takes a policy over Simulated, as RingAllReduce<Simulated>");
    if (workers == 0) detail::refuse_setting("workers", "0", "simulate at least 1");
    Simulation simulation{.network = network, .workers = workers};
    settings.instruments.simulation = &simulation;
    if (settings.threads == 0) settings.threads = 1;
    run<Policy>(std::move(settings), body);
    return std::move(simulation.result);
}

}  // namespace partita::inline PARTITA_ABI
