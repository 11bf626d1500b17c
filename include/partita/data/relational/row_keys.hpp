// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys of rows as bytes that compare as the keys do, whatever columns they are made of: sorting, grouping and matching rows
// then are one piece of code each.

#include <partita/data/chunk.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/math/ordered_bits.hpp>

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// A column of a chunk that belongs to a key.
struct KeyPart {
    std::size_t column = 0;
    bool descending = false;
};

/// What keys are for: for order, a missing value is the smallest value of all; a key to match has none.
enum class KeyUse : std::uint8_t { order, match };

inline constexpr KindSet key_kinds = number_kinds | text_kinds | kind_bit(Kind::timestamp);

/// Calls `visit(T{})` with the C++ type in which a column of numbers or times holds its values.
template <class Visit>
decltype(auto) with_number_of(Kind kind, Visit&& visit) {
    switch (kind) {
        case Kind::boolean: return visit(bool{});
        case Kind::int8: return visit(std::int8_t{});
        case Kind::int16: return visit(std::int16_t{});
        case Kind::int32: return visit(std::int32_t{});
        case Kind::uint8: return visit(std::uint8_t{});
        case Kind::uint16: return visit(std::uint16_t{});
        case Kind::uint32: return visit(std::uint32_t{});
        case Kind::uint64: return visit(std::uint64_t{});
        case Kind::float32: return visit(float{});
        case Kind::float64: return visit(double{});
        default: return visit(std::int64_t{});  // timestamps, too
    }
}

/// An unsigned number of T's size that compares like the value. Both zeros have one; all not-a-numbers have one, the largest.
template <Orderable T>
constexpr std::uint64_t key_word(T value) {
    using Unsigned = std::make_unsigned_t<OrderedBits<T>>;
    if constexpr (std::is_same_v<T, bool>) return value ? 1 : 0;
    if constexpr (std::is_floating_point_v<T>) {
        if (value != value) value = std::numeric_limits<T>::quiet_NaN();
    }
    return static_cast<Unsigned>(static_cast<Unsigned>(ordered_bits(value)) ^ (Unsigned{1} << (8 * sizeof(T) - 1)));
}
template <Orderable T>
constexpr T from_key_word(std::uint64_t word) {
    using Unsigned = std::make_unsigned_t<OrderedBits<T>>;
    if constexpr (std::is_same_v<T, bool>) return word != 0;
    const auto bits = static_cast<Unsigned>(static_cast<Unsigned>(word) ^ (Unsigned{1} << (8 * sizeof(T) - 1)));
    return from_ordered_bits<T>(static_cast<OrderedBits<T>>(bits));
}

/// The keys of all rows of a chunk.
///
/// Of each column: where it may have missing values and order is asked for, a byte that is 0 for those; then a number with its
/// highest byte first, or a text with every byte 0 written as 0 255 and two bytes 0 at its end, so that a text is less than
/// those it begins. Descending columns have all bits turned over. No key begins another.
class RowKeys {
  public:
    RowKeys(const Chunk& chunk, std::span<const KeyPart> parts, KeyUse use) : rows_(chunk.rows()), use_(use) {
        measure(chunk, parts);
        std::size_t offset = 0;
        for (const KeyPart& part : parts) {
            const ColumnSlice slice = chunk.column(part.column).all();
            if ((kind_bit(slice.type.kind) & text_kinds) != 0) {
                write_texts(slice, part.descending);
            } else {
                with_number_of(slice.type.kind, [&]<class T>(T) { write_numbers<T>(slice, part.descending, offset); });
                offset += fixed_bytes(slice.type);
            }
        }
        cursors_ = {};
    }

