// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where each record of a file starts, found by all threads and workers at once.

#include <partita/comm/session.hpp>
#include <partita/comm/shares.hpp>
#include <partita/io/csv/header.hpp>
#include <partita/io/csv/source.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// Where the line after a position starts. A record whose quoting is wrong ends with the line in which it began.
inline std::size_t csv_next_line(std::string_view text, std::size_t position) {
    const std::size_t line_end = text.find('\n', position);
    return line_end == std::string_view::npos ? text.size() : line_end + 1;
}

/// One file of a table: its text, its layout, and the positions of its records.
class CsvFile {
  public:
    CsvFile(SourceText source, CsvLayout layout, const CsvSettings& settings)
        : source_(std::move(source)),
          layout_(std::move(layout)),
          range_bytes_(settings.range_bytes),
          scanner_(dialect_of(settings)),
          cutter_(dialect_of(settings)) {
        text_ = source_.text.substr(layout_.begin);
        if (layout_.fields > 1) {  // empty lines at the end are nothing
            const auto ends_empty = [&] { return text_.ends_with("\n\n") || text_.ends_with("\n\r\n"); };
            while (ends_empty()) text_.remove_suffix(text_.ends_with("\r\n") ? 2 : 1);
            if (text_ == "\n" || text_ == "\r\n") text_ = {};
        }
        ranges_.resize((text_.size() + range_bytes_ - 1) / range_bytes_);
    }

    const std::string& name() const { return source_.name; }
    std::string_view whole_text() const { return source_.text; }
    /// The records: the text without the header. Positions count from its first byte.
    std::string_view text() const { return text_; }
    const CsvLayout& layout() const { return layout_; }
    std::int64_t rows() const { return rows_; }
    std::span<CsvRange> ranges() { return ranges_; }

    void scan_range(std::size_t index) {
        ranges_[index] = scan_csv_range(scanner_, text_.substr(index * range_bytes_, range_bytes_));
    }

    /// Chains the ranges: whether each starts inside quotes, and how many records end before it.
    void chain_ranges() {
        rows_before_.assign(1, 0);
        bool inside = false;
        for (const CsvRange& range : ranges_) {
            rows_before_.push_back(rows_before_.back() + range.line_ends[inside ? 1 : 0]);
            starts_inside_.push_back(inside);
            inside = inside != range.flips;
        }
        rows_ = rows_before_.back();
        if (inside || (!text_.empty() && text_.back() != '\n')) ++rows_;  // the last line has no end
    }

    /// Finds the records one after the other, as is needed where the quoting of some is wrong.
    void walk() {
        exact_.clear();
        rows_ = 0;
        CsvBatch batch;
        for (std::size_t position = 0; position < text_.size();) {
            if (rows_ % block_rows == 0) exact_.push_back(position);
            const auto wanted = static_cast<std::size_t>(block_rows - rows_ % block_rows);
            rows_ += static_cast<std::int64_t>(advance(position, wanted, batch));
        }
        if (exact_.empty()) exact_.push_back(0);
    }

    /// Where a record starts.
    std::size_t locate(std::int64_t row) const {
        if (!exact_.empty()) {
            std::size_t position = exact_[static_cast<std::size_t>(row / block_rows)];
            CsvBatch batch;
            for (auto left = static_cast<std::size_t>(row % block_rows); left > 0;)
                left -= advance(position, left, batch);
            return position;
        }
        if (row == 0) return 0;
        const auto above = std::lower_bound(rows_before_.begin(), rows_before_.end(), row);
        const std::size_t range = static_cast<std::size_t>(above - rows_before_.begin()) - 1;
        return range * range_bytes_ + find_csv_record(scanner_, text_.substr(range * range_bytes_, range_bytes_),
                                                      starts_inside_[range], row - rows_before_[range]);
    }

  private:
    /// Passes over at most `wanted` records; returns how many.
    std::size_t advance(std::size_t& position, std::size_t wanted, CsvBatch& batch) const {
        cutter_.cut(text_.substr(position), wanted, 1 << 14, batch);
        position += batch.size_bytes;
        if (!batch.has_bad_quote) return batch.rows;
        position = csv_next_line(text_, position);
        return batch.rows + 1;
    }

    SourceText source_;
    std::string_view text_;
    CsvLayout layout_;
    std::size_t range_bytes_;
    CsvScanner scanner_;
    CsvCutter cutter_;
    std::vector<CsvRange> ranges_;
    std::vector<bool> starts_inside_;
    std::vector<std::int64_t> rows_before_;
    std::vector<std::size_t> exact_;  // of every 4096th record, after walk()
    std::int64_t rows_ = 0;
};

/// Finds the structure of all files: each worker looks at its share of the ranges, and tells the others.
/// `opened` is the error of whatever came before, which travels along. Errors: CollectiveMismatch where they see files of other sizes.
inline void scan_csv_files(Session& session, std::vector<CsvFile>& files, const PendingError& opened) {
    std::vector<std::pair<std::size_t, std::size_t>> all;  // file, range
    PendingError pending = opened;
    Bytes mine;
    if (!pending) {
        pending = attempt([&] {
            for (std::size_t file = 0; file < files.size(); ++file)
                for (std::size_t range = 0; range < files[file].ranges().size(); ++range) all.emplace_back(file, range);
            const Share share = share_of(all.size(), session.rank(), session.size());
            session.for_each(share.count, [&](std::size_t index, std::size_t) {
                const auto [file, range] = all[share.first + index];
                files[file].scan_range(range);
            });
            ByteWriter writer(mine);
            writer.write(static_cast<std::uint64_t>(files.size()));
            for (const CsvFile& file : files) writer.write(static_cast<std::uint64_t>(file.text().size()));
            for (std::size_t i = 0; i < share.count; ++i) {
                const auto [file, range] = all[share.first + i];
                writer.write(files[file].ranges()[range]);
            }
        });
    }
    const std::vector<Bytes> gathered = session.communicator().all_gather(mine, pending);
    std::vector<ByteReader> readers(gathered.begin(), gathered.end());
    for (std::size_t rank = 0; rank < gathered.size(); ++rank) {
        ByteReader first(gathered[0]);
        ByteReader& reader = readers[rank];
        demand_same_file(files.empty() ? "a table" : files[0].name(), "files", first.read<std::uint64_t>(),
                         reader.read<std::uint64_t>(), rank);
        for (const CsvFile& file : files)
            demand_same_file(file.name(), "bytes of records", first.read<std::uint64_t>(), reader.read<std::uint64_t>(),
                             rank);
    }
    std::size_t next = 0;
    for (ByteReader& reader : readers) {
        for (; reader.remaining() != 0 && next < all.size(); ++next) {
            const auto [file, range] = all[next];
            files[file].ranges()[range] = reader.read<CsvRange>();
        }
    }
    for (CsvFile& file : files) file.chain_ranges();
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
