// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machines that a simulated run takes place on, and when a message that is sent there arrives.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Hosts on one switch, and what they cost. Worker r lies on host r / workers_per_host.
///
/// Between hosts a message of n bytes (n counts the header) holds its sender for message_seconds + n·byte_seconds, then
/// the card of the sender's host for n / bytes_per_second and, latency_seconds after it began to leave, the card of the
/// receiver's host for as long; then it has arrived, and holds the receiver as it did the sender. A card sends and receives at
/// once, but one message after the other in each direction, in the order in which they come. Within a host the memory takes
/// the place of both cards. Sources: Alexandrov, Ionescu, Schauser and Scheiman, LogGP, 1995 (L, o, G); Hoefler, Schneider and
/// Lumsdaine, LogGOPSim, 2010 (the cost of a byte to the processor). The defaults are of a cluster with 10 Gbit/s Ethernet.
struct SimulatedNetwork {
    double latency_seconds = 30e-6;      ///< L: from one host to another
    double bytes_per_second = 1.25e9;    ///< 1/G: a host's network card, in each direction
    double message_seconds = 2e-6;       ///< o: what a message costs the processor at either end
    double byte_seconds = 0;             ///< O: what a byte of it costs there, copying and adding included
    std::size_t workers_per_host = 1;    ///< they share the card
    double host_latency_seconds = 1e-6;  ///< L between workers of one host
    double host_bytes_per_second = 5e9;  ///< 1/G between workers of one host, who share it
    double operations_per_second = 1e9;  ///< how fast a worker does what it tells `simulate_work`
    bool carries_vectors = true;         ///< false: of vectors only the lengths travel, and sums are not computed
    bool keeps_messages = false;         ///< whether SimulatedRun lists them, at some 80 bytes each
};

namespace detail {

/// The same network, if there can be such a one.
inline const SimulatedNetwork& checked(const SimulatedNetwork& network) {
    const auto require = [](bool fine, const char* setting, double value, const char* remedy) {
        if (!fine)
            throw InvalidSetting(
                std::string("SimulatedNetwork::") + setting + " is " + std::to_string(value) + "; " + remedy,
                Place{.setting = setting});
    };
    constexpr double most = std::numeric_limits<double>::max();
    const auto time = [&](const char* setting, double value) {
        require(value >= 0 && value <= most, setting, value, "give a number of seconds that is not negative");
    };
    const auto speed = [&](const char* setting, double value) {
        require(value > 0 && value <= most, setting, value, "give a positive number");
    };
    time("latency_seconds", network.latency_seconds);
    speed("bytes_per_second", network.bytes_per_second);
    time("message_seconds", network.message_seconds);
    time("byte_seconds", network.byte_seconds);
    time("host_latency_seconds", network.host_latency_seconds);
    speed("host_bytes_per_second", network.host_bytes_per_second);
    speed("operations_per_second", network.operations_per_second);
    require(network.workers_per_host > 0, "workers_per_host", 0, "give at least 1");
    return network;
}

/// The hosts while messages cross them; they must be asked in the order of the instants that they are asked about.
class SimulatedHosts {
  public:
    SimulatedHosts(const SimulatedNetwork& network, std::size_t workers)
        : network_(checked(network)), hosts_((workers - 1) / network.workers_per_host + 1) {}

    /// How long a message holds the processor of its sender, and later of its receiver.
    double processor_seconds(std::size_t bytes) const {
        return network_.message_seconds + static_cast<double>(bytes) * network_.byte_seconds;
    }

    bool on_one_host(std::size_t a, std::size_t b) const noexcept { return host_of(a) == host_of(b); }

    /// When a message to a worker of the same host has arrived.
    double arrival_within(std::size_t from, std::size_t bytes, double sent_seconds) {
        return occupy(hosts_[host_of(from)].memory_free_at, sent_seconds, bytes, network_.host_bytes_per_second) +
               network_.host_latency_seconds;
    }
    /// When the first byte of a message is at the card of the receiver's host, and then, when the last one is in.
    double arrival_at_card(std::size_t from, std::size_t bytes, double sent_seconds) {
        double& free_at = hosts_[host_of(from)].out_free_at;
        const double leaves_at = free_at > sent_seconds ? free_at : sent_seconds;
        occupy(free_at, sent_seconds, bytes, network_.bytes_per_second);
        return leaves_at + network_.latency_seconds;
    }
    double arrival(std::size_t to, std::size_t bytes, double at_card_seconds) {
        return occupy(hosts_[host_of(to)].in_free_at, at_card_seconds, bytes, network_.bytes_per_second);
    }

  private:
    std::size_t host_of(std::size_t worker) const noexcept { return worker / network_.workers_per_host; }

    struct Host {
        double out_free_at = 0, in_free_at = 0, memory_free_at = 0;
    };

    static double occupy(double& free_at, double from, std::size_t bytes, double bytes_per_second) {
        free_at = (free_at > from ? free_at : from) + static_cast<double>(bytes) / bytes_per_second;
        return free_at;
    }

    SimulatedNetwork network_;
    std::vector<Host> hosts_;
};

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
