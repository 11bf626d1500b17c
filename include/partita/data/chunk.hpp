// SPDX-License-Identifier: Apache-2.0
#pragma once

// A run of rows of a table in memory.

#include <partita/data/column_data.hpp>
#include <partita/data/row_ids.hpp>

#include <memory>

namespace partita::inline PARTITA_ABI {

/// A run of rows of some whole blocks, stored together: the unit of storage and of scheduling.
class Chunk : public RowIds {
  public:
    /// Rows first_row, first_row + 1, … with the columns of the table in order, all of the same length.
    Chunk(std::int64_t first_row, std::size_t rows, std::vector<ColumnData> columns)
        : RowIds(first_row, rows), columns_(std::move(columns)) {}
    /// Rows of the given ascending ids, as filters and splits leave them.
    Chunk(std::vector<std::int64_t> ids, std::vector<ColumnData> columns)
        : RowIds(std::move(ids)), columns_(std::move(columns)) {}

    std::size_t column_count() const { return columns_.size(); }
    const ColumnData& column(std::size_t index) const { return columns_[index]; }
    const std::vector<ColumnData>& columns() const { return columns_; }

  private:
    std::vector<ColumnData> columns_;
};

}  // namespace partita::inline PARTITA_ABI
