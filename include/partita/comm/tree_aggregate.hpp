// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/communicator.hpp>
#include <partita/comm/in_process.hpp>

#include <bit>

namespace partita::inline PARTITA_ABI {

/// Reduces along a binomial tree to worker 0 and broadcasts from there: 2·ceil(log2 P) messages in a row, whatever the
/// length n; worker 0 takes in ceil(log2 P)·n words. RingAllReduce is faster
/// within a machine (docs/distributed.md); this one makes the fewest connections, P - 1.
template <class Transport = InProcess>
class TreeAggregate {
  public:
    using transport = Transport;

    explicit TreeAggregate(Link& link) : link_(link) {}
    std::size_t rank() const noexcept { return link_.rank(); }
    std::size_t size() const noexcept { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, Reduction reduction) {
        for_children(false, [&](std::size_t child) { link_.combine(child, words, reduction); });
        if (rank() != 0) link_.exchange(parent(), words, parent(), words);
        for_children(true, [&](std::size_t child) { link_.send(child, words); });
    }

    /// Up the tree a message holds the bytes of a whole subtree, which is a run of consecutive ranks.
    std::vector<Bytes> all_gather(std::span<const std::byte> mine) {
        Bytes packed;
        ByteWriter(packed).write_sized(mine);
        for_children(false, [&](std::size_t child) {
            const Bytes theirs = link_.receive(child);
            packed.insert(packed.end(), theirs.begin(), theirs.end());
        });
        if (rank() != 0) {
            link_.send(parent(), packed);
            packed = link_.receive(parent());
        }
        for_children(true, [&](std::size_t child) { link_.send(child, packed); });

        std::vector<Bytes> gathered;
        ByteReader reader(packed);
        for (std::size_t i = 0; i < size(); ++i) {
            const std::span<const std::byte> bytes = reader.read_sized();
            gathered.emplace_back(bytes.begin(), bytes.end());
        }
        return gathered;
    }

  private:
    /// The lowest set bit of a rank is its distance to its parent; a rank has a child at every smaller power of two.
    std::size_t parent() const noexcept { return rank() & (rank() - 1); }

    /// Nearest child first on the way up, so that subtrees meet in the order of ranks; farthest first on the way down,
    /// because it has the deepest subtree to serve.
    template <class Visit>
    void for_children(bool farthest_first, Visit&& visit) const {
        const std::size_t limit = rank() == 0 ? std::bit_ceil(size()) : (rank() & (~rank() + 1));
        if (farthest_first) {
            for (std::size_t distance = limit / 2; distance > 0; distance /= 2) {
                if (rank() + distance < size()) visit(rank() + distance);
            }
        } else {
            for (std::size_t distance = 1; distance < limit; distance *= 2) {
                if (rank() + distance < size()) visit(rank() + distance);
            }
        }
    }

    Link& link_;
};

}  // namespace partita::inline PARTITA_ABI
