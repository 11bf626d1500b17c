// SPDX-License-Identifier: Apache-2.0
#pragma once

// One block of a lazily transformed table: a column is computed when somebody asks for it, at most once, and columns that
// nobody asks for are never computed. That is how transforms fuse and how dead columns cost nothing.

#include <partita/core/number_text.hpp>
#include <partita/data/chunk.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/output_view.hpp>
#include <partita/math/weights.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

class Block;

/// A lazy computation of columns from columns. Slots number all columns that a plan ever knew.
class Step {
  public:
    Step(std::vector<int> inputs, std::vector<int> outputs)
        : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}
    virtual ~Step() = default;
    /// Computes the outputs of this step for one block.
    virtual void run(Block& block) const = 0;
    /// The stage as a person would write it, for explain().
    virtual std::string description() const = 0;

    const std::vector<int>& inputs() const { return inputs_; }
    const std::vector<int>& outputs() const { return outputs_; }

  private:
    std::vector<int> inputs_, outputs_;
};

/// What is known of every column of a lazily transformed table, and how to compute those that are not stored.
struct Plan {
    struct Slot {
        std::string_view name;
        ColumnType type;
        int source = -1;  ///< index among the chunk's columns, or -1
        int step = -1;    ///< index of the step that computes it, or -1
    };
    std::vector<Slot> slots;
    std::vector<std::shared_ptr<const Step>> steps;
    int weight_slot = -1;
};

/// One block being computed. Each thread has one of its own and moves it from block to block; buffers are kept.
class Block {
  public:
    explicit Block(const Plan& plan) : plan_(&plan), columns_(plan.slots.size()), scratch_(plan.slots.size()) {}
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    /// Looks at another block; everything computed so far is forgotten.
    void move_to(const Chunk& chunk, std::size_t index) {
        chunk_ = &chunk;
        first_ = chunk.block_first(index);
        rows_ = chunk.block_size(index);
        id_ = chunk.block_id(index);
        for (Computed& column : columns_) column.ready = false;
        weights_slot_ = -1;
    }

    std::int64_t id() const { return id_; }
    std::size_t rows() const { return rows_; }
    std::int64_t row_id(std::size_t row) const { return chunk_->row_id(first_ + row); }

    /// The values of a column in this block, computed now if they are not stored.
    const ColumnSlice& column(int slot) {
        Computed& computed = columns_[static_cast<std::size_t>(slot)];
        if (!computed.ready) compute(slot);
        return computed.slice;
    }
    template <class T>
    ColumnView<T> view(int slot) {
        return view_of<T>(column(slot));
    }

    /// The rows' weights, checked: finite and not negative.
    Weights weights() {
        if (plan_->weight_slot < 0) return {};
        return weights_in(plan_->weight_slot);
    }
    /// The same of another column than the one in force.
    Weights weights_in(int slot) {
        if (weights_slot_ != slot) compute_weights(slot);
        return Weights(weights_.data());
    }

    /// For steps: room for an output column of T in this block; `width` matters for vectors only.
    template <class T>
    OutputView<T> output(int slot, std::size_t width = 0) {
        Scratch& scratch = scratch_[static_cast<std::size_t>(slot)];
        ColumnSlice& slice = columns_[static_cast<std::size_t>(slot)].slice;
        slice = ColumnSlice{};
        slice.type = column_type<T>;
        slice.rows = rows_;
        slice.width = width;
        columns_[static_cast<std::size_t>(slot)].ready = true;
        return Output<T>::open(*this, scratch, slice);
    }
    /// For steps: an output that is another column under a new name.
    void share(int slot, const ColumnSlice& slice) {
        columns_[static_cast<std::size_t>(slot)].slice = slice;
        columns_[static_cast<std::size_t>(slot)].ready = true;
    }

  private:
    struct Computed {
        ColumnSlice slice;
        bool ready = false;
    };
    struct Scratch {
        Buffer values;
        std::vector<std::uint8_t> validity;
        std::vector<std::int64_t> offsets;
        std::vector<std::int32_t> indices;
        std::vector<float> floats;
        std::vector<double> doubles;
        std::vector<std::string_view> texts;

        template <class T>
        T* room(std::size_t count) {
            if (values.size_bytes() < count * sizeof(T)) values = Buffer::allocate(count * sizeof(T));
            return values.template mutable_as<T>();
        }
        auto& entries(float) { return floats; }
        auto& entries(double) { return doubles; }
    };

