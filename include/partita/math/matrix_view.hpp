// SPDX-License-Identifier: Apache-2.0
#pragma once

// Borrowed views of numbers: dense rows, sparse rows, and rows with a single one in them.

#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace partita::inline PARTITA_ABI {

/// n rows of p numbers each, row after row; rows start `stride` elements apart.
template <class T>
class MatrixView {
  public:
    constexpr MatrixView() = default;
    constexpr MatrixView(T* data, std::size_t rows, std::size_t columns) : MatrixView(data, rows, columns, columns) {}
    constexpr MatrixView(T* data, std::size_t rows, std::size_t columns, std::size_t stride)
        : data_(data), rows_(rows), columns_(columns), stride_(stride) {}
    constexpr operator MatrixView<const T>() const { return {data_, rows_, columns_, stride_}; }

    constexpr T* data() const { return data_; }
    constexpr std::size_t rows() const { return rows_; }
    constexpr std::size_t columns() const { return columns_; }
    constexpr std::size_t stride() const { return stride_; }
    constexpr std::size_t size() const { return rows_; }
    constexpr std::span<T> operator[](std::size_t row) const { return {data_ + row * stride_, columns_}; }

  private:
    T* data_ = nullptr;
    std::size_t rows_ = 0, columns_ = 0, stride_ = 0;
};

/// n sparse rows of p columns: row i has the entries offsets[i] … offsets[i + 1] - 1 of `indices` (ascending within the row)
/// and `values`.
template <class T>
struct SparseView {
    const std::int64_t* offsets = nullptr;
    const std::int32_t* indices = nullptr;
    const T* values = nullptr;
    std::size_t rows = 0, columns = 0;

    constexpr std::size_t size() const { return rows; }
};

/// n rows of p columns with at most a single one in each: row i has it in column codes[i], or nowhere if that is negative.
struct OneHotView {
    const std::int32_t* codes = nullptr;
    std::size_t rows = 0, columns = 0;

    constexpr std::size_t size() const { return rows; }
};

}  // namespace partita::inline PARTITA_ABI
