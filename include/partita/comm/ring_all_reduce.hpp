// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>
#include <partita/comm/in_process.hpp>
#include <partita/comm/shares.hpp>

namespace partita::inline PARTITA_ABI {

/// Sends only to the next worker and receives only from the one before: in P-1 steps every worker comes to hold the
/// reduction of one P-th of the vector, in P-1 more the parts go round. 2(P-1) steps, 2(P-1)/P of the vector sent by each
/// worker, which no algorithm undercuts: the better choice for long vectors.
/// Source: Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, 2009.
template <class Transport = InProcess>
class RingAllReduce {
  public:
    using transport = Transport;

    explicit RingAllReduce(Link& link) : link_(link) {}
    std::size_t rank() const noexcept { return link_.rank(); }
    std::size_t size() const noexcept { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, Reduction reduction) {
        for (std::size_t step = 0; step + 1 < size(); ++step) {
            link_.send(next(), segment(words, back(step)));
            link_.combine(previous(), segment(words, back(step + 1)), reduction);
        }
        for (std::size_t step = 0; step + 1 < size(); ++step) {
            link_.send(next(), segment(words, back(step + size() - 1)));
            link_.receive(previous(), segment(words, back(step)));
        }
    }

    std::vector<Bytes> all_gather(std::span<const std::byte> mine) {
        std::vector<Bytes> gathered(size());
        gathered[rank()].assign(mine.begin(), mine.end());
        for (std::size_t step = 0; step + 1 < size(); ++step) {
            link_.send(next(), gathered[back(step)]);
            gathered[back(step + 1)] = link_.receive(previous());
        }
        return gathered;
    }

  private:
    std::size_t next() const noexcept { return rank() + 1 == size() ? 0 : rank() + 1; }
    std::size_t previous() const noexcept { return rank() == 0 ? size() - 1 : rank() - 1; }
    /// The rank so many places before this one; up to 2·P places.
    std::size_t back(std::size_t places) const noexcept { return (rank() + 2 * size() - places) % size(); }

    std::span<std::int64_t> segment(std::span<std::int64_t> words, std::size_t owner) const {
        const Share share = share_of(words.size(), owner, size());
        return words.subspan(share.first, share.count);
    }

    Link& link_;
};

}  // namespace partita::inline PARTITA_ABI
