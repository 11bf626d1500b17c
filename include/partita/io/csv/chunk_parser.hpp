// SPDX-License-Identifier: Apache-2.0
#pragma once

// One chunk of a table out of the records of one or several files.

#include <partita/io/csv/bad_record.hpp>
#include <partita/io/csv/structure.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// What became of the records of one chunk.
struct CsvParsed {
    std::shared_ptr<const Chunk> chunk;  ///< null where no record could be read
    std::int64_t rows = 0;
    std::int64_t bad_records = 0;
    std::vector<CsvFault> faults;  ///< the first of them
    bool has_bad_quote = false;    ///< so what the scan said of the text behind may be wrong
};

/// Parses records first_row … of the table into a chunk. Records are cut and parsed in batches that stay in the cache.
class CsvChunkParser {
  public:
    CsvChunkParser(std::span<const ColumnInfo> table, const CsvColumnParser* parsers, const CsvSettings& settings,
                   const MissingWords& missing, const std::vector<std::size_t>& widths, std::int64_t first_row,
                   std::size_t rows)
        : table_(table),
          settings_(settings),
          cutter_(dialect_of(settings)),
          first_row_(first_row),
          next_row_(first_row) {
        builders_.reserve(table.size());
        for (std::size_t column = 0; column < table.size(); ++column)
            builders_.emplace_back(table[column].type, parsers[column], rows, widths[column], missing);
    }

    /// Appends the `count` records of a file from `first` on.
    void read(const CsvFile& file, std::size_t file_index, std::int64_t first, std::size_t count) {
        file_ = &file;
        file_index_ = file_index;
        batch_start_ = file.locate(first);
        std::size_t enough = batch_bytes;
        while (count > 0 && !full() && batch_start_ < file.text().size()) {
            cutter_.cut(file.text().substr(batch_start_), count < 4096 ? count : 4096, enough, batch_);
            read_batch();
            count -= batch_.rows;
            if (batch_.has_bad_quote && !full()) {
                --count;
                parsed_.has_bad_quote = true;
                report_bad_quote();
                batch_start_ = csv_next_line(file.text(), batch_start_ + batch_.size_bytes);
                enough = 64;  // there may be more; what is cut behind them is cut in vain
            } else {
                batch_start_ += batch_.size_bytes;
                enough = enough * 4 < batch_bytes ? enough * 4 : batch_bytes;
            }
        }
    }

    CsvParsed finish() {
        parsed_.rows = static_cast<std::int64_t>(rows_);
        if (rows_ == 0) return std::move(parsed_);
        std::vector<ColumnData> columns;
        columns.reserve(builders_.size());
        for (CsvColumnBuilder& builder : builders_) columns.push_back(builder.finish(rows_));
        parsed_.chunk = parsed_.bad_records == 0 ? std::make_shared<const Chunk>(first_row_, rows_, std::move(columns))
                                                 : std::make_shared<const Chunk>(std::move(ids_), std::move(columns));
        return std::move(parsed_);
    }

  private:
    static constexpr std::size_t batch_bytes = 1 << 14;

    /// Whether so many records are bad that reading on is useless.
    bool full() const {
        return settings_.on_bad_record == BadRecords::collect &&
               parsed_.bad_records > static_cast<std::int64_t>(settings_.bad_record_limit);
    }

    /// The records of a batch in runs: those with the right number of fields.
    void read_batch() {
        const std::size_t fields = file_->layout().fields;
        CsvRun run;
        run.text = file_->text().data() + batch_start_;
        run.readable = static_cast<std::size_t>(run.text - file_->whole_text().data());
        run.fields = fields;
        run.has_quotes = batch_.has_quotes;
        run.quote = settings_.quote;
        std::size_t row = 0, field = 0;
        while (row < batch_.rows && !full()) {
            const std::size_t first_row = row;
            run.starts = batch_.starts.data() + field;
            while (row < batch_.rows && batch_.row_ends[row] == field + fields) {
                field += fields;
                ++row;
            }
            run.rows = row - first_row;
            if (run.rows != 0) read_run(run);
            if (row == batch_.rows || full()) return;
            const std::size_t found = batch_.row_ends[row] - field;
            fault(CsvFault::Cause::wrong_column_count, batch_.starts[field], batch_.starts[field], {},
                  "the record has " + std::to_string(found) + (found == 1 ? " field" : " fields") +
                      ", but the file has " + std::to_string(fields) + (fields == 1 ? " column" : " columns"));
            field = batch_.row_ends[row++];
        }
    }

    /// Records with the right number of fields: all columns that may fail, then the texts of the records before the first
    /// that did; what is behind it is parsed again.
    void read_run(const CsvRun& all) {
        CsvRun run = all;
        std::size_t window = all.rows;
        for (std::size_t done = 0; done < all.rows && !full();) {
            const std::size_t tried = window < all.rows - done ? window : all.rows - done;
            run.rows = tried;
            run.starts = all.starts + done * all.fields;
            if (batch_.size_bytes > settings_.max_field_bytes) run.rows = before_long_field(run);
            for (const CsvFeed& feed : file_->layout().feeds) {
                CsvColumnBuilder& builder = builders_[feed.column];
                if (builder.may_fail()) run.rows = builder.parse(run, feed.field, rows_, feed.slot);
            }
            if (run.rows < tried)
                for (CsvColumnBuilder& builder : builders_) builder.forget(rows_ + run.rows, rows_ + tried);
            for (const CsvFeed& feed : file_->layout().feeds) {
                CsvColumnBuilder& builder = builders_[feed.column];
                if (!builder.may_fail()) builder.parse(run, feed.field, rows_, feed.slot);
            }
            rows_ += run.rows;
            if (parsed_.bad_records != 0)
                for (std::size_t i = 0; i < run.rows; ++i) ids_.push_back(next_row_ + static_cast<std::int64_t>(i));
            next_row_ += static_cast<std::int64_t>(run.rows);
            done += run.rows;
            window *= 4;
            if (run.rows < tried) {
                run.starts = all.starts + done * all.fields;
                report_bad_value(run);
                ++done;
                window = 1;
            }
        }
    }

