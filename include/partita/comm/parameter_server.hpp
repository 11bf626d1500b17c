// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>
#include <partita/comm/consistency.hpp>
#include <partita/comm/in_process.hpp>
#include <partita/comm/shares.hpp>

namespace partita::inline PARTITA_ABI {

/// Every worker is also a server: it owns one run of the keys (the positions of the vector). A reduction pushes to each
/// owner the part it owns, the owners combine, and all pull from the owners. Two messages in a row, P-1 of each kind per
/// worker; a worker sends 2(P-1)/P of the vector. The consistency, Bsp, Ssp<s> or Async, is that of a ParameterTable;
/// collectives are synchronous under each of them.
template <class Transport = InProcess, class Consistency = Bsp>
class ParameterServer {
    static_assert(
        requires { TableConsistency{Consistency::table}; },
        "partita: ParameterServer takes Bsp, Ssp<staleness> or Async as its consistency");

  public:
    using transport = Transport;
    using consistency = Consistency;

    explicit ParameterServer(Link& link) : link_(link) {}
    std::size_t rank() const noexcept { return link_.rank(); }
    std::size_t size() const noexcept { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, Reduction reduction) {
        // Where a vector is shorter than P, some own no key: to and from them goes the status alone. It must go, because a
        // worker with an error may not know the length and still has to send and expect the same messages as the others.
        const std::span<std::int64_t> own = keys_of(words, rank());
        for_others([&](std::size_t owner) { link_.send(owner, keys_of(words, owner)); });
        for_others([&](std::size_t worker) { link_.combine(worker, own, reduction); });
        for_others([&](std::size_t worker) { link_.send(worker, own); });
        for_others([&](std::size_t owner) { link_.receive(owner, keys_of(words, owner)); });
    }

    /// Here every worker owns its own bytes, and all pull them.
    std::vector<Bytes> all_gather(std::span<const std::byte> mine) {
        std::vector<Bytes> gathered(size());
        gathered[rank()].assign(mine.begin(), mine.end());
        for_others([&](std::size_t worker) { link_.send(worker, mine); });
        for_others([&](std::size_t owner) { gathered[owner] = link_.receive(owner); });
        return gathered;
    }

  private:
    std::span<std::int64_t> keys_of(std::span<std::int64_t> words, std::size_t owner) const {
        const Share share = share_of(words.size(), owner, size());
        return words.subspan(share.first, share.count);
    }

    /// All but this worker, starting behind it, so that not all talk to the same one at once.
    template <class Visit>
    void for_others(Visit&& visit) const {
        for (std::size_t i = 1; i < size(); ++i) visit((rank() + i) % size());
    }

    Link& link_;
};

}  // namespace partita::inline PARTITA_ABI
