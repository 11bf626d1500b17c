// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of all workers in the order of their keys.

#include <partita/data/relational/move_rows.hpp>
#include <partita/data/relational/row_keys.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// A row and the first bytes of its key, which mostly decide.
struct KeyedRow {
    std::uint64_t prefix;
    RowRef row;
};

/// The keys of the rows of some chunks.
class KeysOfChunks {
  public:
    KeysOfChunks(Session& session, const Chunks& chunks, std::span<const KeyPart> parts, KeyUse use)
        : keys_(chunks.size()) {
        expect_countable(chunks);
        session.for_each(chunks.size(), [&](std::size_t index, std::size_t) {
            keys_[index] = std::make_unique<const RowKeys>(*chunks[index], parts, use);
        });
    }

    std::size_t chunks() const { return keys_.size(); }
    const RowKeys& chunk(std::size_t index) const { return *keys_[index]; }
    std::string_view operator[](RowRef at) const { return (*keys_[at.chunk])[at.row]; }

    /// The first `limit` rows in the order of their keys, those of equal keys in the order of their ids.
    std::vector<KeyedRow> sorted(std::size_t limit) const {
        std::vector<KeyedRow> rows;
        for (std::uint32_t chunk = 0; chunk < keys_.size(); ++chunk)
            for (std::uint32_t row = 0; row < keys_[chunk]->rows(); ++row)
                rows.push_back({keys_[chunk]->prefix(row), {chunk, row}});
        if (limit < rows.size() / 8) {
            std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end(),
                             [this](const KeyedRow& a, const KeyedRow& b) { return before(a, b); });
            rows.resize(limit);
            std::sort(rows.begin(), rows.end(), [this](const KeyedRow& a, const KeyedRow& b) { return before(a, b); });
            return rows;
        }
        sort_by_prefix(rows);
        for (std::size_t first = 0, last; first < rows.size(); first = last) {  // runs of equal first bytes
            last = first + 1;
            while (last < rows.size() && rows[last].prefix == rows[first].prefix) ++last;
            if (last - first == 1 || (*this)[rows[first].row].size() <= 8) continue;
            std::sort(rows.begin() + static_cast<std::ptrdiff_t>(first),
                      rows.begin() + static_cast<std::ptrdiff_t>(last),
                      [this](const KeyedRow& a, const KeyedRow& b) { return before(a, b); });
        }
        if (limit < rows.size()) rows.resize(limit);
        return rows;
    }

  private:
    bool before(const KeyedRow& a, const KeyedRow& b) const {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        const int order = (*this)[a.row].compare((*this)[b.row]);
        return order != 0 ? order < 0 : a.row < b.row;
    }

    /// A byte at a time from the lowest, each pass keeping the order of the last; bytes that all rows share take no pass.
    static void sort_by_prefix(std::vector<KeyedRow>& rows) {
        constexpr std::size_t bytes = 8, values = 256;
        std::vector<std::size_t> counts(bytes * values, 0);
        for (const KeyedRow& row : rows)
            for (std::size_t byte = 0; byte < bytes; ++byte) ++counts[byte * values + (row.prefix >> (8 * byte) & 255)];
        std::vector<KeyedRow> other(rows.size());
        for (std::size_t byte = 0; byte < bytes; ++byte) {
            std::size_t* places = counts.data() + byte * values;
            if (std::find(places, places + values, rows.size()) != places + values) continue;
            std::size_t place = 0;
            for (std::size_t value = 0; value < values; ++value) place += std::exchange(places[value], place);
            for (const KeyedRow& row : rows) other[places[row.prefix >> (8 * byte) & 255]++] = row;
            rows.swap(other);
        }
    }

    std::vector<std::unique_ptr<const RowKeys>> keys_;
};

inline std::vector<RowRef> refs_of(std::span<const KeyedRow> rows) {
    std::vector<RowRef> refs(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) refs[i] = rows[i].row;
    return refs;
}

/// Where a sorted sequence that is spread over the workers is cut: before the first element that is not less.
struct Splitter {
    static constexpr std::uint64_t no_place = ~std::uint64_t{0};  ///< equal keys are not told apart

    std::string key;
    std::uint64_t worker = 0,
                  place = 0;  ///< of equal keys: whose, and where among its elements before they were sorted

    bool is_behind(std::string_view other, std::uint64_t other_worker, std::uint64_t other_place) const {
        const int order = other.compare(key);
        if (order != 0 || place == no_place) return order < 0;
        return std::pair(other_worker, other_place) < std::pair(worker, place);
    }
    friend bool operator<(const Splitter& a, const Splitter& b) {
        return std::tie(a.key, a.worker, a.place) < std::tie(b.key, b.worker, b.place);
    }
};

