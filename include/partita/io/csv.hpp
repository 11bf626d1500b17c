// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tables from delimited text, and back.

#include <partita/core/wrong.hpp>
#include <partita/data/dataset.hpp>
#include <partita/io/csv/files.hpp>
#include <partita/io/csv/table.hpp>
#include <partita/io/csv/write.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

inline namespace PARTITA_DETAIL_GZIP {

/// Reads text files as one table of rows: the records of the files, one after the other in the order given; a folder stands for
/// its files in .csv and .csv.gz in the order of their paths' bytes (csv_files_in). `Row` is a described struct or a
/// Schema; its members are matched with the columns of each file by name. See CsvSettings for the format.
///
/// A collective: every worker calls it and holds its share of the blocks. A row's id is the number of its record; records
/// that are left out leave a gap.
/// Errors: MissingHeaderColumn, DuplicateHeaderColumn; for the first bad record in file order WrongColumnCount, BadValue or
/// BadQuote, with file, line and position; TooManyBadRecords; FileError; for names in .gz BadCompression, and
/// MissingComponent without partita::gzip; InvalidSetting. A file must not become shorter while it is read.
/// Determinism: the rows and the errors are the same for any number of threads and workers, and for any chunk_blocks.
/// Cost: two passes over the text, the first at the speed of memory; the text of a plain file is mapped, not copied, and each
/// worker looks at its share of it, once for where records begin and once for those of its blocks. A .gz is decompressed by every worker.
template <class Row>
Dataset<Row, Unsplit> read_csv(Session& session, const std::vector<std::string>& paths,
                               const CsvSettings& settings = {}) {
    if constexpr (detail::demand_row<Row, detail::is_table<Row>>()) {
        detail::CsvTableReader reader(session, columns_of<Row>, detail::CsvParsers<Row>::each, settings);
        return detail::make_dataset<Row>(session, reader.read([&] {
            std::vector<detail::SourceText> texts;
            if (paths.empty())
                throw InvalidSetting("read_csv was given no paths; give at least one file", Place{.setting = "paths"});
            for (const std::string& path : paths) {
                if (!detail::is_folder(path)) {
                    texts.push_back(detail::load_text(path));
                } else {
                    for (const std::string& file : csv_files_in(path)) texts.push_back(detail::load_text(file));
                }
            }
            return texts;
        }));
    } else {
        return Dataset<Row, Unsplit>(nullptr, {});  // the compilation has failed
    }
}

/// Reads one text file, or those of a folder; see above.
template <class Row>
Dataset<Row, Unsplit> read_csv(Session& session, const std::string& path, const CsvSettings& settings = {}) {
    return read_csv<Row>(session, std::vector<std::string>{path}, settings);
}
template <class Row>
Dataset<Row, Unsplit> read_csv(Session& session, const char* path, const CsvSettings& settings = {}) {
    return read_csv<Row>(session, std::vector<std::string>{path}, settings);
}

}  // namespace PARTITA_DETAIL_GZIP

/// Reads a text in memory, which every worker is given whole, as read_csv reads a file. Messages call it "text".
template <class Row>
Dataset<Row, Unsplit> read_csv_text(Session& session, std::string_view text, const CsvSettings& settings = {}) {
    if constexpr (detail::demand_row<Row, detail::is_table<Row>>()) {
        detail::CsvTableReader reader(session, columns_of<Row>, detail::CsvParsers<Row>::each, settings);
        return detail::make_dataset<Row>(
            session, reader.read([&] { return std::vector<detail::SourceText>{{"text", text, nullptr}}; }));
    } else {
        return Dataset<Row, Unsplit>(nullptr, {});  // the compilation has failed
    }
}

/// Writes a dataset as one text file in the order of its rows: a header line, numbers in the shortest form that reads back
/// the same, quotes where RFC 4180 asks for them, and an empty field for a missing value. A Vector column `x` becomes
/// `x_0`, `x_1`, …; NaN is written as `nan`, which reads back as missing.
///
/// A collective: every worker calls it, worker 0 writes. The file appears whole or not at all.
/// Errors: FileError, on all workers; InvalidSetting. Cost: the text in memory, on worker 0; the others send it theirs.
template <class Row, class Role>
void write_csv(const Dataset<Row, Role>& dataset, const std::string& path, const CsvWriteSettings& settings = {}) {
    if constexpr (detail::demand_row<Row, detail::is_table<Row>>()) {
        const Dataset<Row, Role> stored = dataset.materialize();
        detail::write_csv_table(stored.session(), columns_of<Row>, stored.state().chunks, path, settings);
    }
}

}  // namespace partita::inline PARTITA_ABI
