// SPDX-License-Identifier: Apache-2.0
#pragma once

// The reduction of states whose merge is not exact: along one fixed binary tree over block ids, so that the order of
// merges, and with it every rounding, is the same for any number of threads and workers.

#include <partita/comm/communicator.hpp>
#include <partita/comm/wire.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A worker's part of the tree. The tree's leaves are the blocks; the node of level l and index i covers the blocks
/// i·2^l … (i+1)·2^l - 1 and is its left half merged with its right half, or the one half that has any state.
/// Feed it the states of the worker's own blocks in increasing order; it holds at most two nodes per level.
/// Requires `state.merge(const State&)`, or a `merge(State&, const State&)` passed to the constructor.
template <class State, class Merge = void (*)(State&, const State&)>
class BlockTree {
  public:
    /// [first_block, end_block) are the worker's own blocks: no other worker has a state of one of them.
    BlockTree(std::int64_t first_block, std::int64_t end_block, Merge merge)
        : first_(first_block), end_(end_block), merge_(std::move(merge)) {}
    BlockTree(std::int64_t first_block, std::int64_t end_block)
        requires(std::is_pointer_v<Merge> && requires(State& state, const State& other) { state.merge(other); })
        : BlockTree(first_block, end_block, [](State& state, const State& other) { state.merge(other); }) {}

    /// Adds the state of a block. Blocks without a state are left out. Requires increasing blocks.
    void add(std::int64_t block, State state) {
        settle(block);
        nodes_.push_back({0, block, std::move(state)});
        settle(block + 1);
    }

    /// The state of all blocks of all workers, the same on every worker; nothing if no block has a state. A collective.
    std::optional<State> finish(CommunicatorBase& communicator, PendingError pending = {})
        requires Travels<State>
    {
        Bytes mine;
        if (!pending) {
            pending = attempt([&] {
                settle(end_);
                ByteWriter writer(mine);
                for (const Node& node : nodes_) {
                    writer.write(node.level);
                    writer.write(node.index);
                    Wire<State>::write(node.state, writer);
                }
            });
        }
        if (communicator.size() == 1) {
            communicator.agree(pending);
        } else {
            const std::vector<Bytes> everyones = communicator.all_gather(mine, pending);
            nodes_.clear();
            for (const Bytes& theirs : everyones) {  // shares are in the order of ranks, so the nodes are sorted
                ByteReader reader(theirs);
                while (reader.remaining() > 0) {
                    const auto level = reader.read<std::int32_t>();
                    const auto index = reader.read<std::int64_t>();
                    nodes_.push_back({level, index, Wire<State>::read(reader)});
                }
            }
        }
        if (nodes_.empty()) return std::nullopt;
        return complete(0, nodes_.size());
    }

  private:
    struct Node {
        std::int32_t level;
        std::int64_t index;
        State state;
    };

    /// Lifts the last nodes as far as their fate is known when all blocks below `upto` are in.
    void settle(std::int64_t upto) {
        while (!nodes_.empty() && nodes_.back().level < 62) {
            const std::int32_t level = nodes_.back().level + 1;
            const std::int64_t index = nodes_.back().index >> 1;
            if ((index << level) < first_ || ((index + 1) << level) > upto) return;
            lift(nodes_);
        }
    }

    /// Replaces the last node by its parent, together with the node before it where that is the left half.
    void lift(std::vector<Node>& nodes) const {
        Node& last = nodes.back();
        if (nodes.size() > 1) {
            Node& before = nodes[nodes.size() - 2];
            if (before.level == last.level && before.index == last.index - 1 && (last.index & 1) == 1) {
                merge_(before.state, last.state);
                nodes.pop_back();
            }
        }
        ++nodes.back().level;
        nodes.back().index >>= 1;
    }

    /// Merges the nodes [begin, end), which are in order and do not overlap, as the tree has them.
    State complete(std::size_t begin, std::size_t end) {
        if (end - begin == 1) return std::move(nodes_[begin].state);
        const std::int32_t level = meeting_level(nodes_[begin], nodes_[end - 1]) - 1;
        std::size_t middle = begin;
        while (((first_block(nodes_[middle]) >> level) & 1) == 0) ++middle;
        State left = complete(begin, middle);
        merge_(left, complete(middle, end));
        return left;
    }

    static std::uint64_t first_block(const Node& node) {
        return static_cast<std::uint64_t>(node.index) << static_cast<std::uint32_t>(node.level);
    }

    /// The level of the lowest node that covers both.
    static std::int32_t meeting_level(const Node& a, const Node& b) {
        return static_cast<std::int32_t>(std::bit_width(first_block(a) ^ first_block(b)));
    }

    std::int64_t first_;
    std::int64_t end_;
    Merge merge_;
    std::vector<Node> nodes_;
};

}  // namespace partita::inline PARTITA_ABI
