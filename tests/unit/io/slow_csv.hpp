// SPDX-License-Identifier: Apache-2.0
#pragma once

// A slow and obvious reader of delimited text, one character after the other, as the oracle of the fast one. It shares no
// code with it but the types of settings and columns, and the conversions of the standard library.

#include <partita/data/chunk.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/schema.hpp>
#include <partita/io/csv/settings.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slow_csv {

namespace pt = partita;

struct Field {
    std::string text;
    bool quoted = false;
    std::size_t begin = 0;  // in the text
};

struct Record {
    std::vector<Field> fields;
    std::size_t begin = 0, next = 0;
    bool bad_quote = false;
    std::size_t bad_position = 0;
};

/// The record that starts at `at`.
inline Record cut(std::string_view text, std::size_t at, const pt::CsvSettings& settings) {
    Record record;
    record.fields.reserve(8);
    const bool quoting = settings.quote != '\0';
    record.begin = at;
    const auto line_ends_at = [&](std::size_t i) { return i == text.size() || text[i] == '\n'; };
    const auto give_up = [&](std::size_t position) {
        record.bad_quote = true;
        record.bad_position = position;
        const std::size_t line_end = text.find('\n', record.begin);
        record.next = line_end == std::string_view::npos ? text.size() : line_end + 1;
    };
    for (;;) {
        Field field;
        field.begin = at;
        if (quoting && at < text.size() && text[at] == settings.quote) {
            field.quoted = true;
            for (++at;; ++at) {
                if (at == text.size()) return give_up(record.begin), record;
                if (text[at] != settings.quote) {
                    field.text += text[at];
                } else if (at + 1 < text.size() && text[at + 1] == settings.quote) {
                    field.text += text[at++];
                } else {
                    break;
                }
            }
            ++at;
            if (at < text.size() && text[at] == '\r' && line_ends_at(at + 1)) ++at;
            if (!line_ends_at(at) && text[at] != settings.delimiter) return give_up(at), record;
        } else {
            while (!line_ends_at(at) && text[at] != settings.delimiter) {
                if (quoting && text[at] == settings.quote) return give_up(at), record;
                field.text += text[at++];
            }
            if (line_ends_at(at) && !field.text.empty() && field.text.back() == '\r') field.text.pop_back();
        }
        record.fields.push_back(std::move(field));
        if (line_ends_at(at)) {
            record.next = at == text.size() ? at : at + 1;
            return record;
        }
        ++at;
    }
}

inline std::string trim(std::string text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.erase(0, 1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    return text;
}

enum class Value { ok, missing, bad };

template <class T>
Value number(std::string text, std::string& out) {
    if (text.starts_with('+')) {
        text.erase(0, 1);
        if (text.starts_with('-') || text.starts_with('+')) return Value::bad;
    }
    T value{};
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ptr != text.data() + text.size() || result.ec == std::errc::invalid_argument) return Value::bad;
    if (result.ec == std::errc::result_out_of_range) {
        if constexpr (!std::is_floating_point_v<T>) return Value::bad;
        // strtold has a far larger range, so it tells too small from too large unless the exponent is absurd.
        const long double wide = std::strtold(text.c_str(), nullptr);
        if (std::abs(wide) > 1) return Value::bad;
        value = text[0] == '-' ? -T{} : T{};
    }
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(value)) return Value::missing;
        using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        out = std::to_string(std::bit_cast<Bits>(value));
    } else {
        out = std::to_string(value);
    }
    return Value::ok;
}

