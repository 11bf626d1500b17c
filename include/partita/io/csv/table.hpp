// SPDX-License-Identifier: Apache-2.0
#pragma once

// A table of text files read by all threads and workers, without its C++ type.

#include <partita/comm/wire.hpp>
#include <partita/io/csv/chunk_parser.hpp>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// Reads the files of one table: their records, one file after the other, are its rows.
class CsvTableReader {
  public:
    /// `parsers` has one for each column of the table.
    CsvTableReader(Session& session, std::span<const ColumnInfo> table, const CsvColumnParser* parsers,
                   const CsvSettings& settings)
        : session_(session),
          table_(table),
          parsers_(parsers),
          settings_(within_reach(settings)),
          missing_(settings.missing) {}

    /// `load` gives the texts; it runs on every worker, and what it throws is thrown on all.
    std::vector<std::shared_ptr<const Chunk>> read(FunctionRef<std::vector<SourceText>()> load) {
        scan_csv_files(session_, files_, attempt([&] {
                           check_csv_settings(settings_);
                           for (SourceText& source : load()) open(std::move(source));
                       }));
        if (files_.empty()) return {};
        parse();
        // Records with wrong quotes mislead the scan about what follows them: then the records are found one by one.
        if (settings_.on_bad_record != BadRecords::fail && any_worker(misled())) {
            session_.communicator().agree(attempt([&] {
                session_.for_each(files_.size(), [&](std::size_t file, std::size_t) { files_[file].walk(); });
            }));
            parse();
        }
        report();
        std::vector<std::shared_ptr<const Chunk>> chunks;
        for (CsvParsed& part : parsed_)
            if (part.chunk) chunks.push_back(std::move(part.chunk));
        return chunks;
    }

  private:
    void open(SourceText source) {
        CsvLayout layout = CsvHeader(table_, settings_, source.text, source.name).layout();
        if (!files_.empty() && layout.widths != files_.front().layout().widths) {
            Place place;
            place.file = source.name;
            throw WrongWidth(source.name + ": the header has another number of columns for a Vector member than " +
                                 files_.front().name() + "; read files of one shape together",
                             std::move(place));
        }
        files_.emplace_back(std::move(source), std::move(layout), settings_);
    }

    /// Parses this worker's share of the blocks, chunk by chunk.
    void parse() {
        parsed_.clear();
        std::int64_t rows = 0;
        first_rows_.clear();
        for (const CsvFile& file : files_) {
            first_rows_.push_back(rows);
            rows += file.rows();
        }
        const auto blocks = static_cast<std::size_t>((rows + block_rows - 1) / block_rows);
        const Share share = share_of(blocks, session_.rank(), session_.size());
        const std::size_t chunks = (share.count + settings_.chunk_blocks - 1) / settings_.chunk_blocks;
        const auto row_of = [&](std::size_t block) {
            return std::min(rows, static_cast<std::int64_t>(block) * block_rows);
        };
        session_.communicator().agree(attempt([&] {
            parsed_.resize(chunks);
            session_.for_each(chunks, [&](std::size_t index, std::size_t) {
                const std::size_t first = share.first + index * settings_.chunk_blocks;
                const std::size_t last = std::min(first + settings_.chunk_blocks, share.first + share.count);
                parsed_[index] = parse_chunk(row_of(first), row_of(last));
            });
        }));
    }

    CsvParsed parse_chunk(std::int64_t first_row, std::int64_t last_row) const {
        CsvChunkParser parser(table_, parsers_, settings_, missing_, files_.front().layout().widths, first_row,
                              static_cast<std::size_t>(last_row - first_row));
        for (std::size_t file = 0; file < files_.size(); ++file) {
            const std::int64_t from = std::max(first_row, first_rows_[file]) - first_rows_[file];
            const std::int64_t to = std::min(last_row - first_rows_[file], files_[file].rows());
            if (from < to) parser.read(files_[file], file, from, static_cast<std::size_t>(to - from));
        }
        return parser.finish();
    }

    bool misled() const {
        for (const CsvParsed& part : parsed_)
            if (part.has_bad_quote) return true;
        return false;
    }
    bool any_worker(bool here) const {
        std::int64_t any = here ? 1 : 0;
        session_.communicator().all_reduce(std::span(&any, 1), Reduction::maximum);
        return any != 0;
    }

    /// Agrees on what was read and what was not.
    void report() {
        std::int64_t counts[2] = {0, 0};
        for (const CsvParsed& part : parsed_) {
            counts[0] += part.rows;
            counts[1] += part.bad_records;
        }
        session_.communicator().all_reduce(counts);
        std::vector<BadRecord> records;
        if (counts[1] != 0) records = gather_bad_records();
        const std::size_t limit = settings_.bad_record_limit;
        if (settings_.on_bad_record == BadRecords::collect && counts[1] > static_cast<std::int64_t>(limit))
            throw_too_many(records, limit);
        if (records.size() > limit) records.resize(limit);
        if (settings_.report != nullptr) {
            static std::mutex filling;  // workers of one process may have been handed the same report …
            const std::lock_guard lock(filling);
            *settings_.report = {counts[0], counts[1], std::move(records)};
        }
        session_.communicator().barrier();  // … which no one may read before all have filled it in
    }

    /// The first bad records of all workers, at most one more than the limit, in file order.
    std::vector<BadRecord> gather_bad_records() {
        Bytes mine;
        const PendingError pending = attempt([&] {
            ByteWriter writer(mine);
            std::size_t listed = 0;
            LineCounter lines;
            for (const CsvParsed& part : parsed_) {
                for (const CsvFault& fault : part.faults) {
                    if (listed++ > settings_.bad_record_limit) return;
                    const CsvFile& file = files_[fault.file];
                    const BadRecord record = fault.report(file.name(), file.whole_text(), lines);
                    for (const std::string* text : {&record.file, &record.column, &record.cause, &record.reason})
                        writer.write_sized(*text);
                    for (std::int64_t number : {record.line, record.position, record.row}) writer.write(number);
                }
            }
        });
        std::vector<BadRecord> result;
        for (const Bytes& bytes : session_.communicator().all_gather(mine, pending)) {
            ByteReader reader(bytes);
            while (reader.remaining() != 0 && result.size() <= settings_.bad_record_limit) {
                BadRecord record;
                for (std::string* text : {&record.file, &record.column, &record.cause, &record.reason})
                    *text = reader.read_text();
                for (std::int64_t* number : {&record.line, &record.position, &record.row})
                    *number = reader.read<std::int64_t>();
                result.push_back(std::move(record));
            }
        }
        return result;
    }

    Session& session_;
    std::span<const ColumnInfo> table_;
    const CsvColumnParser* parsers_;
    const CsvSettings settings_;
    MissingWords missing_;
    std::vector<CsvFile> files_;
    std::vector<std::int64_t> first_rows_;
    std::vector<CsvParsed> parsed_;
};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
