// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which fields of a file feed which columns of a table: matched by name, once for each file.

#include <partita/core/near_name.hpp>
#include <partita/core/sort_few.hpp>
#include <partita/data/schema.hpp>
#include <partita/io/csv/columns.hpp>
#include <partita/io/csv/scan.hpp>
#include <partita/io/csv/settings.hpp>

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// A field of each record becomes element `slot` of a column.
struct CsvFeed {
    std::size_t field = 0, column = 0, slot = 0;
};

/// How a file's records fill the table.
struct CsvLayout {
    std::size_t fields = 0;           ///< in each record
    std::size_t begin = 0;            ///< of the first record after the header
    std::vector<CsvFeed> feeds;       ///< by ascending field
    std::vector<std::size_t> widths;  ///< of each column of the table
};

inline CsvDialect dialect_of(const CsvSettings& settings) {
    return {settings.delimiter, settings.quote, settings.quote != '\0'};
}

/// A text of the file as a message shows it: short, and printable.
inline std::string csv_excerpt(std::string_view text) {
    std::string result = "\"";
    for (char c : text.substr(0, 40)) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    return result + (text.size() > 40 ? "…\"" : "\"");
}

/// The header line of a file, matched against a table.
class CsvHeader {
  public:
    CsvHeader(std::span<const ColumnInfo> table, const CsvSettings& settings, std::string_view text,
              const std::string& file)
        : table_(table), settings_(settings), file_(file) {
        if (text.starts_with("\xEF\xBB\xBF")) layout_.begin = 3;
        if (!settings.column_names.empty()) {
            names_ = settings.column_names;
        } else {
            read_names(text.substr(layout_.begin));
        }
        layout_.fields = names_.size();
        for (const CsvColumn& entry : settings.columns) {
            if (find_column(table, entry.member) < 0) refuse_setting(entry, "the row has no member of that name");
            for (const CsvColumn* other = settings.columns.data(); other != &entry; ++other)
                if (other->member == entry.member)
                    refuse_setting(entry, "the member is named twice; name it once, with all its columns");
        }
        for (std::size_t column = 0; column < table.size(); ++column) match(column);
        sort_few(layout_.feeds, [](const CsvFeed& a, const CsvFeed& b) {
            return a.field != b.field ? a.field < b.field : a.column < b.column;
        });
    }
    CsvLayout layout() && { return std::move(layout_); }

  private:
    static constexpr const char* lone_returns_remedy =
        "the file ends its lines with lone CRs, so all of it is one line; convert the line ends to LF or CRLF";

    void read_names(std::string_view text) {
        lone_returns_ = text.find('\n') == std::string_view::npos &&
                        text.substr(0, text.size() - 1).find('\r') != std::string_view::npos;
        CsvBatch batch;
        CsvCutter(dialect_of(settings_)).cut(text, 1, 0, batch);
        if (batch.has_bad_quote)
            throw BadQuote(file_ + ":1: the header has a quote inside a field, or one that is not closed; " +
                               (lone_returns_ ? lone_returns_remedy : "correct the header"),
                           place({}));
        if (batch.rows == 0)
            throw MissingHeaderColumn(file_ +
                                          ": the file is empty; its first line must name the columns, or "
                                          "CsvSettings::column_names must",
                                      place({}));
        CsvRun run;
        run.text = text.data();
        run.starts = batch.starts.data();
        run.fields = batch.row_ends[0];
        run.rows = 1;
        run.has_quotes = batch.has_quotes;
        run.quote = settings_.quote;
        std::string scratch;
        for (std::size_t field = 0; field < run.fields; ++field) {
            const std::string_view raw = run.raw(0, field);
            names_.emplace_back(run.is_quoted(raw) ? run.content(raw, scratch) : without_blanks(raw));
        }
        layout_.begin += batch.size_bytes;
    }