    std::size_t before_long_field(const CsvRun& run) const {
        for (std::size_t i = 0; i < run.rows * run.fields; ++i)
            if (run.starts[i + 1] - run.starts[i] > settings_.max_field_bytes + 3)
                return i / run.fields;  // 3: quotes and delimiter
        return run.rows;
    }

    /// Finds out what is wrong with the first record of the run.
    void report_bad_value(CsvRun run) {
        run.rows = 1;
        for (std::size_t field = 0; field < run.fields; ++field) {
            if (run.starts[field + 1] - run.starts[field] <= settings_.max_field_bytes + 3) continue;
            return fault(CsvFault::Cause::bad_value, run.starts[0], run.starts[field], column_of(field),
                         "the field is longer than " + std::to_string(settings_.max_field_bytes) +
                             " bytes; a quote may be missing before it, or max_field_bytes be too small");
        }
        std::string scratch;
        for (const CsvFeed& feed : file_->layout().feeds) {
            CsvColumnBuilder& builder = builders_[feed.column];
            const std::string_view text = run.content(run.raw(0, feed.field), scratch);
            const Spelt spelt = builder.check(text);
            if (spelt == Spelt::value || (spelt == Spelt::missing && builder.nullable())) continue;
            const ColumnInfo& info = table_[feed.column];
            std::string reason(kind_name(element_kind(info.type.kind)));
            if (spelt == Spelt::missing) {
                reason = "the value is missing" + (text.empty() ? std::string() : " (" + csv_excerpt(text) + ")") +
                         ", and the member is no std::optional<" + reason + ">";
            } else {
                reason =
                    csv_excerpt(text) + (spelt == Spelt::no_value ? " is no " : " is out of the range of ") + reason;
            }
            return fault(CsvFault::Cause::bad_value, run.starts[0], run.starts[feed.field], std::string(info.name),
                         std::move(reason));
        }
        fault(CsvFault::Cause::bad_value, run.starts[0], run.starts[0], {},
              "the record cannot be read");  // and is not lost
    }
    static Kind element_kind(Kind kind) {
        if (kind == Kind::vector_float32) return Kind::float32;
        return kind == Kind::vector_float64 ? Kind::float64 : kind;
    }
    std::string column_of(std::size_t field) const {
        for (const CsvFeed& feed : file_->layout().feeds)
            if (feed.field == field) return std::string(table_[feed.column].name);
        return {};
    }

    void report_bad_quote() {
        const std::string_view text = file_->text();
        if (batch_.bad_quote == std::string_view::npos)
            return fault(CsvFault::Cause::bad_quote, batch_.size_bytes, batch_.size_bytes, {},
                         "the record has a quoted field that is not closed; close it, or double the quotes inside it");
        const bool is_quote = text[batch_start_ + batch_.bad_quote] == settings_.quote;
        fault(CsvFault::Cause::bad_quote, batch_.size_bytes, batch_.bad_quote, {},
              is_quote
                  ? "a quote stands inside a field that does not begin with one; quote the field and double the quote"
                  : "text follows the closing quote of a field; double the quotes inside the field, or end it here");
    }

    /// Notes that the record next_row_ is bad, or throws; it begins and is bad at these positions of the batch.
    void fault(CsvFault::Cause cause, std::size_t record, std::size_t position, std::string column,
               std::string reason) {
        const std::size_t batch = file_->layout().begin + batch_start_;
        CsvFault fault{cause,     file_index_,       batch + record,   batch + position,
                       next_row_, std::move(column), std::move(reason)};
        if (settings_.on_bad_record == BadRecords::fail) {
            LineCounter lines;
            throw_bad_record(fault.report(file_->name(), file_->whole_text(), lines));
        }
        if (parsed_.bad_records == 0)
            for (std::int64_t id = first_row_; id < next_row_; ++id) ids_.push_back(id);
        ++parsed_.bad_records;
        ++next_row_;
        if (parsed_.faults.size() <= settings_.bad_record_limit) parsed_.faults.push_back(std::move(fault));
    }

    std::span<const ColumnInfo> table_;
    const CsvSettings& settings_;
    CsvCutter cutter_;
    std::vector<CsvColumnBuilder> builders_;
    const CsvFile* file_ = nullptr;
    std::size_t file_index_ = 0;
    std::size_t batch_start_ = 0;
    CsvBatch batch_;
    std::size_t rows_ = 0;           // in the columns
    std::int64_t first_row_;         // the id of the chunk's first record
    std::int64_t next_row_;          // the id of the next record
    std::vector<std::int64_t> ids_;  // of the rows, once a record was left out
    CsvParsed parsed_;
};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