    std::size_t rows() const { return rows_; }
    std::string_view operator[](std::size_t row) const {
        const std::size_t first = begin_of(row);
        return {bytes_.data() + first, begin_of(row + 1) - first};
    }
    /// The first eight bytes, the first the highest, zeros behind the end.
    std::uint64_t prefix(std::size_t row) const {
        const std::string_view key = (*this)[row];
        std::uint64_t word = 0;
        if (key.size() >= 8) {
            std::memcpy(&word, key.data(), 8);
            return __builtin_bswap64(word);
        }
        for (const char c : key) word = word << 8 | static_cast<unsigned char>(c);
        return key.empty() ? 0 : word << (8 * (8 - key.size()));
    }
    /// Whether the key can match another: none of its values is missing or not a number. For KeyUse::match.
    bool usable(std::size_t row) const { return unusable_.empty() || unusable_[row] == 0; }

  private:
    bool has_flag(ColumnType type) const { return use_ == KeyUse::order && type.nullable; }
    std::size_t fixed_bytes(ColumnType type) const { return width_bytes(type.kind) + (has_flag(type) ? 1 : 0); }
    std::size_t begin_of(std::size_t row) const { return starts_.empty() ? row * width_ : starts_[row]; }

    /// How long each key is.
    void measure(const Chunk& chunk, std::span<const KeyPart> parts) {
        bool has_texts = false;
        for (const KeyPart& part : parts) {
            const ColumnType type = chunk.column(part.column).type;
            if ((kind_bit(type.kind) & text_kinds) != 0) {
                has_texts = true;
            } else {
                width_ += fixed_bytes(type);
            }
        }
        if (!has_texts) return bytes_.resize(rows_ * width_);
        starts_.assign(rows_ + 1, width_);
        starts_[0] = 0;
        for (const KeyPart& part : parts) {
            const ColumnSlice slice = chunk.column(part.column).all();
            if ((kind_bit(slice.type.kind) & text_kinds) == 0) continue;
            const std::size_t flag = has_flag(slice.type) ? 1 : 0;
            if (slice.type.kind == Kind::category) {
                std::vector<std::size_t> lengths(slice.dictionary_size);
                for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = flag + written_bytes(slice.dictionary[i]);
                for (std::size_t row = 0; row < rows_; ++row)
                    starts_[row + 1] +=
                        slice.valid(row) ? lengths[static_cast<std::size_t>(slice.as<std::int32_t>()[row])] : flag;
            } else {
                for (std::size_t row = 0; row < rows_; ++row)
                    starts_[row + 1] += flag + (slice.valid(row) ? written_bytes(text_at(slice, row)) : 0);
            }
        }
        for (std::size_t row = 0; row < rows_; ++row) starts_[row + 1] += starts_[row];
        bytes_.resize(starts_.back());
        cursors_.assign(starts_.begin(), starts_.end() - 1);
    }

    static std::string_view text_at(const ColumnSlice& slice, std::size_t row) {
        return {slice.as<char>() + slice.offsets[row],
                static_cast<std::size_t>(slice.offsets[row + 1] - slice.offsets[row])};
    }
    static std::size_t written_bytes(std::string_view text) {
        return text.size() + 2 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\0'));
    }

    void refuse(std::size_t row) {
        if (unusable_.empty()) unusable_.resize(rows_);
        unusable_[row] = 1;
    }

    template <class T>
    void write_numbers(const ColumnSlice& slice, bool descending, std::size_t offset) {
        const bool flag = has_flag(slice.type);
        const std::uint64_t turned = descending ? ~std::uint64_t{0} : 0;
        const T* values = slice.as<T>();
        for (std::size_t row = 0; row < rows_; ++row) {
            char* at = bytes_.data() + (cursors_.empty() ? row * width_ + offset : cursors_[row]);
            const bool valid = slice.valid(row);
            if (use_ == KeyUse::match && !(valid && values[row] == values[row])) refuse(row);
            if (flag) *at++ = static_cast<char>((valid ? 1 : 0) ^ turned);
            std::uint64_t word = ((valid ? key_word(values[row]) : 0) ^ turned) << (64 - 8 * sizeof(T));
            word = __builtin_bswap64(word);
            std::memcpy(at, &word, sizeof(T));
            if (!cursors_.empty()) cursors_[row] += sizeof(T) + (flag ? 1 : 0);
        }
    }

