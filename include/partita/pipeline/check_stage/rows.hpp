// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows that check_stage fits and transforms: drawn from a counter-based generator, with ties, negative numbers, missing
// values and gaps among the ids, and with targets that depend on the features.

#include <partita/core/random.hpp>
#include <partita/data/dataset_state.hpp>
#include <partita/data/regroup.hpp>
#include <partita/pipeline/check_stage/table.hpp>

#include <algorithm>
#include <cmath>

namespace partita::inline PARTITA_ABI::detail {

using ChunkPointer = std::shared_ptr<const Chunk>;

/// What rows to draw. Equal recipes give equal rows.
struct RowRecipe {
    std::uint64_t seed = 1;
    std::size_t rows = 9000;
    bool labels = false;    ///< targets are 0 and 1
    bool constant = false;  ///< every column that is no target holds one value
    std::size_t width = 4;  ///< of vectors whose type leaves it open
};

/// Draws the columns of a stage's table, and a column of weights behind them.
class RowMaker {
  public:
    RowMaker(std::span<const CheckedColumn> columns, RowRecipe recipe) : columns_(columns), recipe_(recipe) {
        // A dense block, one with gaps, and sparse ids behind: what a filter leaves of a larger table.
        for (std::int64_t id = 0; ids_.size() < recipe.rows; ++id) {
            const double keep = id < block_rows ? 1.0 : id < 2 * block_rows ? 0.9 : 0.125;
            if (draw(62, 0, id) < keep) ids_.push_back(id);
        }
        make_target();
    }

    ChunkPointer make() const {
        std::vector<ColumnData> columns;
        for (std::size_t c = 0; c < columns_.size(); ++c) columns.push_back(make_column(c));
        ColumnData weights = fixed<double>(column_type<double>, 1, [&](std::size_t i, std::size_t) {
            return static_cast<double>(uniform_index(recipe_.seed, stream(63), static_cast<std::uint64_t>(ids_[i]), 4));
        });
        columns.push_back(std::move(weights));
        return std::make_shared<const Chunk>(ids_, std::move(columns));
    }

  private:
    static std::uint32_t stream(std::size_t column, std::size_t element = 0) {
        return stream_id("check_stage") + static_cast<std::uint32_t>(64 * column + element);
    }
    double draw(std::size_t column, std::size_t element, std::int64_t id) const {
        const std::int64_t of = recipe_.constant && column < columns_.size() ? 7 : id;
        return uniform(recipe_.seed, stream(column, element), static_cast<std::uint64_t>(of));
    }
    /// A number of some shape: continuous with ties, small integers, far from zero, or skewed.
    double number(std::size_t column, std::size_t element, std::int64_t id) const {
        const double u = draw(column, element, id);
        switch ((column + element) % 4) {
            case 0: return id % 5 == 0 && !recipe_.constant ? std::floor(6 * u) - 3.0 : 6 * u - 3.0;
            case 1: return std::floor(9 * u) - 4.0;
            case 2: return 40.0 + 10 * u;
            default: return -8.0 * u * u;
        }
    }
    std::size_t width(const ColumnType& type) const {
        return type.extent == dynamic ? recipe_.width : static_cast<std::size_t>(type.extent);
    }

    /// Targets: a combination of all features, and noise.
    void make_target() {
        target_.resize(ids_.size());
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            double sum = 4 * draw(60, 0, ids_[i]);
            for (std::size_t c = 0; c < columns_.size(); ++c) {
                if (columns_[c].target) continue;
                const std::size_t elements = std::min<std::size_t>(4, width(columns_[c].info.type));
                for (std::size_t e = 0; e < elements; ++e) {
                    const double sign = (c + e) % 2 == 0 ? 0.5 : -0.25;
                    sum += sign * draw(c, e, ids_[i]) * 3;
                }
            }
            target_[i] = sum;
        }
        std::vector<double> sorted = target_;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        middle_ = *middle;
    }

