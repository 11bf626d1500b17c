// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of columns as bytes that are equal when the values are, bit for bit, and how far apart numbers lie otherwise.

#include <partita/data/chunk.hpp>
#include <partita/data/schema.hpp>

#include <cmath>
#include <span>
#include <string>

namespace partita::inline PARTITA_ABI::detail {

template <class T>
void put_raw(std::string& bytes, const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void put_text(std::string& bytes, std::string_view text) {
    put_raw(bytes, text.size());
    bytes.append(text);
}

/// The value of one row of a column of any type.
inline void put_value(std::string& bytes, const ColumnSlice& column, std::size_t row) {
    const KindSet kind = kind_bit(column.type.kind);
    if (column.type.nullable) {
        put_raw(bytes, column.valid(row));
        if (!column.valid(row)) return;
    }
    if (column.type.kind == Kind::text) {
        const auto first = column.offsets[row], last = column.offsets[row + 1];
        put_text(bytes, {column.as<char>() + first, static_cast<std::size_t>(last - first)});
    } else if (column.type.kind == Kind::category) {
        put_text(bytes, column.dictionary[column.as<std::int32_t>()[row]]);
    } else if (column.type.kind == Kind::one_hot) {
        put_raw(bytes, column.as<std::int32_t>()[row]);
        put_raw(bytes, column.width);
    } else if ((kind & sparse_vector_kinds) != 0) {
        const auto first = static_cast<std::size_t>(column.offsets[row]),
                   last = static_cast<std::size_t>(column.offsets[row + 1]);
        const std::size_t each = width_bytes(column.type.kind);
        put_raw(bytes, column.width);
        put_raw(bytes, last - first);
        bytes.append(reinterpret_cast<const char*>(column.indices + first), (last - first) * sizeof(std::int32_t));
        bytes.append(column.as<char>() + first * each, (last - first) * each);
    } else if ((kind & dense_vector_kinds) != 0) {
        const std::size_t each = width_bytes(column.type.kind) * column.width;
        put_raw(bytes, column.width);
        bytes.append(column.as<char>() + row * each, each);
    } else {
        const std::size_t each = width_bytes(column.type.kind);
        bytes.append(column.as<char>() + row * each, each);
    }
}

// The same bytes of what a single row gives.
template <class T>
    requires std::is_arithmetic_v<T>
void put_value(std::string& bytes, T value) {
    put_raw(bytes, value);
}
inline void put_value(std::string& bytes, Timestamp value) { put_raw(bytes, value.microseconds); }
inline void put_value(std::string& bytes, Text value) { put_text(bytes, value.text); }
inline void put_value(std::string& bytes, const Category& value) { put_text(bytes, value.text); }
inline void put_value(std::string& bytes, OneHot value) {
    put_raw(bytes, value.code);
    put_raw(bytes, value.width);
}
template <class T>
void put_value(std::string& bytes, const std::vector<T>& value) {
    put_raw(bytes, value.size());
    bytes.append(reinterpret_cast<const char*>(value.data()), value.size() * sizeof(T));
}
template <class T>
void put_value(std::string& bytes, const std::optional<T>& value) {
    put_raw(bytes, value.has_value());
    if (value) put_value(bytes, *value);
}

inline std::string value_bytes(const ColumnSlice& column, std::size_t row) {
    std::string bytes;
    put_value(bytes, column, row);
    return bytes;
}

/// The floating-point numbers of one value; none for other kinds.
inline std::vector<double> floats_of(const ColumnSlice& column, std::size_t row) {
    std::vector<double> numbers;
    if (!column.valid(row)) return numbers;
    std::size_t first = row, last = row + 1;
    const KindSet kind = kind_bit(column.type.kind);
    if ((kind & dense_vector_kinds) != 0) {
        first = row * column.width;
        last = first + column.width;
    } else if ((kind & kinds_of(Kind::sparse_float32, Kind::sparse_float64)) != 0) {
        first = static_cast<std::size_t>(column.offsets[row]);
        last = static_cast<std::size_t>(column.offsets[row + 1]);
    }
    const bool single = (kind & kinds_of(Kind::float32, Kind::vector_float32, Kind::sparse_float32)) != 0;
    const bool twice = (kind & kinds_of(Kind::float64, Kind::vector_float64, Kind::sparse_float64)) != 0;
    for (std::size_t i = first; (single || twice) && i < last; ++i)
        numbers.push_back(single ? static_cast<double>(column.as<float>()[i]) : column.as<double>()[i]);
    return numbers;
}

inline std::string shown(const ColumnSlice& column, std::size_t row) {
    if (!column.valid(row)) return "missing";
    const std::vector<double> numbers = floats_of(column, row);
    std::string text;
    for (std::size_t i = 0; i < numbers.size() && i < 6; ++i) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.17g", numbers[i]);
        text += (i == 0 ? "" : ", ") + std::string(digits);
    }
    if (text.empty() && column.type.kind == Kind::category)
        return std::string(column.dictionary[column.as<std::int32_t>()[row]]);
    if (text.empty() && column.type.kind == Kind::one_hot)
        return "code " + std::to_string(column.as<std::int32_t>()[row]);
    return text.empty() ? "another value" : text;
}

/// Which rows of two chunks are compared: row i of one with row_of_first(i), or all in order.
using RowChoice = std::span<const std::uint32_t>;

/// Where the values of two chunks differ: row `of_first[i]` of `first` beside row i of `second`; empty if nowhere. With a tolerance, numbers may
/// differ by that much of their column's largest.
inline std::string difference(std::span<const ColumnInfo> columns, const Chunk& first, RowChoice of_first,
                              const Chunk& second, double tolerance = 0) {
    const std::size_t rows = of_first.empty() ? first.rows() : of_first.size();
    if (rows != second.rows())
        return "there are " + std::to_string(second.rows()) + " rows, and should be " + std::to_string(rows);
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const ColumnSlice a = first.column(c).all(), b = second.column(c).all();
        const bool single =
            (kind_bit(a.type.kind) & kinds_of(Kind::float32, Kind::vector_float32, Kind::sparse_float32)) != 0;
        double largest = 0;
        for (std::size_t row = 0; tolerance > 0 && row < b.rows; ++row)
            for (double number : floats_of(b, row)) largest = std::fmax(largest, std::fabs(number));
        const double allowed = largest * (single ? std::fmax(tolerance, 1e-6) : tolerance);
        std::string bytes_a, bytes_b;
        for (std::size_t i = 0; i < rows; ++i) {
            const std::size_t row = of_first.empty() ? i : of_first[i];
            bytes_a.clear();
            bytes_b.clear();
            put_value(bytes_a, a, row);
            put_value(bytes_b, b, i);
            if (bytes_a == bytes_b) continue;
            if (tolerance > 0) {
                const std::vector<double> numbers_a = floats_of(a, row), numbers_b = floats_of(b, i);
                bool near = !numbers_a.empty() && numbers_a.size() == numbers_b.size();
                for (std::size_t k = 0; near && k < numbers_a.size(); ++k)
                    near = std::fabs(numbers_a[k] - numbers_b[k]) <= allowed;
                if (near) continue;
            }
            return "column \"" + std::string(columns[c].name) + "\", row " + std::to_string(second.row_id(i)) + ": " +
                   shown(b, i) + " instead of " + shown(a, row);
        }
    }
    return {};
}