    void write_texts(const ColumnSlice& slice, bool descending) {
        const bool flag = has_flag(slice.type);
        const char turned = descending ? '\xff' : '\0';
        for (std::size_t row = 0; row < rows_; ++row) {
            char* at = bytes_.data() + cursors_[row];
            const bool valid = slice.valid(row);
            if (use_ == KeyUse::match && !valid) refuse(row);
            if (flag) *at++ = static_cast<char>((valid ? 1 : 0) ^ turned);
            if (valid) {
                const std::string_view text =
                    slice.type.kind == Kind::category
                        ? slice.dictionary[static_cast<std::size_t>(slice.as<std::int32_t>()[row])]
                        : text_at(slice, row);
                for (const char c : text) {
                    *at++ = static_cast<char>(c ^ turned);
                    if (c == '\0') *at++ = static_cast<char>('\xff' ^ turned);
                }
                *at++ = turned;
                *at++ = turned;
            }
            cursors_[row] = static_cast<std::size_t>(at - bytes_.data());
        }
    }

    std::size_t rows_, width_ = 0;
    KeyUse use_;
    std::string bytes_;
    std::vector<std::size_t> starts_, cursors_;  ///< empty where all keys are `width_` bytes long
    std::vector<std::uint8_t> unusable_;         ///< empty where all can match
};

/// The values of one column of keys that RowKeys wrote for order, ascending, as a column again. `keys` lose what is read.
inline ColumnData take_key_column(std::span<std::string_view> keys, ColumnType type) {
    ColumnData column;
    column.type = type;
    column.rows = keys.size();
    std::vector<std::uint8_t> validity((keys.size() + 7) / 8);
    bool any_missing = false;
    const auto take_flag = [&](std::size_t row) {
        bool valid = true;
        if (type.nullable) {
            valid = keys[row].front() != '\0';
            keys[row].remove_prefix(1);
        }
        if (valid) validity[row >> 3] = static_cast<std::uint8_t>(validity[row >> 3] | 1U << (row & 7));
        any_missing |= !valid;
        return valid;
    };
    if ((kind_bit(type.kind) & text_kinds) != 0) {
        std::string bytes;
        std::vector<std::int64_t> offsets{0};
        for (std::size_t row = 0; row < keys.size(); ++row) {
            std::string_view& key = keys[row];
            if (take_flag(row)) {
                while (key[0] != '\0' || key[1] != '\0') {
                    bytes += key[0];
                    key.remove_prefix(key[0] == '\0' ? 2 : 1);
                }
                key.remove_prefix(2);
            }
            offsets.push_back(static_cast<std::int64_t>(bytes.size()));
        }
        if (type.kind == Kind::category) {
            TextIndex words;
            std::vector<std::int32_t> codes(keys.size());
            for (std::size_t row = 0; row < keys.size(); ++row) {
                const auto first = static_cast<std::size_t>(offsets[row]),
                           last = static_cast<std::size_t>(offsets[row + 1]);
                if ((validity[row >> 3] >> (row & 7) & 1) != 0)
                    codes[row] =
                        static_cast<std::int32_t>(words.insert(std::string_view(bytes).substr(first, last - first)));
            }
            column.values = Buffer::copy_of(codes);
            column.dictionary = dictionary_of(words);
        } else {
            column.values = Buffer::copy_of(std::vector<char>(bytes.begin(), bytes.end()));
            column.offsets = Buffer::copy_of(offsets);
        }
    } else {
        with_number_of(type.kind, [&]<class T>(T) {
            column.values = Buffer::allocate(keys.size() * sizeof(T));
            T* values = column.values.mutable_as<T>();
            for (std::size_t row = 0; row < keys.size(); ++row) {
                const bool valid = take_flag(row);
                std::uint64_t word = 0;
                std::memcpy(&word, keys[row].data(), sizeof(T));
                values[row] = valid ? from_key_word<T>(__builtin_bswap64(word) >> (64 - 8 * sizeof(T))) : T{};
                keys[row].remove_prefix(sizeof(T));
            }
        });
    }
    if (any_missing) column.validity = Buffer::copy_of(validity);
    return column;
}

}  // namespace partita::inline PARTITA_ABI::detail
