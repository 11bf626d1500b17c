// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of several chunks in any order, as columns of their own: what sorts and joins are made of.

#include <partita/data/chunk_list.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/data/regroup.hpp>

#include <cstring>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// A row of one of several chunks.
struct RowRef {
    std::uint32_t chunk = 0, row = 0;
    friend constexpr bool operator==(RowRef, RowRef) = default;
    friend constexpr auto operator<=>(RowRef, RowRef) = default;
};

/// No row at all: its values are missing.
inline constexpr RowRef no_row{0xFFFFFFFF, 0};

/// Rows of one column of several chunks. Categories get one dictionary for all.
class ColumnPicker {
  public:
    /// `type` may have missing values where the columns do not.
    ColumnPicker(const Chunks& chunks, std::size_t column, ColumnType type) : type_(type) {
        for (const auto& chunk : chunks) {
            const ColumnData& source = chunk->column(column);
            sources_.push_back(source.all());
            if (source.rows == 0) continue;
            if (width_known_ && source.width != width_)
                throw WrongWidth("a vector column has " + std::to_string(source.width) + " elements here and " +
                                 std::to_string(width_) + " in other rows; a column has one width");
            width_ = source.width;
            width_known_ = true;
        }
        if (type.kind == Kind::category) merge_dictionaries();
    }

    ColumnData pick(std::span<const RowRef> rows) const {
        ColumnData result;
        result.type = type_;
        result.rows = rows.size();
        result.width = width_;
        if (type_.nullable) result.validity = validity(rows);
        if (type_.kind == Kind::text || is_sparse()) {
            pick_runs(rows, result);
        } else if (type_.kind == Kind::category) {
            pick_codes(rows, result);
        } else {
            pick_values(rows, result);
        }
        return result;
    }

  private:
    bool is_sparse() const { return type_.kind == Kind::sparse_float32 || type_.kind == Kind::sparse_float64; }
    bool present(RowRef at) const { return at != no_row && sources_[at.chunk].valid(at.row); }

    void merge_dictionaries() {
        TextIndex words;
        for (const ColumnSlice& source : sources_) {
            auto& codes = recoded_.emplace_back(source.dictionary_size);
            for (std::size_t i = 0; i < codes.size(); ++i)
                codes[i] = static_cast<std::int32_t>(words.insert(source.dictionary[i]));
        }
        dictionary_ = dictionary_of(words);
    }

