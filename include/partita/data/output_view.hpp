// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where kernels put a column's values: the writing twins of the views in column_view.hpp.

#include <partita/data/column_view.hpp>

#include <vector>

namespace partita::inline PARTITA_ABI {

/// n values of which some may stay missing. All are missing until they are set.
template <class T>
class NullableOutput {
  public:
    NullableOutput(T* values, std::uint8_t* validity, std::size_t rows)
        : values_(values), validity_(validity), rows_(rows) {}
    std::size_t size() const { return rows_; }
    void set(std::size_t row, const std::optional<T>& value) {
        if (!value) return;
        values_[row] = *value;
        validity_[row >> 3] = static_cast<std::uint8_t>(validity_[row >> 3] | 1U << (row & 7));
    }

  private:
    T* values_;
    std::uint8_t* validity_;
    std::size_t rows_;
};

/// n codes of one-hot vectors of one width; a negative code is the vector of zeros.
struct OneHotOutput {
    std::int32_t* codes = nullptr;
    std::size_t rows = 0, columns = 0;
    std::size_t size() const { return rows; }
};

/// Sparse rows, written from the first to the last: entries are appended with ascending indices, then the row is ended.
template <class T>
class SparseOutput {
  public:
    /// Makes room for more entries: `grow` sees to it that `indices` and `values` hold `capacity` entries, old ones kept.
    using Grow = void (*)(SparseOutput& output, void* owner);

    SparseOutput(std::int64_t* offsets, std::size_t columns, Grow grow, void* owner)
        : offsets_(offsets), columns_(columns), grow_(grow), owner_(owner) {
        offsets_[0] = 0;
    }

    std::size_t columns() const { return columns_; }
    std::size_t size() const { return size_; }  ///< entries so far
    void append(std::size_t index, T value) {
        if (size_ == capacity_) grow_(*this, owner_);
        indices_[size_] = static_cast<std::int32_t>(index);
        values_[size_] = value;
        ++size_;
    }
    void end_row() { *++offsets_ = static_cast<std::int64_t>(size_); }

    /// For the owner: where entries go now.
    void place(std::int32_t* indices, T* values, std::size_t capacity) {
        indices_ = indices;
        values_ = values;
        capacity_ = capacity;
    }

  private:
    std::int64_t* offsets_;
    std::int32_t* indices_ = nullptr;
    T* values_ = nullptr;
    std::size_t size_ = 0, capacity_ = 0, columns_;
    Grow grow_;
    void* owner_;
};

/// n categories. What is set is borrowed: it must live as long as the model or the block's input columns do.
class CategoryOutput {
  public:
    CategoryOutput(std::string_view* texts, std::size_t rows) : texts_(texts), rows_(rows) {}
    std::size_t size() const { return rows_; }
    void set(std::size_t row, std::string_view text) { texts_[row] = text; }

  private:
    std::string_view* texts_;
    std::size_t rows_;
};

namespace detail {

template <class T>
struct OutputOf {
    using type = std::span<T>;
};
template <class T>
struct OutputOf<std::optional<T>> {
    using type = NullableOutput<T>;
};
template <class T, std::int64_t Extent>
struct OutputOf<Vector<T, Extent>> {
    using type = MatrixView<T>;
};
template <class T>
struct OutputOf<SparseVector<T>> {
    using type = SparseOutput<T>;
};
template <>
struct OutputOf<OneHot> {
    using type = OneHotOutput;
};
template <>
struct OutputOf<Category> {
    using type = CategoryOutput;
};

}  // namespace detail

/// Where a kernel writes a column of T: `std::span<T>` for numbers, `MatrixView<T>` for vectors, otherwise a class above.
template <class T>
using OutputView = typename detail::OutputOf<T>::type;

}  // namespace partita::inline PARTITA_ABI