/// Cuts sorted elements into parts of about equal size, one for each worker, by samples: every so many-th element of each worker,
/// of each from another one on, so that workers whose elements are alike give different samples. A part is then at most one in 32
/// larger than the even one; where they are not alike, at worst P in 32 for P workers. `at(i)` gives the key of this worker's element number i and
/// its place before sorting; the result says where its share for each worker begins, and its number of elements last.
/// A collective, into which `pending` goes; what fails behind it comes back there.
inline std::vector<std::size_t> cut_sorted(Session& session, std::size_t elements,
                                           FunctionRef<std::pair<std::string_view, std::uint64_t>(std::size_t)> at,
                                           PendingError& pending) {
    const std::size_t workers = session.size();
    auto total = static_cast<std::int64_t>(elements);
    session.communicator().all_reduce(std::span(&total, 1), Reduction::sum, pending);
    const std::size_t step = std::max<std::size_t>(1, static_cast<std::size_t>(total) / (32 * workers));
    Bytes mine;
    const PendingError failed = attempt([&] {
        ByteWriter writer(mine);
        for (std::size_t i = step * (2 * session.rank() + 1) / (2 * workers); i < elements; i += step) {
            const auto [key, place] = at(i);
            writer.write_sized(key);
            writer.write(place);
        }
    });
    const std::vector<Bytes> gathered = session.communicator().all_gather(mine, failed);
    std::vector<Splitter> samples;
    pending = attempt([&] {
        for (std::size_t worker = 0; worker < workers; ++worker) {
            ByteReader reader(gathered[worker]);
            while (reader.remaining() != 0) {
                std::string key = reader.read_text();
                samples.push_back({std::move(key), worker, reader.read<std::uint64_t>()});
            }
        }
        std::sort(samples.begin(), samples.end());
    });
    std::vector<std::size_t> borders{0};
    for (std::size_t worker = 1; worker < workers; ++worker) {
        std::size_t low = borders.back(), high = elements;
        while (low < high && !samples.empty()) {
            const std::size_t middle = (low + high) / 2;
            const auto [key, place] = at(middle);
            if (samples[worker * samples.size() / workers].is_behind(key, session.rank(), place)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        borders.push_back(low);
    }
    borders.push_back(elements);
    return borders;
}

/// The same where equal keys of several workers must end up on one.
inline std::vector<std::size_t> cut_sorted_keys(Session& session, std::size_t elements,
                                                FunctionRef<std::string_view(std::size_t)> at, PendingError& pending) {
    return cut_sorted(session, elements, [&](std::size_t i) { return std::pair(at(i), Splitter::no_place); }, pending);
}

/// The first `limit` rows of all workers in the order of their keys, under the ids 0, 1, …, with all columns, whose types are
/// `types`. A collective.
inline Chunks sort_chunks(Session& session, const Chunks& chunks, std::span<const ColumnType> types,
                          std::span<const KeyPart> parts, std::size_t limit = static_cast<std::size_t>(-1)) {
    std::vector<std::size_t> columns(types.size());
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;

    Chunks sources = chunks;
    std::vector<RowRef> rows;
    std::optional<RowPicker> picker;
    PendingError pending;
    std::optional<KeysOfChunks> keys;
    const auto sort_here = [&] {
        pending = attempt([&] {
            keys.emplace(session, sources, parts, KeyUse::order);
            rows = refs_of(keys->sorted(limit));
            picker.emplace(sources, columns, types);
        });
    };
    sort_here();
    if (session.size() > 1) {
        const auto at = [&](std::size_t i) {
            return std::pair((*keys)[rows[i]], std::uint64_t{rows[i].chunk} << 32 | rows[i].row);
        };
        const std::vector<std::size_t> borders = cut_sorted(session, rows.size(), at, pending);
        std::vector<std::vector<RowRef>> parts_of_workers(session.size());
        if (!pending)
            pending = attempt([&] {
                for (std::size_t worker = 0; worker < session.size(); ++worker)
                    parts_of_workers[worker].assign(rows.begin() + static_cast<std::ptrdiff_t>(borders[worker]),
                                                    rows.begin() + static_cast<std::ptrdiff_t>(borders[worker + 1]));
            });
        sources = exchange_rows(session, picker, parts_of_workers, types.size(), pending);
        sort_here();  // of equal keys, the chunks of lower ranks come first, and each chunk is in order
    }
    if (limit != static_cast<std::size_t>(-1) && session.size() > 1) {
        const std::vector<std::int64_t> counts = counts_of_workers(session, rows.size(), pending);
        std::size_t before = 0;
        for (std::size_t worker = 0; worker < session.rank(); ++worker)
            before += static_cast<std::size_t>(counts[worker]);
        if (before + rows.size() > limit) rows.resize(limit > before ? limit - before : 0);
    }
    return number_rows(
        session, rows.size(), types.size(),
        [&](std::size_t first, std::size_t count) { return picker->pick(std::span(rows).subspan(first, count)); },
        pending);
}

}  // namespace partita::inline PARTITA_ABI::detail