inline bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
inline int month_days(int year, int month) {
    if (month == 2) return leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

inline Value time(const std::string& text, std::string& out) {
    // The shape first, with 0 for any digit, then the parts.
    std::string shape = text;
    for (char& c : shape)
        if (c >= '0' && c <= '9') c = '0';
    if (shape.size() > 10 && shape.back() == 'Z') shape.pop_back();
    if (shape.size() > 10 && shape[10] == 'T') shape[10] = ' ';
    std::size_t fraction = 0;
    if (shape.size() > 19 && shape[19] == '.') {
        fraction = shape.size() - 20;
        if (fraction < 1 || fraction > 9 || shape.find_first_not_of('0', 20) != std::string::npos) return Value::bad;
        shape.resize(19);
    }
    if (shape != "0000-00-00" && shape != "0000-00-00 00:00" && shape != "0000-00-00 00:00:00") return Value::bad;
    if (shape.size() == 10 && text.size() != 10) return Value::bad;
    const auto part = [&](std::size_t at, std::size_t size) {
        return at + size <= shape.size() ? std::stoi(text.substr(at, size)) : 0;
    };
    const int year = part(0, 4), month = part(5, 2), day = part(8, 2), hour = part(11, 2), minute = part(14, 2),
              second = part(17, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 || minute > 59 ||
        second > 59)
        return Value::bad;
    std::int64_t days = 0;
    for (int y = 1970; y < year; ++y) days += leap(y) ? 366 : 365;
    for (int y = year; y < 1970; ++y) days -= leap(y) ? 366 : 365;
    for (int m = 1; m < month; ++m) days += month_days(year, m);
    days += day - 1;
    std::string micro = fraction == 0 ? "" : text.substr(20, std::min<std::size_t>(fraction, 6));
    micro.resize(6, '0');
    out = std::to_string(((days * 24 + hour) * 60 + minute) * 60 * 1000000 + second * std::int64_t{1000000} +
                         std::stoi(micro));
    return Value::ok;
}

inline Value boolean(std::string text, std::string& out) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    for (const char* word : {"1", "true", "t", "yes", "y"})
        if (text == word) return out = "1", Value::ok;
    for (const char* word : {"0", "false", "f", "no", "n"})
        if (text == word) return out = "0", Value::ok;
    return Value::bad;
}

inline Value convert(const Field& field, pt::Kind kind, bool nullable, const pt::CsvSettings& settings,
                     std::string& out) {
    const auto is_missing = [&](const std::string& text) {
        return std::find(settings.missing.begin(), settings.missing.end(), text) != settings.missing.end();
    };
    if (kind == pt::Kind::text || kind == pt::Kind::category) {
        if (nullable && !field.quoted && is_missing(field.text)) return Value::missing;
        out = field.text;
        return Value::ok;
    }
    const std::string text = trim(field.text);
    if (is_missing(text)) return Value::missing;
    if (text.empty()) return Value::bad;
    switch (kind) {
        case pt::Kind::boolean: return boolean(text, out);
        case pt::Kind::int32: return number<std::int32_t>(text, out);
        case pt::Kind::int64: return number<std::int64_t>(text, out);
        case pt::Kind::float32: return number<float>(text, out);
        case pt::Kind::float64: return number<double>(text, out);
        case pt::Kind::timestamp: return time(text, out);
        default: return Value::bad;
    }
}

inline std::string place(std::string_view text, std::size_t position) {
    std::size_t line = 1, line_begin = 0;
    for (;;) {
        const std::size_t line_end = text.find('\n', line_begin);
        if (line_end == std::string_view::npos || line_end >= position) break;
        line_begin = line_end + 1;
        ++line;
    }
    return std::to_string(line) + ":" + std::to_string(position - line_begin + 1);
}