    template <class T, class Value>
    ColumnData fixed(ColumnType type, std::size_t elements, Value value) const {
        ColumnData column;
        column.type = type;
        column.rows = ids_.size();
        column.width = (kind_bit(type.kind) & (dense_vector_kinds | sparse_vector_kinds)) != 0 ? elements : 0;
        column.values = Buffer::allocate(ids_.size() * elements * sizeof(T));
        T* to = column.values.mutable_as<T>();
        for (std::size_t i = 0; i < ids_.size(); ++i)
            for (std::size_t e = 0; e < elements; ++e) *to++ = static_cast<T>(value(i, e));
        return column;
    }
    template <class T>
    ColumnData sparse(ColumnType type, std::size_t c) const {
        std::vector<std::int64_t> offsets{0};
        std::vector<std::int32_t> indices;
        std::vector<T> values;
        for (std::int64_t id : ids_) {
            for (std::size_t e = 0; e < recipe_.width; ++e) {
                if (uniform(recipe_.seed, stream(61, e), static_cast<std::uint64_t>(id)) < 0.4) continue;
                indices.push_back(static_cast<std::int32_t>(e));
                values.push_back(static_cast<T>(number(c, e, id)));
            }
            offsets.push_back(static_cast<std::int64_t>(indices.size()));
        }
        ColumnData column;
        column.type = type;
        column.rows = ids_.size();
        column.width = recipe_.width;
        column.values = Buffer::copy_of(values);
        column.indices = Buffer::copy_of(indices);
        column.offsets = Buffer::copy_of(offsets);
        return column;
    }
    ColumnData texts(ColumnType type, std::size_t c) const {
        static constexpr std::string_view words[] = {"north", "south", "east", "west", "up", "down", ""};
        std::vector<std::int32_t> codes(ids_.size());
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            const double u = draw(c, 0, ids_[i]);
            codes[i] = columns_[c].target ? (target_[i] > middle_ ? 1 : 0) : static_cast<std::int32_t>(7 * u * u);
        }
        ColumnData column;
        column.type = type;
        column.rows = ids_.size();
        if (type.kind == Kind::category) {
            column.values = Buffer::copy_of(codes);
            column.dictionary =
                std::make_shared<const Dictionary>(std::vector<std::string_view>(std::begin(words), std::end(words)));
            return column;
        }
        std::vector<std::int64_t> offsets{0};
        std::vector<char> bytes;
        for (std::int32_t code : codes) {
            bytes.insert(bytes.end(), words[code].begin(), words[code].end());
            offsets.push_back(static_cast<std::int64_t>(bytes.size()));
        }
        column.values = Buffer::copy_of(bytes);
        column.offsets = Buffer::copy_of(offsets);
        return column;
    }

    ColumnData make_column(std::size_t c) const {
        const ColumnType type = columns_[c].info.type;
        const auto value = [&](std::size_t i, std::size_t e) -> double {
            if (!columns_[c].target) return number(c, e, ids_[i]);
            return recipe_.labels ? (target_[i] > middle_ ? 1.0 : 0.0) : target_[i];
        };
        const auto count = [&](std::size_t i, std::size_t e) { return std::fabs(value(i, e)); };
        ColumnData column;
        switch (type.kind) {
            case Kind::boolean:
                column = fixed<bool>(type, 1, [&](std::size_t i, std::size_t) {
                    return columns_[c].target ? target_[i] > middle_ : draw(c, 0, ids_[i]) < 0.4;
                });
                break;
            case Kind::int8: column = fixed<std::int8_t>(type, 1, value); break;
            case Kind::int16: column = fixed<std::int16_t>(type, 1, value); break;
            case Kind::int32: column = fixed<std::int32_t>(type, 1, value); break;
            case Kind::int64: column = fixed<std::int64_t>(type, 1, value); break;
            case Kind::uint8: column = fixed<std::uint8_t>(type, 1, count); break;
            case Kind::uint16: column = fixed<std::uint16_t>(type, 1, count); break;
            case Kind::uint32: column = fixed<std::uint32_t>(type, 1, count); break;
            case Kind::uint64: column = fixed<std::uint64_t>(type, 1, count); break;
            case Kind::float64: column = fixed<double>(type, 1, value); break;
            case Kind::timestamp:
                column = fixed<std::int64_t>(type, 1,
                                             [&](std::size_t i, std::size_t) { return 1.6e15 + 1e12 * value(i, 0); });
                break;
            case Kind::text:
            case Kind::category: column = texts(type, c); break;
            case Kind::vector_float32: column = fixed<float>(type, width(type), value); break;
            case Kind::vector_float64: column = fixed<double>(type, width(type), value); break;
            case Kind::sparse_float32: column = sparse<float>(type, c); break;
            case Kind::sparse_float64: column = sparse<double>(type, c); break;
            case Kind::one_hot:
                column = fixed<std::int32_t>(
                    type, 1, [&](std::size_t i, std::size_t) { return std::floor(draw(c, 0, ids_[i]) * 5) - 1; });
                column.width = recipe_.width;
                break;
            default: column = fixed<float>(type, 1, value); break;
        }
        if (type.nullable) {
            std::vector<std::uint8_t> validity((ids_.size() + 7) / 8, 0);
            for (std::size_t i = 0; i < ids_.size(); ++i)
                if (uniform(recipe_.seed, stream(c, 40), static_cast<std::uint64_t>(ids_[i])) > 0.15)
                    validity[i >> 3] = static_cast<std::uint8_t>(validity[i >> 3] | 1U << (i & 7));
            column.validity = Buffer::copy_of(validity);
        }
        return column;
    }

    std::span<const CheckedColumn> columns_;
    RowRecipe recipe_;
    std::vector<std::int64_t> ids_;
    std::vector<double> target_;
    double middle_ = 0;
};

