// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is wrong with a record, where, and the error that says so.

#include <partita/io/csv/header.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// Counts lines up to positions of a text.
class LineCounter {
  public:
    std::int64_t line_of(std::string_view text, std::size_t position) {
        if (text.data() != text_ || position < position_) {
            text_ = text.data();
            position_ = 0;
            line_ = 1;
        }
        line_ += static_cast<std::int64_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(position_),
                                                      text.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
        position_ = position;
        return line_;
    }

  private:
    const char* text_ = nullptr;
    std::size_t position_ = 0;
    std::int64_t line_ = 1;
};

/// A record that cannot be read, before its line is known: lines are counted only for what is reported.
struct CsvFault {
    enum class Cause : std::uint8_t { wrong_column_count, bad_value, bad_quote };
    Cause cause = Cause::bad_value;
    std::size_t file = 0;
    std::size_t record = 0;    ///< where the record begins in the file's text
    std::size_t position = 0;  ///< where the fault is
    std::int64_t row = -1;
    std::string column;
    std::string reason;

    const char* cause_name() const {
        switch (cause) {
            case Cause::wrong_column_count: return WrongColumnCount::name;
            case Cause::bad_value: return BadValue::name;
            default: return BadQuote::name;
        }
    }
    /// A report of the fault; `text` is that of its file. `lines` remembers the last position, so that faults in file
    /// order cost one pass over the text.
    BadRecord report(const std::string& file_name, std::string_view text, LineCounter& lines) const {
        const std::string_view before = text.substr(0, position);
        const std::size_t line_end = before.rfind('\n');
        BadRecord result;
        result.file = file_name;
        const std::int64_t first_line = lines.line_of(text, record);
        result.line = lines.line_of(text, position);
        result.position =
            static_cast<std::int64_t>(line_end == std::string_view::npos ? position + 1 : position - line_end);
        result.row = row;
        result.column = column;
        result.cause = cause_name();
        result.reason = reason;
        if (result.line != first_line)
            result.reason += " (the record begins in line " + std::to_string(first_line) + ")";
        return result;
    }
};

inline std::string sentence_of(const BadRecord& record) {
    std::string result = record.file + ":" + std::to_string(record.line) + ":" + std::to_string(record.position) + ": ";
    if (!record.column.empty()) result += "column \"" + record.column + "\": ";
    return result + record.reason;
}

inline Place place_of(const BadRecord& record) {
    Place place;
    place.file = record.file;
    place.line = record.line;
    place.position = record.position;
    place.row = record.row;
    place.column = record.column;
    place.block = record.row < 0 ? -1 : record.row / block_rows;
    return place;
}

/// Throws the error of a record under its own type.
[[noreturn]] inline void throw_bad_record(const BadRecord& record) {
    const std::string sentence =
        sentence_of(record) + "; correct the file, or leave such records out with on_bad_record = BadRecords::skip";
    if (record.cause == WrongColumnCount::name) throw WrongColumnCount(sentence, place_of(record));
    if (record.cause == BadQuote::name) throw BadQuote(sentence, place_of(record));
    throw BadValue(sentence, place_of(record));
}

/// Throws what ends a reading that may leave out `limit` records and met more.
[[noreturn]] inline void throw_too_many(const std::vector<BadRecord>& records, std::size_t limit) {
    std::string sentence = "more than " + std::to_string(limit) +
                           " records cannot be read; correct the file, or raise " + "bad_record_limit. The first ones:";
    for (const BadRecord& record : records) sentence += "\n  " + sentence_of(record);
    throw TooManyBadRecords(std::move(sentence), records.empty() ? Place{} : place_of(records.back()));
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