    template <class T>
    struct Output {
        static std::span<T> open(Block& block, Scratch& scratch, ColumnSlice& slice) {
            T* values = scratch.room<T>(block.rows_);
            slice.values = values;
            return {values, block.rows_};
        }
    };
    template <class T>
    struct Output<std::optional<T>> {
        static NullableOutput<T> open(Block& block, Scratch& scratch, ColumnSlice& slice) {
            T* values = scratch.room<T>(block.rows_);
            scratch.validity.assign((block.rows_ + 7) / 8, 0);
            slice.values = values;
            slice.validity = scratch.validity.data();
            return {values, scratch.validity.data(), block.rows_};
        }
    };
    template <class T, std::int64_t Extent>
    struct Output<Vector<T, Extent>> {
        static MatrixView<T> open(Block& block, Scratch& scratch, ColumnSlice& slice) {
            T* values = scratch.room<T>(block.rows_ * slice.width);
            slice.values = values;
            return {values, block.rows_, slice.width};
        }
    };
    template <class T>
    struct Output<SparseVector<T>> {
        // The views of a sparse column are taken once the kernel has returned: its vectors grow while it runs.
        static SparseOutput<T> open(Block& block, Scratch& scratch, ColumnSlice& slice) {
            scratch.offsets.resize(block.rows_ + 1);
            SparseOutput<T> output(scratch.offsets.data(), slice.width, grow, &scratch);
            output.place(scratch.indices.data(), scratch.entries(T{}).data(), scratch.indices.size());
            return output;
        }
        static void grow(SparseOutput<T>& output, void* owner) {
            Scratch& scratch = *static_cast<Scratch*>(owner);
            scratch.indices.resize(std::max<std::size_t>(2 * output.size(), 4 * static_cast<std::size_t>(block_rows)));
            scratch.entries(T{}).resize(scratch.indices.size());
            output.place(scratch.indices.data(), scratch.entries(T{}).data(), scratch.indices.size());
        }
    };
    template <class Dummy>
    struct OneHotRoom {
        static OneHotOutput open(Block& block, Scratch& scratch, ColumnSlice& slice) {
            auto* codes = scratch.template room<std::int32_t>(block.rows_);
            slice.values = codes;
            return {codes, block.rows_, slice.width};
        }
    };
    template <class Dummy>
    struct CategoryRoom {
        static CategoryOutput open(Block& block, Scratch& scratch, ColumnSlice& slice) {
            scratch.texts.assign(block.rows_, {});
            auto* codes = scratch.template room<std::int32_t>(block.rows_);
            for (std::size_t i = 0; i < block.rows_; ++i) codes[i] = static_cast<std::int32_t>(i);
            slice.values = codes;  // every row has its own entry: codes mean nothing outside a column
            slice.dictionary = scratch.texts.data();
            slice.dictionary_size = block.rows_;
            return {scratch.texts.data(), block.rows_};
        }
    };

    void compute(int slot) {
        const Plan::Slot& wanted = plan_->slots[static_cast<std::size_t>(slot)];
        Computed& computed = columns_[static_cast<std::size_t>(slot)];
        if (wanted.source >= 0) {
            computed.slice = chunk_->column(static_cast<std::size_t>(wanted.source)).slice(first_, rows_);
            computed.ready = true;
            return;
        }
        const Step& step = *plan_->steps[static_cast<std::size_t>(wanted.step)];
        try {
            step.run(*this);
        } catch (Error& error) {  // kernels count rows from the block's first
            if (error.place().block < 0) {
                const std::int64_t row = error.place().row;
                error.locate(row < 0 ? row : row_id(static_cast<std::size_t>(row)), id_);
            }
            throw;
        }
        for (int output : step.outputs()) close_sparse(output);
    }

    void close_sparse(int slot) {
        ColumnSlice& slice = columns_[static_cast<std::size_t>(slot)].slice;
        Scratch& scratch = scratch_[static_cast<std::size_t>(slot)];
        if (slice.type.kind != Kind::sparse_float32 && slice.type.kind != Kind::sparse_float64) return;
        if (slice.offsets != nullptr) return;  // shared from another column
        slice.offsets = scratch.offsets.data();
        slice.indices = scratch.indices.data();
        slice.values = slice.type.kind == Kind::sparse_float32 ? static_cast<const void*>(scratch.floats.data())
                                                               : static_cast<const void*>(scratch.doubles.data());
    }

    void compute_weights(int slot) {
        const ColumnSlice& slice = column(slot);
        weights_.resize(rows_);
        for (std::size_t i = 0; i < rows_; ++i) {
            switch (slice.type.kind) {
                case Kind::float32: weights_[i] = static_cast<double>(slice.as<float>()[i]); break;
                case Kind::float64: weights_[i] = slice.as<double>()[i]; break;
                case Kind::int32: weights_[i] = static_cast<double>(slice.as<std::int32_t>()[i]); break;
                case Kind::uint32: weights_[i] = static_cast<double>(slice.as<std::uint32_t>()[i]); break;
                default: weights_[i] = static_cast<double>(slice.as<std::int64_t>()[i]); break;
            }
            if (!(weights_[i] >= 0) || std::isinf(weights_[i])) refuse_weight(slot, i);
        }
        weights_slot_ = slot;
    }

    [[noreturn]] void refuse_weight(int slot, std::size_t row) const {
        Place place;
        place.row = row_id(row);
        place.block = id_;
        place.column = std::string(plan_->slots[static_cast<std::size_t>(slot)].name);
        const std::string where = "the weight in column \"" + place.column + "\", row " + std::to_string(place.row);
        if (weights_[row] < 0)
            throw NegativeWeight(where + ", is negative (" + detail::number_text(weights_[row]) +
                                     "); a weight says how often a row counts: use 0 to leave a row out",
                                 place);
        throw NonFiniteValue(where + ", is not finite; filter such rows or give them the weight 0", place);
    }

    const Plan* plan_;
    const Chunk* chunk_ = nullptr;
    std::size_t first_ = 0, rows_ = 0;
    std::int64_t id_ = -1;
    std::vector<Computed> columns_;
    std::vector<Scratch> scratch_;
    std::vector<double> weights_;
    int weights_slot_ = -1;  ///< whose values weights_ holds
};

template <>
struct Block::Output<OneHot> : Block::OneHotRoom<void> {};
template <>
struct Block::Output<Category> : Block::CategoryRoom<void> {};

}  // namespace partita::inline PARTITA_ABI