// ---- what is made of them ------------------------------------------------------------------------------------------------

/// The chosen rows in the order given, under these ids (ascending); without ids, under 0, 1, …
inline ChunkPointer pick_rows(const Chunk& chunk, std::span<const std::uint32_t> chosen,
                              std::vector<std::int64_t> ids = {}) {
    std::vector<ColumnData> columns;
    for (std::size_t c = 0; c < chunk.column_count(); ++c) {
        const ColumnSlice all = chunk.column(c).all();
        ColumnBuilder builder(all.type);
        builder.append(all, chosen);
        columns.push_back(builder.finish());
        if (chosen.empty()) columns.back().width = all.width;
    }
    if (ids.empty()) return std::make_shared<const Chunk>(0, chosen.size(), std::move(columns));
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

inline ChunkPointer keep_rows(const Chunk& chunk, std::span<const std::uint32_t> chosen) {
    std::vector<std::int64_t> ids;
    for (std::uint32_t row : chosen) ids.push_back(chunk.row_id(row));
    return pick_rows(chunk, chosen, std::move(ids));
}

/// The same rows in chunks of so many blocks of the grid.
inline Chunks in_chunks(const Chunk& chunk, std::int64_t blocks) {
    Chunks chunks;
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
        rows.push_back(static_cast<std::uint32_t>(row));
        if (row + 1 < chunk.rows() &&
            chunk.row_id(row) / block_rows / blocks == chunk.row_id(row + 1) / block_rows / blocks)
            continue;
        chunks.push_back(keep_rows(chunk, rows));
        rows.clear();
    }
    return chunks;
}

/// Whether numbers of that kind can be infinite.
constexpr bool is_floating(ColumnType type) {
    return (kind_bit(type.kind) &
            (float_kinds | dense_vector_kinds | kinds_of(Kind::sparse_float32, Kind::sparse_float64))) != 0;
}

