// SPDX-License-Identifier: Apache-2.0
#pragma once

// A column in memory, in Arrow's layout, without its C++ type: what frames own and slices borrow.

#include <partita/core/error.hpp>
#include <partita/data/column_type.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Bytes that several columns may share: owned with 64-byte alignment, or borrowed from an owner that is kept alive.
class Buffer {
  public:
    static constexpr std::size_t alignment_bytes = 64;

    Buffer() = default;
    /// `size_bytes` uninitialised bytes. The allocation is padded to whole cache lines.
    static Buffer allocate(std::size_t size_bytes) {
        const std::size_t padded = (size_bytes + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
        auto* bytes = static_cast<std::byte*>(
            ::operator new(padded == 0 ? alignment_bytes : padded, std::align_val_t{alignment_bytes}));
        Buffer buffer;
        buffer.owner_ = std::shared_ptr<void>(
            bytes, [](void* memory) { ::operator delete(memory, std::align_val_t{alignment_bytes}); });
        buffer.data_ = bytes;
        buffer.size_bytes_ = size_bytes;
        return buffer;
    }
    /// Bytes of somebody else. `owner` may be empty, and then the caller sees to it that they outlive the buffer.
    static Buffer borrow(const void* data, std::size_t size_bytes, std::shared_ptr<void> owner = {}) {
        Buffer buffer;
        buffer.owner_ = std::move(owner);
        buffer.data_ = static_cast<std::byte*>(const_cast<void*>(data));
        buffer.size_bytes_ = size_bytes;
        return buffer;
    }
    template <class T>
    static Buffer copy_of(const std::vector<T>& values) {
        Buffer buffer = allocate(values.size() * sizeof(T));
        if (!values.empty()) std::memcpy(buffer.data_, values.data(), values.size() * sizeof(T));
        return buffer;
    }

    template <class T>
    const T* as() const {
        return reinterpret_cast<const T*>(data_);
    }
    /// For whoever has just allocated it and fills it in.
    template <class T>
    T* mutable_as() {
        return reinterpret_cast<T*>(data_);
    }
    std::size_t size_bytes() const { return size_bytes_; }
    /// Whether the bytes live as long as the buffer, as far as the buffer knows.
    bool is_owned() const { return data_ == nullptr || owner_ != nullptr; }
    explicit operator bool() const { return data_ != nullptr; }

  private:
    std::shared_ptr<void> owner_;
    std::byte* data_ = nullptr;
    std::size_t size_bytes_ = 0;
};

/// The distinct texts of a category column. Codes mean nothing outside the column that holds it.
class Dictionary {
  public:
    Dictionary() = default;
    explicit Dictionary(const std::vector<std::string_view>& texts) {
        std::size_t total = 0;
        for (std::string_view text : texts) total += text.size();
        bytes_.reserve(total);
        for (std::string_view text : texts) bytes_.append(text);
        std::size_t start = 0;
        words_.reserve(texts.size());
        for (std::string_view text : texts) {
            words_.emplace_back(bytes_.data() + start, text.size());
            start += text.size();
        }
    }
    Dictionary(const Dictionary&) = delete;
    Dictionary& operator=(const Dictionary&) = delete;

    const std::string_view* data() const { return words_.data(); }
    std::size_t size() const { return words_.size(); }

  private:
    std::string bytes_;
    std::vector<std::string_view> words_;
};

/// A run of rows of one column, borrowed and untyped; typed views are made of it.
struct ColumnSlice {
    ColumnType type;
    std::size_t rows = 0;
    const void* values = nullptr;  ///< numbers; codes of categories and one-hot; bytes of text; values of sparse
    const std::uint8_t* validity = nullptr;  ///< one bit a row from `validity_offset` on; null where all are valid
    std::size_t validity_offset = 0;
    const std::int64_t* offsets = nullptr;         ///< text and sparse: rows + 1 positions
    const std::int32_t* indices = nullptr;         ///< sparse
    std::size_t width = 0;                         ///< of vectors, sparse vectors and one-hot
    const std::string_view* dictionary = nullptr;  ///< of categories
    std::size_t dictionary_size = 0;

    bool valid(std::size_t row) const {
        const std::size_t bit = validity_offset + row;
        return validity == nullptr || (validity[bit >> 3] >> (bit & 7) & 1) != 0;
    }
    template <class T>
    const T* as() const {
        return static_cast<const T*>(values);
    }
};

/// A whole column of a frame.
struct ColumnData {
    ColumnType type;
    std::size_t rows = 0;
    Buffer values;
    Buffer validity;  ///< empty where all rows are valid
    Buffer offsets;
    Buffer indices;
    std::size_t width = 0;
    std::shared_ptr<const Dictionary> dictionary;

    ColumnSlice slice(std::size_t first, std::size_t count) const {
        ColumnSlice result;
        result.type = type;
        result.rows = count;
        result.width = width;
        result.validity = validity.as<std::uint8_t>();
        result.validity_offset = first;
        if (dictionary) {
            result.dictionary = dictionary->data();
            result.dictionary_size = dictionary->size();
        }
        if (offsets) {  // positions in `values` stay absolute
            result.offsets = offsets.as<std::int64_t>() + first;
            result.indices = indices.as<std::int32_t>();
            result.values = values.as<std::byte>();
        } else {
            const bool is_vector = (kind_bit(type.kind) & dense_vector_kinds) != 0;
            const std::size_t bytes = width_bytes(type.kind) * (is_vector ? width : 1);
            result.values = values.as<std::byte>() + first * bytes;
        }
        return result;
    }
    ColumnSlice all() const { return slice(0, rows); }
};

}  // namespace partita::inline PARTITA_ABI