/// What the fast reader ought to give, as text.
inline std::string read(std::string_view text, std::span<const pt::ColumnInfo> table, const pt::CsvSettings& settings) {
    std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    std::vector<std::string> names = settings.column_names;
    if (names.empty()) {
        if (at == text.size()) return "missing_header_column";
        const Record header = cut(text, at, settings);
        if (header.bad_quote) return "bad_quote";
        for (const Field& field : header.fields) names.push_back(field.quoted ? field.text : trim(field.text));
        at = header.next;
    }
    std::vector<std::size_t> where;
    for (const pt::ColumnInfo& column : table) {
        const auto found = std::find(names.begin(), names.end(), column.name);
        if (found == names.end()) return "missing_header_column";
        if (std::count(names.begin(), names.end(), column.name) > 1) return "duplicate_header_column";
        where.push_back(static_cast<std::size_t>(found - names.begin()));
    }
    // Empty lines at the end are nothing where the file has several columns.
    std::string_view body = text.substr(0, text.size());
    if (names.size() > 1) {
        for (;;) {
            std::string_view rest = body.substr(at);
            if (rest == "\n" || rest == "\r\n") rest = {}, body = body.substr(0, at);
            else if (rest.ends_with("\n\n")) body.remove_suffix(1);
            else if (rest.ends_with("\n\r\n")) body.remove_suffix(2);
            else break;
        }
    }
    std::string rows, faults;
    std::size_t good = 0, bad = 0, id = 0;
    for (; at < body.size(); ++id) {
        const Record record = cut(body, at, settings);
        at = record.next;
        std::string cause, line = std::to_string(id) + "|";
        std::size_t position = record.begin;
        if (record.bad_quote) {
            cause = "bad_quote";
            position = record.bad_position;
        } else if (record.fields.size() != names.size()) {
            cause = "wrong_column_count";
        } else {
            for (std::size_t column = 0; column < table.size(); ++column) {
                const Field& field = record.fields[where[column]];
                std::string out;
                const Value value = convert(field, table[column].type.kind, table[column].type.nullable, settings, out);
                if (value == Value::bad || (value == Value::missing && !table[column].type.nullable)) {
                    if (cause.empty() || field.begin < position) position = field.begin;  // the first of the record
                    cause = "bad_value";
                }
                line += value == Value::missing ? "<>" : "<" + out + ">";
            }
        }
        if (cause.empty()) {
            ++good;
            rows += line + "\n";
            continue;
        }
        if (settings.on_bad_record == pt::BadRecords::fail) return cause + " " + place(body, position);
        if (bad++ < settings.bad_record_limit)
            faults += std::to_string(id) + " " + cause + " " + place(body, position) + "\n";
        if (settings.on_bad_record == pt::BadRecords::collect && bad > settings.bad_record_limit)
            return "too_many_bad_records";
    }
    return rows + "rows " + std::to_string(good) + " bad " + std::to_string(bad) + "\n" + faults;
}

/// What the fast reader gave.
inline std::string print(std::span<const std::shared_ptr<const pt::Chunk>> chunks,
                         std::span<const pt::ColumnInfo> table, const pt::CsvReport& report) {
    std::string result;
    for (const auto& chunk : chunks) {
        for (std::size_t row = 0; row < chunk->rows(); ++row) {
            result += std::to_string(chunk->row_id(row)) + "|";
            for (std::size_t column = 0; column < table.size(); ++column) {
                const pt::ColumnSlice slice = chunk->column(column).all();
                std::string out;
                if (slice.valid(row)) {
                    switch (slice.type.kind) {
                        case pt::Kind::boolean: out = slice.as<bool>()[row] ? "1" : "0"; break;
                        case pt::Kind::int32: out = std::to_string(slice.as<std::int32_t>()[row]); break;
                        case pt::Kind::int64:
                        case pt::Kind::timestamp: out = std::to_string(slice.as<std::int64_t>()[row]); break;
                        case pt::Kind::float32: out = std::to_string(slice.as<std::uint32_t>()[row]); break;
                        case pt::Kind::float64: out = std::to_string(slice.as<std::uint64_t>()[row]); break;
                        case pt::Kind::category: out = pt::view_of<pt::Category>(slice)[row]; break;
                        default: out = pt::view_of<pt::Text>(slice)[row];
                    }
                }
                result += "<" + out + ">";
            }
            result += "\n";
        }
    }
    result += "rows " + std::to_string(report.rows) + " bad " + std::to_string(report.bad_records) + "\n";
    for (const pt::BadRecord& record : report.first_bad)
        result += std::to_string(record.row) + " " + record.cause + " " + std::to_string(record.line) + ":" +
                  std::to_string(record.position) + "\n";
    return result;
}

inline std::string print(const pt::Error& error) {
    const std::string cause = error.cause();
    if (cause != "bad_value" && cause != "bad_quote" && cause != "wrong_column_count") return cause;
    if (error.place().row < 0) return cause;  // of the header
    return cause + " " + std::to_string(error.place().line) + ":" + std::to_string(error.place().position);
}

}  // namespace slow_csv