/// The same chunk with another number in one row of a floating-point column; false if that row has no place for it.
inline bool put_number(ChunkPointer& chunk, std::size_t column, std::size_t row, double number) {
    std::vector<ColumnData> columns;
    for (std::size_t c = 0; c < chunk->column_count(); ++c) columns.push_back(chunk->column(c));
    ColumnData& changed = columns[column];
    if (!changed.all().valid(row)) return false;
    std::size_t at = row;
    if ((kind_bit(changed.type.kind) & dense_vector_kinds) != 0) at = row * changed.width + changed.width / 2;
    if (changed.offsets) {
        at = static_cast<std::size_t>(changed.offsets.as<std::int64_t>()[row]);
        if (changed.offsets.as<std::int64_t>()[row + 1] == static_cast<std::int64_t>(at)) return false;
    }
    Buffer copy = Buffer::allocate(changed.values.size_bytes());
    std::memcpy(copy.mutable_as<std::byte>(), changed.values.as<std::byte>(), changed.values.size_bytes());
    if (width_bytes(changed.type.kind) == 4) {
        copy.mutable_as<float>()[at] = static_cast<float>(number);
    } else {
        copy.mutable_as<double>()[at] = number;
    }
    changed.values = copy;
    std::vector<std::int64_t> ids(chunk->rows());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = chunk->row_id(i);
    chunk = std::make_shared<const Chunk>(std::move(ids), std::move(columns));
    return true;
}

/// The same chunk with far larger floating-point numbers in the chosen rows.
inline ChunkPointer exaggerated(const Chunk& chunk, std::span<const std::uint32_t> rows) {
    std::vector<ColumnData> columns;
    std::vector<std::int64_t> ids(chunk.rows());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = chunk.row_id(i);
    for (std::size_t c = 0; c < chunk.column_count(); ++c) {
        ColumnData column = chunk.column(c);
        if (is_floating(column.type) && c + 1 < chunk.column_count()) {  // the last holds the weights
            Buffer copy = Buffer::allocate(column.values.size_bytes());
            std::memcpy(copy.mutable_as<std::byte>(), column.values.as<std::byte>(), column.values.size_bytes());
            const bool dense = (kind_bit(column.type.kind) & dense_vector_kinds) != 0;
            for (std::size_t row : rows) {
                std::size_t first = dense ? row * column.width : row, last = first + (dense ? column.width : 1);
                if (column.offsets) {
                    first = static_cast<std::size_t>(column.offsets.as<std::int64_t>()[row]);
                    last = static_cast<std::size_t>(column.offsets.as<std::int64_t>()[row + 1]);
                }
                for (std::size_t at = first; at < last; ++at) {
                    if (width_bytes(column.type.kind) == 4) {
                        copy.mutable_as<float>()[at] = 3 * copy.mutable_as<float>()[at] + 50;
                    } else {
                        copy.mutable_as<double>()[at] = 3 * copy.mutable_as<double>()[at] + 50;
                    }
                }
            }
            column.values = copy;
        }
        columns.push_back(std::move(column));
    }
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

/// The same chunk with these weights.
inline ChunkPointer with_weights(const Chunk& chunk, const std::vector<double>& weights) {
    std::vector<ColumnData> columns;
    std::vector<std::int64_t> ids(chunk.rows());
    for (std::size_t c = 0; c < chunk.column_count(); ++c) columns.push_back(chunk.column(c));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = chunk.row_id(i);
    columns.back().values = Buffer::copy_of(weights);
    return std::make_shared<const Chunk>(std::move(ids), std::move(columns));
}

/// All bytes of a chunk's columns, to see whether somebody wrote into them.
inline std::string bytes_of(const Chunk& chunk) {
    std::string bytes;
    for (std::size_t c = 0; c < chunk.column_count(); ++c) {
        const ColumnData& column = chunk.column(c);
        for (const Buffer* buffer : {&column.values, &column.validity, &column.offsets, &column.indices})
            if (*buffer) bytes.append(buffer->as<char>(), buffer->size_bytes());
    }
    return bytes;
}

}  // namespace partita::inline PARTITA_ABI::detail
