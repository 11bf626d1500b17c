// SPDX-License-Identifier: Apache-2.0
#pragma once

// What kernels see of a column: spans of numbers, matrices, and views of text and of what may be missing. The same views
// are made of a block of a frame and of a single row.

#include <partita/data/column_data.hpp>
#include <partita/math/matrix_view.hpp>

#include <span>

namespace partita::inline PARTITA_ABI {

/// n texts.
class TextView {
  public:
    TextView() = default;
    TextView(const char* bytes, const std::int64_t* offsets, std::size_t rows)
        : bytes_(bytes), offsets_(offsets), rows_(rows) {}
    std::size_t size() const { return rows_; }
    std::string_view operator[](std::size_t row) const {
        return {bytes_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
    }

  private:
    const char* bytes_ = nullptr;
    const std::int64_t* offsets_ = nullptr;
    std::size_t rows_ = 0;
};

/// n categories: codes into a dictionary that only this view knows. Compare, group and hash the texts, never the codes.
class CategoryView {
  public:
    CategoryView() = default;
    CategoryView(const std::int32_t* codes, std::size_t rows, const std::string_view* dictionary,
                 std::size_t dictionary_size)
        : codes_(codes), rows_(rows), dictionary_(dictionary), dictionary_size_(dictionary_size) {}
    /// One row, whose id a model may have given out.
    CategoryView(const std::int32_t* code, const std::string_view* text, std::int32_t interned)
        : codes_(code), rows_(1), dictionary_(text), dictionary_size_(1), interned_(interned) {}

    std::size_t size() const { return rows_; }
    std::string_view operator[](std::size_t row) const { return dictionary_[codes_[row]]; }
    std::span<const std::int32_t> codes() const { return {codes_, rows_}; }
    std::span<const std::string_view> dictionary() const { return {dictionary_, dictionary_size_}; }
    /// The id that a fitted model gave for the text of a single row, or -1.
    std::int32_t interned() const { return interned_; }

  private:
    const std::int32_t* codes_ = nullptr;
    std::size_t rows_ = 0;
    const std::string_view* dictionary_ = nullptr;
    std::size_t dictionary_size_ = 0;
    std::int32_t interned_ = -1;
};

/// Values of which some may be missing: `values()[i]` means something only where `valid(i)`.
template <class View>
class NullableView {
  public:
    NullableView() = default;
    NullableView(View values, const std::uint8_t* validity, std::size_t offset)
        : values_(values), validity_(validity), offset_(offset) {}
    std::size_t size() const { return values_.size(); }
    View values() const { return values_; }
    bool valid(std::size_t row) const {
        const std::size_t bit = offset_ + row;
        return validity_ == nullptr || (validity_[bit >> 3] >> (bit & 7) & 1) != 0;
    }
    bool all_valid() const { return validity_ == nullptr; }

  private:
    View values_;
    const std::uint8_t* validity_ = nullptr;
    std::size_t offset_ = 0;
};

namespace detail {

template <class T>
struct ViewOf {
    using type = std::span<const T>;
    static type make(const ColumnSlice& slice) { return {slice.as<T>(), slice.rows}; }
};
template <>
struct ViewOf<Text> {
    using type = TextView;
    static type make(const ColumnSlice& slice) { return {slice.as<char>(), slice.offsets, slice.rows}; }
};
template <>
struct ViewOf<Category> {
    using type = CategoryView;
    static type make(const ColumnSlice& slice) {
        return {slice.as<std::int32_t>(), slice.rows, slice.dictionary, slice.dictionary_size};
    }
};
template <class T, std::int64_t Extent>
struct ViewOf<Vector<T, Extent>> {
    using type = MatrixView<const T>;
    static type make(const ColumnSlice& slice) { return {slice.as<T>(), slice.rows, slice.width}; }
};
template <class T>
struct ViewOf<SparseVector<T>> {
    using type = SparseView<T>;
    static type make(const ColumnSlice& slice) {
        return {slice.offsets, slice.indices, slice.as<T>(), slice.rows, slice.width};
    }
};
template <>
struct ViewOf<OneHot> {
    using type = OneHotView;
    static type make(const ColumnSlice& slice) { return {slice.as<std::int32_t>(), slice.rows, slice.width}; }
};
template <class T>
struct ViewOf<std::optional<T>> {
    using type = NullableView<typename ViewOf<T>::type>;
    static type make(const ColumnSlice& slice) {
        return {ViewOf<T>::make(slice), slice.validity, slice.validity_offset};
    }
};

}  // namespace detail

/// What a kernel sees of a column of T: `std::span<const T>` for numbers, otherwise one of the views of this header.
template <class T>
using ColumnView = typename detail::ViewOf<T>::type;

/// The typed view of an untyped slice. The caller has made sure that the slice holds T.
template <class T>
ColumnView<T> view_of(const ColumnSlice& slice) {
    return detail::ViewOf<T>::make(slice);
}

}  // namespace partita::inline PARTITA_ABI
