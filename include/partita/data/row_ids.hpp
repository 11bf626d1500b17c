// SPDX-License-Identifier: Apache-2.0
#pragma once

// The block grid: rows have stable ids, a row's block is id / 4096 for ever, and a chunk is a run of whole blocks.

#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Rows of one block of the grid. Results leave a block only as integers, so this constant is part of every model's bytes.
inline constexpr std::int64_t block_rows = 4096;

/// The ids of the rows of a chunk, and where its blocks lie.
class RowIds {
  public:
    /// Rows first_row, first_row + 1, …
    RowIds(std::int64_t first_row, std::size_t rows) : first_row_(first_row), rows_(rows) { find_blocks(); }
    /// Rows of the given ascending ids, as filters and splits leave them.
    explicit RowIds(std::vector<std::int64_t> ids)
        : first_row_(ids.empty() ? 0 : ids.front()), rows_(ids.size()), ids_(std::move(ids)) {
        if (rows_ > 0 && ids_.back() - ids_.front() == static_cast<std::int64_t>(rows_) - 1) ids_ = {};
        find_blocks();
    }

    std::size_t rows() const { return rows_; }
    std::int64_t row_id(std::size_t row) const {
        return ids_.empty() ? first_row_ + static_cast<std::int64_t>(row) : ids_[row];
    }

    /// The blocks of which the chunk holds rows.
    std::size_t block_count() const { return block_starts_.size() - 1; }
    std::size_t block_first(std::size_t index) const { return block_starts_[index]; }
    std::size_t block_size(std::size_t index) const { return block_starts_[index + 1] - block_starts_[index]; }
    std::int64_t block_id(std::size_t index) const { return row_id(block_starts_[index]) / block_rows; }

  private:
    void find_blocks() {
        std::size_t start = 0;
        while (start < rows_) {
            block_starts_.push_back(start);
            const std::int64_t border = (row_id(start) / block_rows + 1) * block_rows;
            if (ids_.empty()) {
                start += static_cast<std::size_t>(border - row_id(start));
            } else {
                while (start < rows_ && ids_[start] < border) ++start;
            }
        }
        block_starts_.push_back(rows_);
    }

    std::int64_t first_row_ = 0;
    std::size_t rows_ = 0;
    std::vector<std::int64_t> ids_;  ///< empty where they are consecutive
    std::vector<std::size_t> block_starts_;
};

}  // namespace partita::inline PARTITA_ABI
