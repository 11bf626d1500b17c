// SPDX-License-Identifier: Apache-2.0
#pragma once

// A row of weight 0 is absent, also for transforms that would refuse its values: who folds weighted rows leaves it out first.

#include <partita/data/dataset_state.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Whether a weight is exactly 0. Weights that are none are left to who reads them checked.
inline bool weighs_nothing(const ColumnSlice& weights, std::size_t row) {
    switch (weights.type.kind) {
        case Kind::float32: return weights.as<float>()[row] == 0;
        case Kind::float64: return weights.as<double>()[row] == 0;
        case Kind::int32: return weights.as<std::int32_t>()[row] == 0;
        case Kind::uint32: return weights.as<std::uint32_t>()[row] == 0;
        default: return weights.as<std::int64_t>()[row] == 0;
    }
}

/// The rows of a chunk whose weight is not 0; the chunk itself where that is all of them, null where it is none.
inline std::shared_ptr<const Chunk> rows_that_count(const Plan& plan, const std::shared_ptr<const Chunk>& chunk) {
    Block block(plan);
    const auto weights_of_block = [&](std::size_t index) -> const ColumnSlice& {
        block.move_to(*chunk, index);
        return block.column(plan.weight_slot);
    };
    const auto any_absent = [&] {
        for (std::size_t i = 0; i < chunk->block_count(); ++i) {
            const ColumnSlice& weights = weights_of_block(i);
            for (std::size_t row = 0; row < block.rows(); ++row)
                if (weighs_nothing(weights, row)) return true;
        }
        return false;
    };
    try {
        if (!any_absent()) return chunk;
        std::vector<std::uint32_t> rows;
        for (std::size_t i = 0; i < chunk->block_count(); ++i) {
            const ColumnSlice& weights = weights_of_block(i);
            for (std::size_t row = 0; row < block.rows(); ++row)
                if (!weighs_nothing(weights, row))
                    rows.push_back(static_cast<std::uint32_t>(chunk->block_first(i) + row));
        }
        if (rows.empty()) return nullptr;
        std::vector<std::size_t> columns(chunk->column_count());
        for (std::size_t column = 0; column < columns.size(); ++column) columns[column] = column;
        return gather_chunk(chunk, columns, rows);
    } catch (const Error&) {
        return chunk;  // a weight that cannot be computed: the pass that wants it says so, with its stage
    }
}

/// The same data without the rows of weight 0: ids and blocks stay, as in a filter. A collective where there are weights.
/// Cost: reading the weights once; chunks that have no such row are shared.
inline DatasetState rows_that_count(DatasetState state) {
    if (state.plan.weight_slot < 0) return state;
    const PendingError pending = attempt([&] {
        state.session->for_each(state.chunks.size(), [&](std::size_t index, std::size_t) {
            state.chunks[index] = rows_that_count(state.plan, state.chunks[index]);
        });
    });
    state.session->communicator().agree(pending);
    std::erase(state.chunks, nullptr);
    return state;
}

}  // namespace partita::inline PARTITA_ABI::detail