    Buffer validity(std::span<const RowRef> rows) const {
        std::vector<std::uint8_t> bits((rows.size() + 7) / 8);
        bool all = true;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const bool valid = present(rows[i]);
            all = all && valid;
            bits[i >> 3] = static_cast<std::uint8_t>(bits[i >> 3] | (valid ? 1U : 0U) << (i & 7));
        }
        return all ? Buffer() : Buffer::copy_of(bits);
    }

    template <std::size_t Bytes>
    void copy_values(std::span<const RowRef> rows, std::byte* target) const {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows[i] == no_row) {
                std::memset(target + i * Bytes, 0, Bytes);
            } else {
                std::memcpy(target + i * Bytes, sources_[rows[i].chunk].as<std::byte>() + rows[i].row * Bytes, Bytes);
            }
        }
    }
    void pick_values(std::span<const RowRef> rows, ColumnData& result) const {
        const bool vector = (kind_bit(type_.kind) & dense_vector_kinds) != 0;
        const std::size_t row_bytes = width_bytes(type_.kind) * (vector ? width_ : 1);
        result.values = Buffer::allocate(rows.size() * row_bytes);
        std::byte* target = result.values.mutable_as<std::byte>();
        switch (row_bytes) {
            case 1: return copy_values<1>(rows, target);
            case 2: return copy_values<2>(rows, target);
            case 4: return copy_values<4>(rows, target);
            case 8: return copy_values<8>(rows, target);
            default:
                for (std::size_t i = 0; i < rows.size(); ++i)
                    std::memcpy(target + i * row_bytes,
                                sources_[rows[i].chunk].as<std::byte>() + rows[i].row * row_bytes, row_bytes);
        }
    }

    /// The common dictionary, unless it is large for so few rows: then one of their own words.
    void pick_codes(std::span<const RowRef> rows, ColumnData& result) const {
        const bool own = dictionary_->size() > rows.size() / 4;
        TextIndex words;
        result.values = Buffer::allocate(rows.size() * sizeof(std::int32_t));
        auto* codes = result.values.mutable_as<std::int32_t>();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            codes[i] = 0;
            if (!present(rows[i])) continue;
            const auto local = static_cast<std::size_t>(sources_[rows[i].chunk].as<std::int32_t>()[rows[i].row]);
            codes[i] = own ? static_cast<std::int32_t>(words.insert(sources_[rows[i].chunk].dictionary[local]))
                           : recoded_[rows[i].chunk][local];
        }
        result.dictionary = own ? dictionary_of(words) : dictionary_;
    }

    void pick_runs(std::span<const RowRef> rows, ColumnData& result) const {
        const std::size_t element = is_sparse() ? width_bytes(type_.kind) : 1;
        const auto run_of = [&](RowRef at) -> std::pair<std::size_t, std::size_t> {
            if (at == no_row) return {0, 0};
            const std::int64_t* offsets = sources_[at.chunk].offsets + at.row;
            return {static_cast<std::size_t>(offsets[0]), static_cast<std::size_t>(offsets[1] - offsets[0])};
        };
        result.offsets = Buffer::allocate((rows.size() + 1) * sizeof(std::int64_t));
        auto* offsets = result.offsets.mutable_as<std::int64_t>();
        offsets[0] = 0;
        for (std::size_t i = 0; i < rows.size(); ++i)
            offsets[i + 1] = offsets[i] + static_cast<std::int64_t>(run_of(rows[i]).second);
        const auto total = static_cast<std::size_t>(offsets[rows.size()]);
        result.values = Buffer::allocate(total * element);
        if (is_sparse()) result.indices = Buffer::allocate(total * sizeof(std::int32_t));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto [first, count] = run_of(rows[i]);
            if (count == 0) continue;
            const ColumnSlice& source = sources_[rows[i].chunk];
            const auto at = static_cast<std::size_t>(offsets[i]);
            std::memcpy(result.values.mutable_as<std::byte>() + at * element, source.as<std::byte>() + first * element,
                        count * element);
            if (is_sparse())
                std::memcpy(result.indices.mutable_as<std::int32_t>() + at, source.indices + first,
                            count * sizeof(std::int32_t));
        }
    }

    ColumnType type_;
    std::vector<ColumnSlice> sources_;
    std::size_t width_ = 0;
    bool width_known_ = false;
    std::shared_ptr<const Dictionary> dictionary_;
    std::vector<std::vector<std::int32_t>> recoded_;
};

/// Rows of several chunks, of some of their columns.
class RowPicker {
  public:
    /// The columns of these indices, under these types. The chunks must outlive the picker.
    RowPicker(const Chunks& chunks, std::span<const std::size_t> columns, std::span<const ColumnType> types) {
        for (std::size_t i = 0; i < columns.size(); ++i) columns_.emplace_back(chunks, columns[i], types[i]);
    }

    void pick(std::span<const RowRef> rows, std::vector<ColumnData>& into) const {
        for (const ColumnPicker& column : columns_) into.push_back(column.pick(rows));
    }
    std::vector<ColumnData> pick(std::span<const RowRef> rows) const {
        std::vector<ColumnData> columns;
        pick(rows, columns);
        return columns;
    }
    std::shared_ptr<const Chunk> chunk(std::span<const RowRef> rows) const {
        return std::make_shared<const Chunk>(0, rows.size(), pick(rows));
    }

  private:
    std::vector<ColumnPicker> columns_;
};

/// Refuses chunks whose rows a RowRef cannot count.
inline void expect_countable(const Chunks& chunks) {
    for (const auto& chunk : chunks)
        if (chunk->rows() > 0xFFFFFFFF || chunks.size() >= no_row.chunk)
            throw InvalidSetting(
                "a chunk has more than 2^32 rows, or there are that many chunks; call repartition first",
                Place{.setting = "chunk_blocks"});
}

}  // namespace partita::inline PARTITA_ABI::detail