/// The first number that is not finite, as a sentence; empty if there is none.
inline std::string not_finite(std::span<const ColumnInfo> columns, const Chunk& chunk) {
    for (std::size_t c = 0; c < columns.size(); ++c)
        for (std::size_t row = 0; row < chunk.rows(); ++row)
            for (double number : floats_of(chunk.column(c).all(), row))
                if (!std::isfinite(number))
                    return "column \"" + std::string(columns[c].name) + "\", row " + std::to_string(chunk.row_id(row)) +
                           ": " + shown(chunk.column(c).all(), row);
    return {};
}

/// What is wrong with a chunk's columns themselves; empty if nothing.
inline std::string malformed(std::span<const ColumnInfo> columns, const Chunk& chunk, std::size_t rows) {
    if (chunk.rows() != rows)
        return "the result has " + std::to_string(chunk.rows()) + " rows, and the input " + std::to_string(rows);
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const ColumnSlice column = chunk.column(c).all();
        const std::string where = "column \"" + std::string(columns[c].name) + "\"";
        if (column.type != columns[c].type || column.rows != rows)
            return where + " is not of the type that was declared";
        if (column.type.extent != dynamic && column.width != static_cast<std::size_t>(column.type.extent))
            return where + " has vectors of " + std::to_string(column.width) + " elements, and declares " +
                   std::to_string(column.type.extent);
        for (std::size_t row = 0; row < rows; ++row) {
            if (column.type.kind == Kind::one_hot &&
                column.as<std::int32_t>()[row] >= static_cast<std::int32_t>(column.width))
                return where + ", row " + std::to_string(chunk.row_id(row)) + ": a code beyond the width of the vector";
            if ((kind_bit(column.type.kind) & kinds_of(Kind::sparse_float32, Kind::sparse_float64)) == 0) continue;
            for (std::int64_t k = column.offsets[row]; k < column.offsets[row + 1]; ++k)
                if (column.indices[k] < 0 || column.indices[k] >= static_cast<std::int32_t>(column.width) ||
                    (k > column.offsets[row] && column.indices[k] <= column.indices[k - 1]))
                    return where + ", row " + std::to_string(chunk.row_id(row)) +
                           ": indices that do not ascend below the width";
        }
    }
    return {};
}

}  // namespace partita::inline PARTITA_ABI::detail
