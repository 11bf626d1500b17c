// SPDX-License-Identifier: Apache-2.0
#pragma once

// Gathers rows of slices into a column of its own: what filters, splits, collects and materialisations are made of.

#include <partita/data/column_data.hpp>
#include <partita/math/text_index.hpp>

#include <span>

namespace partita::inline PARTITA_ABI {

namespace detail {

inline std::shared_ptr<const Dictionary> dictionary_of(const TextIndex& texts) {
    std::vector<std::string_view> words(texts.size());
    for (std::size_t id = 0; id < words.size(); ++id) words[id] = texts.text(id);
    return std::make_shared<const Dictionary>(words);
}

}  // namespace detail

/// Builds one column out of runs and selections of rows from slices of the same type.
class ColumnBuilder {
  public:
    explicit ColumnBuilder(ColumnType type) : type_(type) {
        if (has_offsets()) offsets_.push_back(0);
    }

    std::size_t rows() const { return rows_; }

    /// Appends all rows of a slice.
    void append(const ColumnSlice& slice) {
        const std::size_t first = begin(slice, slice.rows);
        if (has_offsets()) {
            for (std::size_t i = 0; i < slice.rows; ++i) append_run(slice, i);
        } else if (type_.kind == Kind::category) {
            recode(slice, first, [](std::size_t i) { return i; });
        } else if (slice.rows > 0 && row_bytes_ > 0) {
            std::memcpy(values_.data() + first * row_bytes_, slice.values, slice.rows * row_bytes_);
        }
        append_validity(slice, slice.rows, [](std::size_t i) { return i; });
        rows_ += slice.rows;
    }

    /// Appends the chosen rows of a slice, in the order given.
    void append(const ColumnSlice& slice, std::span<const std::uint32_t> chosen) {
        const std::size_t first = begin(slice, chosen.size());
        if (has_offsets()) {
            for (std::uint32_t row : chosen) append_run(slice, row);
        } else if (type_.kind == Kind::category) {
            recode(slice, first, [&](std::size_t i) { return std::size_t{chosen[i]}; });
        } else {
            switch (row_bytes_) {
                case 1: gather<std::uint8_t>(slice, first, chosen); break;
                case 2: gather<std::uint16_t>(slice, first, chosen); break;
                case 4: gather<std::uint32_t>(slice, first, chosen); break;
                case 8: gather<std::uint64_t>(slice, first, chosen); break;
                case 0: break;  // vectors without elements, of which there is no first byte
                default:
                    for (std::size_t i = 0; i < chosen.size(); ++i)
                        std::memcpy(values_.data() + (first + i) * row_bytes_,
                                    slice.as<std::byte>() + chosen[i] * row_bytes_, row_bytes_);
            }
        }
        append_validity(slice, chosen.size(), [&](std::size_t i) { return std::size_t{chosen[i]}; });
        rows_ += chosen.size();
    }

    /// The column. The builder is empty afterwards.
    ColumnData finish() {
        ColumnData column;
        column.type = type_;
        column.rows = rows_;
        column.width = width_;
        column.values = Buffer::copy_of(values_);
        if (any_missing_) column.validity = Buffer::copy_of(validity_);
        if (has_offsets()) column.offsets = Buffer::copy_of(offsets_);
        if (is_sparse()) column.indices = Buffer::copy_of(indices_);
        if (type_.kind == Kind::category) column.dictionary = detail::dictionary_of(words_);
        *this = ColumnBuilder(type_);
        return column;
    }

  private:
    bool is_sparse() const { return type_.kind == Kind::sparse_float32 || type_.kind == Kind::sparse_float64; }
    bool has_offsets() const { return type_.kind == Kind::text || is_sparse(); }

    std::size_t begin(const ColumnSlice& slice, std::size_t count) {
        const bool vector = (kind_bit(type_.kind) & (dense_vector_kinds | sparse_vector_kinds)) != 0;
        if (vector && slice.rows > 0) {
            if (rows_ > 0 && slice.width != width_)
                throw WrongWidth("a vector column has " + std::to_string(slice.width) + " elements here and " +
                                 std::to_string(width_) + " in earlier rows; a column has one width");
            width_ = slice.width;
        }
        row_bytes_ = width_bytes(type_.kind) * ((kind_bit(type_.kind) & dense_vector_kinds) != 0 ? width_ : 1);
        if (!has_offsets()) values_.resize((rows_ + count) * row_bytes_);
        return rows_;
    }

    template <class Word>
    void gather(const ColumnSlice& slice, std::size_t first, std::span<const std::uint32_t> chosen) {
        Word* to = reinterpret_cast<Word*>(values_.data()) + first;
        const Word* from = slice.as<Word>();
        for (std::size_t i = 0; i < chosen.size(); ++i) to[i] = from[chosen[i]];
    }

    void append_run(const ColumnSlice& slice, std::size_t row) {
        const std::size_t element = is_sparse() ? width_bytes(type_.kind) : 1;
        const auto begin = static_cast<std::size_t>(slice.offsets[row]),
                   end = static_cast<std::size_t>(slice.offsets[row + 1]);
        const auto* bytes = slice.as<std::byte>();
        values_.insert(values_.end(), bytes + begin * element, bytes + end * element);
        if (is_sparse()) indices_.insert(indices_.end(), slice.indices + begin, slice.indices + end);
        offsets_.push_back(offsets_.back() + static_cast<std::int64_t>(end - begin));
    }

    template <class RowOf>
    void recode(const ColumnSlice& slice, std::size_t first, RowOf row_of) {
        auto* codes = reinterpret_cast<std::int32_t*>(values_.data());
        const std::int32_t unknown = -1;
        recoded_.assign(slice.dictionary_size, unknown);
        const std::size_t count = values_.size() / sizeof(std::int32_t) - first;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t row = row_of(i);
            if (!slice.valid(row)) {
                codes[first + i] = 0;
                continue;
            }
            const auto code = static_cast<std::size_t>(slice.as<std::int32_t>()[row]);
            if (recoded_[code] == unknown) {
                recoded_[code] = static_cast<std::int32_t>(words_.insert(slice.dictionary[code]));
            }
            codes[first + i] = recoded_[code];
        }
    }

    template <class RowOf>
    void append_validity(const ColumnSlice& slice, std::size_t count, RowOf row_of) {
        if (!type_.nullable) return;
        validity_.resize((rows_ + count + 7) / 8, 0);
        for (std::size_t i = 0; i < count; ++i) {
            const bool valid = slice.valid(row_of(i));
            const std::size_t bit = rows_ + i;
            if (valid) validity_[bit >> 3] = static_cast<std::uint8_t>(validity_[bit >> 3] | 1U << (bit & 7));
            any_missing_ |= !valid;
        }
    }

    ColumnType type_;
    std::size_t rows_ = 0, width_ = 0, row_bytes_ = 0;
    std::vector<std::byte> values_;
    std::vector<std::uint8_t> validity_;
    std::vector<std::int64_t> offsets_;
    std::vector<std::int32_t> indices_;
    TextIndex words_;
    std::vector<std::int32_t> recoded_;
    bool any_missing_ = false;
};

}  // namespace partita::inline PARTITA_ABI
