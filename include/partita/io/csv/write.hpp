// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows as delimited text, without their C++ type.

#include <partita/comm/session.hpp>
#include <partita/data/chunk.hpp>
#include <partita/data/schema.hpp>
#include <partita/io/csv/parse_value.hpp>
#include <partita/io/csv/settings.hpp>
#include <partita/io/csv/write_texts.hpp>

#include <charconv>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// The year, month and day of a count of days since 1970-01-01: the inverse of days_from_date.
struct CalendarDate {
    std::int64_t year;
    int month, day;
};
constexpr CalendarDate date_from_days(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const std::int64_t day_of_era = days - era * 146097;
    const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;  // from March
    const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

/// Writes chunks of one table as text.
class CsvFormatter {
  public:
    CsvFormatter(std::span<const ColumnInfo> table, const CsvWriteSettings& settings)
        : table_(table), settings_(settings), quoted_(settings.quoted_texts), line_end_(settings.crlf ? "\r\n" : "\n") {
        check_csv_characters(settings.delimiter, settings.quote);
        const char special[] = {settings.delimiter, '\n', '\r', settings.quote};
        if (settings.missing.find_first_of(std::string_view(special, settings.quote != '\0' ? 4 : 3)) !=
            std::string::npos)
            throw InvalidSetting(
                "the setting missing has a delimiter, a quote or a line end in it; a missing value is written without "
                "quotes, so choose another spelling",
                Place{.setting = "missing"});
        // Of numbers, bools and times, infinities and NaN among them.
        constexpr std::string_view spelt_with = "0123456789+-.: aefilnrstu";
        numbers_are_plain_ = spelt_with.find(settings.delimiter) == std::string_view::npos &&
                             (settings.quote == '\0' || spelt_with.find(settings.quote) == std::string_view::npos);
    }

    /// The header line; `widths` are those of the columns.
    std::string header(std::span<const std::int64_t> widths) const {
        std::string out, name;
        for (std::size_t column = 0; column < table_.size(); ++column) {
            const bool is_vector = (kind_bit(table_[column].type.kind) & dense_vector_kinds) != 0;
            for (std::int64_t slot = 0; slot < (is_vector ? widths[column] : 1); ++slot) {
                name = table_[column].name;
                if (is_vector) name += "_" + std::to_string(slot);
                text(out, name, table_[column].name);
                out += settings_.delimiter;
            }
        }
        end_line(out);
        return out;
    }

    std::string rows(const Chunk& chunk) const {
        std::string out;
        std::vector<ColumnSlice> slices;
        for (std::size_t column = 0; column < table_.size(); ++column) slices.push_back(chunk.column(column).all());
        for (std::size_t row = 0; row < chunk.rows(); ++row) {
            for (std::size_t column = 0; column < slices.size(); ++column)
                field(out, slices[column], row, table_[column].name);
            end_line(out);
        }
        return out;
    }

  private:
    /// A line's last delimiter gives way to its end.
    void end_line(std::string& out) const {
        if (!out.empty() && out.back() == settings_.delimiter) out.pop_back();
        out += line_end_;
    }

    void field(std::string& out, const ColumnSlice& slice, std::size_t row, std::string_view name) const {
        if (!slice.valid(row)) {
            out += settings_.missing;
            out += settings_.delimiter;
            return;
        }
        switch (slice.type.kind) {
            case Kind::boolean:
                plain(out, name, [&](std::string& to) { to += slice.as<bool>()[row] ? "true" : "false"; });
                break;
            case Kind::int8: number(out, name, slice.as<std::int8_t>()[row]); break;
            case Kind::int16: number(out, name, slice.as<std::int16_t>()[row]); break;
            case Kind::int32: number(out, name, slice.as<std::int32_t>()[row]); break;
            case Kind::int64: number(out, name, slice.as<std::int64_t>()[row]); break;
            case Kind::uint8: number(out, name, slice.as<std::uint8_t>()[row]); break;
            case Kind::uint16: number(out, name, slice.as<std::uint16_t>()[row]); break;
            case Kind::uint32: number(out, name, slice.as<std::uint32_t>()[row]); break;
            case Kind::uint64: number(out, name, slice.as<std::uint64_t>()[row]); break;
            case Kind::float32: number(out, name, slice.as<float>()[row]); break;
            case Kind::float64: number(out, name, slice.as<double>()[row]); break;
            case Kind::timestamp:
                plain(out, name, [&](std::string& to) { timestamp(to, slice.as<std::int64_t>()[row]); });
                break;
            case Kind::vector_float32: return numbers(out, name, slice.as<float>() + row * slice.width, slice.width);
            case Kind::vector_float64: return numbers(out, name, slice.as<double>() + row * slice.width, slice.width);
            case Kind::category: text(out, slice.dictionary[slice.as<std::int32_t>()[row]], name); break;
            default: {
                const auto size = static_cast<std::size_t>(slice.offsets[row + 1] - slice.offsets[row]);
                text(out, {slice.as<char>() + slice.offsets[row], size}, name);
            }
        }
        out += settings_.delimiter;
    }

    /// A field that needs quotes only where the delimiter is one of its own characters.
    template <class Write>
    void plain(std::string& out, std::string_view name, Write write) const {
        if (numbers_are_plain_) return write(out);
        std::string field;
        write(field);
        text(out, field, name);
    }
    template <class T>
    void number(std::string& out, std::string_view name, T value) const {
        plain(out, name, [&](std::string& to) {
            char buffer[40];
            to.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
        });
    }
    template <class T>
    void numbers(std::string& out, std::string_view name, const T* values, std::size_t count) const {
        for (std::size_t i = 0; i < count; ++i) {
            number(out, name, values[i]);
            out += settings_.delimiter;
        }
    }
    static void padded(std::string& out, std::int64_t value, std::size_t digits) {
        const std::string text = std::to_string(value);
        if (text.size() < digits) out.append(digits - text.size(), '0');
        out += text;
    }
    static void timestamp(std::string& out, std::int64_t microseconds) {
        constexpr std::int64_t day_length = 86400000000;
        const std::int64_t days = microseconds / day_length - (microseconds % day_length < 0 ? 1 : 0);
        const std::int64_t time = microseconds - days * day_length;
        const CalendarDate date = date_from_days(days);
        padded(out, date.year, 4);
        padded(out += '-', date.month, 2);
        padded(out += '-', date.day, 2);
        padded(out += ' ', time / 3600000000, 2);
        padded(out += ':', time / 60000000 % 60, 2);
        padded(out += ':', time / 1000000 % 60, 2);
        if (time % 1000000 != 0) padded(out += '.', time % 1000000, 6);
    }

    void text(std::string& out, std::string_view value, std::string_view column) const {
        const char special[] = {settings_.delimiter, '\n', '\r', settings_.quote};
        const bool quoting = settings_.quote != '\0';
        const bool needs_quotes =
            value.find_first_of(std::string_view(special, quoting ? 4 : 3)) != std::string_view::npos ||
            value.starts_with("\xEF\xBB\xBF");
        if (needs_quotes && !quoting) {
            Place place;
            place.column = std::string(column);
            place.setting = "quote";
            throw InvalidSetting("column \"" + std::string(column) +
                                     "\" has a text with a delimiter or a line end in it, which "
                                     "cannot be written without quotes; choose a quote or another delimiter",
                                 std::move(place));
        }
        if (!quoting || !(needs_quotes || quoted_.contains(value) || value == settings_.missing)) {
            out += value;
            return;
        }
        out += settings_.quote;
        for (std::size_t at; (at = value.find(settings_.quote)) != std::string_view::npos;
             value.remove_prefix(at + 1)) {
            out += value.substr(0, at + 1);
            out += settings_.quote;
        }
        out += value;
        out += settings_.quote;
    }

    std::span<const ColumnInfo> table_;
    const CsvWriteSettings& settings_;
    MissingWords quoted_;
    std::string_view line_end_;
    bool numbers_are_plain_ = true;
};

/// Writes the chunks of all workers as one file, by worker 0; what fails there is thrown on all.
inline void write_csv_table(Session& session, std::span<const ColumnInfo> table,
                            std::span<const std::shared_ptr<const Chunk>> chunks, const std::string& path,
                            const CsvWriteSettings& settings) {
    std::vector<std::int64_t> widths(table.size(), 0);
    for (const auto& chunk : chunks)
        for (std::size_t column = 0; column < table.size(); ++column)
            widths[column] = static_cast<std::int64_t>(chunk->column(column).width);
    session.communicator().all_reduce(widths, Reduction::maximum);
    for (std::size_t column = 0; column < table.size(); ++column)  // of an empty table
        if (table[column].type.extent != dynamic) widths[column] = table[column].type.extent;

    std::vector<std::string> texts(chunks.size());
    const PendingError pending = attempt([&] {
        const CsvFormatter formatter(table, settings);
        session.for_each(chunks.size(),
                         [&](std::size_t index, std::size_t) { texts[index] = formatter.rows(*chunks[index]); });
        if (session.primary() && settings.header) texts.insert(texts.begin(), formatter.header(widths));
    });
    write_texts(session, std::move(texts), path, pending);
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
