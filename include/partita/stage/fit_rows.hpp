// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/block_checksum.hpp>
#include <partita/data/dataset_state.hpp>

#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The rows that an iterative estimator fits, with exactly the columns of its FitInputs, typed. It knows neither the pipeline
/// nor the dataset they come from, so a learner is compiled once per list of column types.
///
/// Every pass is collective. `update(state, views…, weights)` runs once per block of at most 4096 rows; the state's exact
/// accumulators make the result the same for any number of threads and workers.
template <class... Values>
class FitRows {
  public:
    FitRows(DatasetState state, std::array<int, sizeof...(Values)> slots) : state_(std::move(state)), slots_(slots) {}

    Session& session() const { return *state_.session; }
    bool weighted() const { return state_.plan.weight_slot >= 0; }

    /// The number of rows on all workers.
    std::int64_t count() const {
        std::int64_t rows = detail::local_rows(state_);
        session().communicator().all_reduce(std::span(&rows, 1), Reduction::sum);
        return rows;
    }

    /// One pass over all rows of all workers.
    template <class State, class Update>
    State aggregate(const State& empty, Update update) {
        return aggregate_indexed(empty,
                                 [&](State& state, std::size_t, const auto&... views) { update(state, views...); });
    }
    /// The same, and `update(state, index, views…, weights)` is told which of the local_blocks() it is: for what a learner keeps
    /// per block.
    template <class State, class Update>
    State aggregate_indexed(const State& empty, Update update) {
        return detail::aggregate_blocks(state_, empty, [&](State& state, Block& block, std::size_t index) {
            with_views(block, [&](const auto&... views) { update(state, index, views..., block.weights()); });
        });
    }

    /// The same over the blocks whose id leaves `rest` when divided by `every` alone: a sample that only depends on the data.
    template <class State, class Update>
    State aggregate_sample(const State& empty, std::int64_t every, std::int64_t rest, Update update) {
        return detail::aggregate_blocks(state_, empty, [&](State& state, Block& block, std::size_t index) {
            if (block.id() % every != rest) return;
            with_views(block, [&](const auto&... views) { update(state, index, views..., block.weights()); });
        });
    }

    /// The number of blocks that this worker holds, for storage of one's own per block.
    std::size_t local_blocks() const {
        std::size_t blocks = 0;
        for (const auto& chunk : state_.chunks) blocks += chunk->block_count();
        return blocks;
    }

    /// The ids of those blocks, by index.
    std::vector<std::int64_t> local_block_ids() const {
        std::vector<std::int64_t> ids;
        for (const auto& place : detail::local_blocks(state_)) ids.push_back(place.chunk->block_id(place.index));
        return ids;
    }

    /// One pass over this worker's rows: `body(index, views…, weights)` with index below local_blocks(), on all threads.
    /// An error of any worker is thrown on all.
    template <class Body>
    void for_each_block(Body body) {
        session().communicator().agree(attempt([&] {
            detail::for_each_local_block(state_, [&](Block& block, std::size_t index, std::size_t) {
                with_views(block, [&](const auto&... views) { body(index, views..., block.weights()); });
            });
        }));
    }

    /// The number of rows on all workers and a checksum of their ids, weights and values, as a text: what tells the rows of one fit from
    /// those of another, for Checkpoints. The same for any workers, threads and chunks. One pass.
    std::string checksum() {
        std::vector<std::uint64_t> sums(
            session().threads());  // in one order they would depend on who holds which block
        std::int64_t total[2] = {0, 0};
        const PendingError pending = attempt([&] {
            detail::for_each_local_block(state_, [&](Block& block, std::size_t, std::size_t worker) {
                std::uint64_t hash = detail::hash_rows(block);
                with_views(block, [&](const auto&... views) { ((hash = detail::hash_view(views, hash)), ...); });
                sums[worker] += hash;
            });
            total[0] = detail::local_rows(state_);
            for (const std::uint64_t sum : sums)
                total[1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(total[1]) + sum);
        });
        session().communicator().all_reduce(total, Reduction::sum, pending);
        return std::to_string(total[0]) + " rows, " + checksum_text(static_cast<std::uint64_t>(total[1]));
    }

    /// Stores the columns if they are still to be computed, so that further passes only read.
    /// Cost: one pass, and memory for the columns; nothing if they are stored already.
    void pack() {
        bool stored = true;
        for (int slot : slots_) stored = stored && state_.plan.slots[static_cast<std::size_t>(slot)].source >= 0;
        if (stored) return;
        std::vector<int> wanted(slots_.begin(), slots_.end());
        if (weighted()) wanted.push_back(state_.plan.weight_slot);
        DatasetState packed;
        packed.session = state_.session;
        packed.chunks = detail::gather_rows(state_, wanted, detail::choose_all);
        for (int slot : wanted) {
            Plan::Slot column = state_.plan.slots[static_cast<std::size_t>(slot)];
            column.source = static_cast<int>(packed.plan.slots.size());
            column.step = -1;
            packed.plan.slots.push_back(column);
        }
        if (weighted()) packed.plan.weight_slot = static_cast<int>(wanted.size()) - 1;
        for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i] = static_cast<int>(i);
        state_ = std::move(packed);
    }

  private:
    template <class Body>
    void with_views(Block& block, Body body) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            body(block.template view<Values>(slots_[I])...);
        }(std::index_sequence_for<Values...>());
    }

    DatasetState state_;
    std::array<int, sizeof...(Values)> slots_;
};

}  // namespace partita::inline PARTITA_ABI
