// SPDX-License-Identifier: Apache-2.0
#pragma once

// A dataset without its types, and the passes over it: everything that need not be compiled once per pipeline.

#include <partita/comm/reduce.hpp>
#include <partita/data/block.hpp>
#include <partita/data/chunk_list.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/data/gather.hpp>
#include <partita/data/refuse_widths.hpp>
#include <partita/math/exact_sum/environment.hpp>

#include <memory>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// This worker's contiguous share of a dataset's chunks, and what is to be computed from them.
struct DatasetState {
    Session* session = nullptr;
    std::vector<std::shared_ptr<const Chunk>> chunks;
    Plan plan;
};

namespace detail {

inline std::vector<PlaceIn<Chunk>> local_blocks(const DatasetState& state) { return places_of_blocks(state.chunks); }

/// Runs `body(block, index, worker)` for every block of this worker, on all threads of its pool: `index` counts the worker's
/// blocks, `worker` is below session.threads(). Errors carry the id of their block; of several the lowest block's is thrown.
inline void for_each_local_block(const DatasetState& state, FunctionRef<void(Block&, std::size_t, std::size_t)> body) {
    const std::vector<PlaceIn<Chunk>> places = local_blocks(state);
    std::vector<std::unique_ptr<Block>> blocks(state.session->threads());
    state.session->for_each(places.size(), [&](std::size_t index, std::size_t worker) {
        auto& block = blocks[worker];
        if (!block) {
            check_floating_point_environment();  // a thread of another library may have changed it
            block = std::make_unique<Block>(state.plan);
        }
        block->move_to(*places[index].chunk, places[index].index);
        try {
            body(*block, index, worker);
        } catch (Error& error) {
            if (error.place().block < 0) {
                const std::int64_t row = error.place().row;
                error.locate(row < 0 ? row : block->row_id(static_cast<std::size_t>(row)), block->id());
            }
            throw;
        }
    });
}

inline void for_each_block(const DatasetState& state, FunctionRef<void(Block&, std::size_t)> body) {
    for_each_local_block(state, [&](Block& block, std::size_t, std::size_t worker) { body(block, worker); });
}

/// Folds all blocks of all workers into one state: `update(state, block, index)` runs once per block, in any order, and the
/// state's exact accumulators make the result independent of it; `index` counts this worker's blocks. An error on any worker is
/// thrown on all.
template <class State, class Update>
State aggregate_blocks(const DatasetState& state, const State& empty, Update update) {
    std::vector<State> states(state.session->threads(), empty);
    State total = empty;
    const PendingError pending = attempt([&] {
        for_each_local_block(
            state, [&](Block& block, std::size_t index, std::size_t worker) { update(states[worker], block, index); });
        for (const State& part : states) merge_state(total, part);
    });
    all_reduce_state(state.session->communicator(), total, pending);
    return total;
}

/// The columns of a chunk that the slots store; none where one of the slots is computed.
inline std::vector<std::size_t> stored_columns(const Plan& plan, const std::vector<int>& slots) {
    std::vector<std::size_t> columns;
    for (int slot : slots) {
        const int source = plan.slots[static_cast<std::size_t>(slot)].source;
        if (source < 0) return {};
        columns.push_back(static_cast<std::size_t>(source));
    }
    return columns;
}

/// The rows of a chunk that `choose(block, rows)` names, with computed columns.
inline std::shared_ptr<const Chunk> compute_chunk(const Plan& plan, const Chunk& chunk, const std::vector<int>& slots,
                                                  FunctionRef<void(Block&, std::vector<std::uint32_t>&)> choose) {
    Block block(plan);
    std::vector<ColumnBuilder> builders;
    for (int slot : slots) builders.emplace_back(plan.slots[static_cast<std::size_t>(slot)].type);
    std::vector<std::int64_t> ids;
    std::vector<std::uint32_t> chosen;
    for (std::size_t i = 0; i < chunk.block_count(); ++i) {
        block.move_to(chunk, i);
        chosen.clear();
        choose(block, chosen);
        if (chosen.empty()) continue;
        const bool whole = chosen.size() == block.rows();
        for (std::size_t c = 0; c < slots.size(); ++c) {
            const ColumnSlice& slice = block.column(slots[c]);
            whole ? builders[c].append(slice) : builders[c].append(slice, chosen);
        }
        for (std::uint32_t row : chosen) ids.push_back(block.row_id(row));
    }
    if (ids.empty()) return nullptr;
    std::vector<ColumnData> columns;
    for (ColumnBuilder& builder : builders) columns.push_back(builder.finish());
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

/// The rows of all blocks of a chunk that `choose(block, rows)` names, counted from the chunk's first.
inline std::vector<std::uint32_t> choose_rows(const Plan& plan, const Chunk& chunk,
                                              FunctionRef<void(Block&, std::vector<std::uint32_t>&)> choose) {
    Block block(plan);
    std::vector<std::uint32_t> rows, chosen;
    rows.reserve(chunk.rows());
    for (std::size_t i = 0; i < chunk.block_count(); ++i) {
        block.move_to(chunk, i);
        chosen.clear();
        choose(block, chosen);
        const std::size_t before = rows.size();
        const auto first = static_cast<std::uint32_t>(chunk.block_first(i));
        rows.resize(before + chosen.size());
        for (std::size_t k = 0; k < chosen.size(); ++k) rows[before + k] = first + chosen[k];
    }
    return rows;
}

/// Chunks of the rows that `choose(block, rows)` names in ascending order, block by block, with the columns of the given slots.
/// A chunk that stays as it is is shared.
inline std::vector<std::shared_ptr<const Chunk>> gather_rows(
    const DatasetState& state, const std::vector<int>& slots,
    FunctionRef<void(Block&, std::vector<std::uint32_t>&)> choose) {
    std::vector<std::shared_ptr<const Chunk>> result(state.chunks.size());
    const std::vector<std::size_t> columns = stored_columns(state.plan, slots);
    state.session->communicator().agree(attempt([&] {
        state.session->for_each(state.chunks.size(), [&](std::size_t index, std::size_t) {
            const std::shared_ptr<const Chunk>& chunk = state.chunks[index];
            if (columns.empty() || chunk->rows() > 0xFFFFFFFF) {
                result[index] = compute_chunk(state.plan, *chunk, slots, choose);
            } else if (const auto rows = choose_rows(state.plan, *chunk, choose); !rows.empty()) {
                result[index] = gather_chunk(chunk, columns, rows);
            }
        });
    }));
    std::erase(result, nullptr);
    return result;
}

inline constexpr auto choose_all = [](Block& block, std::vector<std::uint32_t>& chosen) {
    chosen.resize(block.rows());
    for (std::size_t row = 0; row < chosen.size(); ++row) chosen[row] = static_cast<std::uint32_t>(row);
};

/// The slots that chunks store, in the order of their columns.
inline std::vector<int> stored_slots(const Plan& plan) {
    std::vector<int> slots;
    for (std::size_t i = 0; i < plan.slots.size(); ++i) {
        if (plan.slots[i].source < 0) continue;
        const auto source = static_cast<std::size_t>(plan.slots[i].source);
        if (slots.size() <= source) slots.resize(source + 1, -1);
        slots[source] = static_cast<int>(i);
    }
    return slots;
}

inline std::int64_t local_rows(const DatasetState& state) { return rows_of(state.chunks); }

/// Refuses chunks that disagree about the width of a vector column: it is one for all rows of all workers. A collective.
inline void check_widths(const DatasetState& state) {
    // Of each column the largest width and the smallest, negated.
    std::vector<std::int64_t> extremes(2 * state.plan.slots.size(), -INT64_MAX);
    for (std::size_t slot = 0; slot < state.plan.slots.size(); ++slot) {
        const int source = state.plan.slots[slot].source;
        if (source < 0) continue;  // computed of others
        for (const auto& chunk : state.chunks) {
            if (chunk->rows() == 0) continue;
            const auto width = static_cast<std::int64_t>(chunk->column(static_cast<std::size_t>(source)).width);
            extremes[2 * slot] = std::max(extremes[2 * slot], width);
            extremes[2 * slot + 1] = std::max(extremes[2 * slot + 1], -width);
        }
    }
    state.session->communicator().all_reduce(extremes, Reduction::maximum);
    for (std::size_t slot = 0; slot < state.plan.slots.size(); ++slot) {
        const std::int64_t widest = extremes[2 * slot], narrowest = -extremes[2 * slot + 1];
        if (widest >= 0 && widest != narrowest)  // below 0: no rows
            refuse_widths(state.plan.slots[slot].name, narrowest, widest);
    }
}

/// One more than the highest block id of any worker.
inline std::int64_t block_limit(const DatasetState& state) {
    std::int64_t limit = 0;
    if (!state.chunks.empty()) {
        const Chunk& last = *state.chunks.back();
        limit = last.block_id(last.block_count() - 1) + 1;
    }
    state.session->communicator().all_reduce(std::span(&limit, 1), Reduction::maximum);
    return limit;
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