    void match(std::size_t column) {
        const ColumnInfo& info = table_[column];
        const bool is_vector = (kind_bit(info.type.kind) & dense_vector_kinds) != 0;
        const std::string name(info.name);
        std::size_t width = is_vector && info.type.extent != dynamic ? static_cast<std::size_t>(info.type.extent) : 1;
        const CsvColumn* entry = nullptr;
        for (const CsvColumn& candidate : settings_.columns)
            if (candidate.member == info.name) entry = &candidate;
        if (entry != nullptr) {
            if (is_vector && info.type.extent == dynamic) width = entry->file_columns.size();
            if (entry->file_columns.size() != width)
                refuse_setting(*entry, "the member takes " + std::to_string(width) + " columns of the file, but " +
                                           std::to_string(entry->file_columns.size()) + " are named");
            for (std::size_t slot = 0; slot < width; ++slot) feed(column, slot, entry->file_columns[slot]);
        } else if (is_vector) {
            if (info.type.extent == dynamic) width = width_of(name);
            for (std::size_t slot = 0; slot < width; ++slot) {
                const std::string element = name + "_" + std::to_string(slot);
                if (info.type.extent == dynamic && slot + 1 < width && !has(element))
                    refuse_gap(element, name + "_" + std::to_string(width - 1));
                feed(column, slot, element);
            }
        } else {
            feed(column, 0, name);
        }
        layout_.widths.push_back(width);
    }

    /// One more than the largest element that the header names, so that a gap is a missing column.
    std::size_t width_of(const std::string& vector) const {
        std::size_t width = 1;
        for (const std::string& name : names_) {
            if (!name.starts_with(vector + "_")) continue;
            std::size_t element = 0;
            const char *digits = name.data() + vector.size() + 1, *end = name.data() + name.size();
            const auto read = std::from_chars(digits, end, element);
            if (read.ec != std::errc() || read.ptr != end || (*digits == '0' && end - digits > 1)) continue;
            width = std::max(width, element + 1);
        }
        return width;
    }

    void feed(std::size_t column, std::size_t slot, const std::string& name) {
        const auto found = std::find(names_.begin(), names_.end(), name);
        if (found == names_.end()) refuse_missing(name);
        if (std::find(found + 1, names_.end(), name) != names_.end())
            throw DuplicateHeaderColumn(file_ + ":1: the header has the column \"" + name +
                                            "\" twice; rename or remove one of the two in the file",
                                        place(name));
        layout_.feeds.push_back({static_cast<std::size_t>(found - names_.begin()), column, slot});
    }

    bool has(const std::string& name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

    [[noreturn]] void refuse_gap(const std::string& name, const std::string& last) const {
        throw MissingHeaderColumn(file_ + ":1: the header has \"" + last + "\" but no column \"" + name +
                                      "\"; number the elements of a vector without a gap, or say which columns they "
                                      "are in CsvSettings::columns",
                                  place(name));
    }
    [[noreturn]] void refuse_missing(const std::string& name) const {
        std::string sentence = file_ + ":1: the header has no column \"" + name + "\"";
        if (lone_returns_) {
            throw MissingHeaderColumn(sentence + "; " + lone_returns_remedy, place(name));
        }
        const int near = near_name(name, static_cast<int>(names_.size()),
                                   [&](int i) -> std::string_view { return names_[static_cast<std::size_t>(i)]; });
        if (near >= 0) sentence += "; did you mean \"" + names_[static_cast<std::size_t>(near)] + "\"?";
        else if (names_.size() == 1 && names_[0].find_first_of(";,\t|") != std::string::npos)
            sentence += "; it has a single column, so the setting delimiter may be wrong";
        else sentence += "; it has " + list_of_names();
        sentence += (near < 0 ? ". Rename" : " Rename") +
                    std::string(" the column in the file, or say which one it is in CsvSettings::columns");
        throw MissingHeaderColumn(std::move(sentence), place(name));
    }
    std::string list_of_names() const {
        std::string result;
        for (std::size_t i = 0; i < names_.size() && i < 12; ++i)
            result += (i == 0 ? "" : ", ") + csv_excerpt(names_[i]);
        return names_.size() > 12 ? result + ", …" : result;
    }
    [[noreturn]] void refuse_setting(const CsvColumn& entry, const std::string& reason) const {
        Place where;
        where.column = entry.member;
        where.setting = "columns";
        throw InvalidSetting("CsvSettings::columns, member \"" + entry.member + "\": " + reason, std::move(where));
    }
    Place place(const std::string& column) const {
        Place where;
        where.file = file_;
        where.line = 1;
        where.column = column;
        return where;
    }

    std::span<const ColumnInfo> table_;
    const CsvSettings& settings_;
    const std::string& file_;
    std::vector<std::string> names_;
    CsvLayout layout_;
    bool lone_returns_ = false;  ///< there is a CR and no LF, so that the whole file is its header
};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
