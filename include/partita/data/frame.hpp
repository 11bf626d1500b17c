// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/block.hpp>
#include <partita/data/reads.hpp>

namespace partita::inline PARTITA_ABI {

/// A run of rows in memory, with typed columns. Copies share the columns.
/// Row is a described struct, a Schema, or what a pipeline makes of one.
template <class Row>
class Frame {
  public:
    explicit Frame(std::shared_ptr<const Chunk> chunk) : chunk_(std::move(chunk)) {}

    std::size_t rows() const { return chunk_->rows(); }
    std::int64_t row_id(std::size_t row) const { return chunk_->row_id(row); }

    /// The column of that name: `std::span<const T>` for numbers, otherwise a view of column_view.hpp. It lives as long as the
    /// frame, or a copy of it.
    template <Name ColumnName>
    auto column() const& {
        constexpr int index = find_column(columns_of<Row>, ColumnName.view());
        detail::demand_column<Row, ColumnName>();
        if constexpr (index >= 0) {
            using T = ValueType<columns_of<Row>[static_cast<std::size_t>(index)].type>;
            return view_of<T>(chunk_->column(static_cast<std::size_t>(index)).all());
        }
    }
    /// A view into a frame that is about to end: give the frame a name first.
    template <Name ColumnName>
    void column() const&& = delete;

    const std::shared_ptr<const Chunk>& chunk() const { return chunk_; }

  private:
    std::shared_ptr<const Chunk> chunk_;
};

}  // namespace partita::inline PARTITA_ABI
