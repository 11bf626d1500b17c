// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a reader of delimited text may be told, and what it tells about a reading.

#include <partita/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// What happens to a record that cannot be read: a wrong number of fields, a bad quote, a field that spells no value.
enum class BadRecords : std::uint8_t {
    fail,     ///< the first one in file order is thrown under its own type
    collect,  ///< up to `bad_record_limit` are left out and listed in the report; one more throws TooManyBadRecords
    skip,     ///< all are left out and counted; the report lists the first `bad_record_limit`
};

/// One record that was left out.
struct BadRecord {
    std::string file;
    std::int64_t line = -1;      ///< in the file, from 1
    std::int64_t position = -1;  ///< in that line, in bytes, from 1
    std::int64_t row = -1;       ///< the id that the row would have had
    std::string column;          ///< the table's column, where one field is to blame
    std::string cause;           ///< as Error::cause(): "bad_value", "bad_quote", "wrong_column_count"
    std::string reason;          ///< a sentence
};

/// What was read. The rows of the dataset and the bad records together are the records of the files.
struct CsvReport {
    std::int64_t rows = 0;             ///< rows of the dataset, of all workers
    std::int64_t bad_records = 0;      ///< records left out, of all workers
    std::vector<BadRecord> first_bad;  ///< in file order, at most `bad_record_limit`
};

/// The columns of the file that a member of the row takes, where they are not named as the member is.
struct CsvColumn {
    std::string member;
    std::vector<std::string> file_columns;  ///< one; for a Vector member one for each element
};

/// How a text file is read. Members of the row are matched with the columns of the file by name, so the file may have its
/// columns in any order and more than the row has. A `Vector` member `x` takes the columns `x_0`, `x_1`, … of the file (a
/// dynamic one as many as there are) unless `columns` names others.
///
/// The format is RFC 4180's with LF or CRLF, with or without a last line end, and with or without a byte order mark. An
/// empty line is an empty field where the file has one column, and otherwise a record with too few fields, except at the
/// end of the file, where empty lines are passed over. Blanks around numbers, bools and times do not matter; texts and
/// categories are taken as they stand.
struct CsvSettings {
    char delimiter = ',';
    char quote = '"';  ///< '\0': no character quotes
    /// The names of the file's columns, for a file without a header line. Empty: the first line has them.
    std::vector<std::string> column_names{};
    std::vector<CsvColumn> columns{};
    /// Spellings of a missing value. In texts and categories they count only without quotes, and only where the member is
    /// optional. A NaN, however it is spelt, is a missing value too.
    std::vector<std::string> missing{"", "NA", "N/A", "NaN", "nan", "null", "NULL"};
    BadRecords on_bad_record = BadRecords::fail;
    std::size_t bad_record_limit = 100;
    CsvReport* report = nullptr;             ///< filled in where given, alike on all workers
    std::size_t chunk_blocks = 16;           ///< blocks of 4096 rows in one chunk of the dataset
    std::size_t max_field_bytes = 16 << 20;  ///< a longer field is refused: a quote may be missing before it
    std::size_t range_bytes = 256 << 10;     ///< how much text one thread looks at before it takes the next part
};

/// How a table is written as text.
struct CsvWriteSettings {
    char delimiter = ',';
    char quote = '"';
    bool header = true;
    bool crlf = false;         ///< ends lines with CRLF, as RFC 4180 has it; LF otherwise
    std::string missing = "";  ///< how a missing value is written
    /// Texts that are quoted though they need not be, so that they are not read as missing values.
    std::vector<std::string> quoted_texts{"", "NA", "N/A", "NaN", "nan", "null", "NULL"};
};

namespace detail {

inline void check_csv_characters(char delimiter, char quote) {
    const auto refuse = [](const char* sentence, const char* setting) {
        Place place;
        place.setting = setting;
        throw InvalidSetting(sentence, std::move(place));
    };
    if (delimiter == '\n' || delimiter == '\r' || delimiter == '\0')
        refuse("the setting delimiter must be a character that ends no line, for instance ',' or '\\t'", "delimiter");
    if (quote == '\n' || quote == '\r') refuse("the setting quote must be a character that ends no line", "quote");
    if (delimiter == quote) refuse("the settings delimiter and quote must be different characters", "delimiter");
}

inline void check_csv_settings(const CsvSettings& settings) {
    check_csv_characters(settings.delimiter, settings.quote);
    const auto at_least_one = [](std::size_t value, const char* setting) {
        if (value != 0) return;
        Place place;
        place.setting = setting;
        throw InvalidSetting(std::string("the setting ") + setting + " must be at least 1", std::move(place));
    };
    if (settings.on_bad_record > BadRecords::skip) {
        Place place;
        place.setting = "on_bad_record";
        throw InvalidSetting("the setting on_bad_record must be BadRecords::fail, collect or skip", std::move(place));
    }
    at_least_one(settings.chunk_blocks, "chunk_blocks");
    at_least_one(settings.max_field_bytes, "max_field_bytes");
    at_least_one(settings.range_bytes, "range_bytes");
}

/// No file and no table needs more ("no limit" may be asked for by the largest number), and sums of a few stay within 64 bits.
inline CsvSettings within_reach(CsvSettings settings) {
    for (std::size_t* const count :
         {&settings.bad_record_limit, &settings.chunk_blocks, &settings.max_field_bytes, &settings.range_bytes})
        *count = std::min(*count, std::size_t{1} << 40);
    return settings;
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
