// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of two tables with equal keys, found without their types.

#include <partita/data/relational/sort_rows.hpp>

#include <optional>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Distinct keys, and the rows of each in their order.
class RowsOfKeys {
  public:
    RowsOfKeys(const Chunks& chunks, const KeysOfChunks& keys) {
        std::size_t before = 0;
        for (std::uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
            const RowKeys& of_chunk = keys.chunk(chunk);
            rows_.reserve(before + of_chunk.rows());
            for (std::uint32_t row = 0; row < of_chunk.rows(); ++row) {
                if (!of_chunk.usable(row)) continue;
                const std::uint32_t key = keys_.insert(of_chunk[row]);
                const std::uint64_t place = rows_.size();
                rows_.push_back({{chunk, row}, none});
                if (key == first_.size()) {
                    first_.push_back(place);
                    last_.push_back(place);
                } else {
                    rows_[last_[key]].next = place;
                    last_[key] = place;
                }
            }
            before = rows_.size();
        }
    }

    /// Calls `visit(row)` for the rows of a key; returns whether there are any.
    template <class Visit>
    bool visit(std::string_view key, Visit visit) const {
        const std::uint32_t id = keys_.find(key);
        if (id == TextIndex::none) return false;
        for (std::uint64_t place = first_[id]; place != none; place = rows_[place].next) visit(rows_[place].row);
        return true;
    }

  private:
    static constexpr std::uint64_t none = ~std::uint64_t{0};
    struct Link {
        RowRef row;
        std::uint64_t next;
    };

    TextIndex keys_;
    std::vector<std::uint64_t> first_, last_;  // of each key
    std::vector<Link> rows_;
};

/// The bytes that a chunk takes, about.
inline std::size_t bytes_of_chunk(const Chunk& chunk) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < chunk.column_count(); ++i) {
        const ColumnData& column = chunk.column(i);
        for (const Buffer* buffer : {&column.values, &column.validity, &column.offsets, &column.indices})
            bytes += buffer->size_bytes();
        for (std::size_t word = 0; column.dictionary && word < column.dictionary->size(); ++word)
            bytes += column.dictionary->data()[word].size();
    }
    return bytes;
}

/// Which worker looks after a key, the same on all.
inline std::size_t worker_of_key(std::string_view key, std::size_t workers) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>((hash >> 32) % workers);
}

/// One side of a join: its chunks, the types of their columns, and which of these are the key.
struct JoinSide {
    Chunks chunks;
    std::vector<ColumnType> types;
    std::span<const KeyPart> key;
};

/// The rows of the right side that this worker's rows of the left may match: each key's worker gathers its rows and answers
/// those who ask for the key. A collective. Cost: the right side travels once, then the distinct left keys of each
/// worker, then what they match.
inline Chunks fetch_matches(Session& session, const JoinSide& left, const JoinSide& right) {
    std::vector<std::size_t> columns(right.types.size());
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;

    std::vector<std::vector<RowRef>> to_owners(session.size());
    std::vector<Bytes> questions(session.size());
    std::optional<RowPicker> picker;
    const PendingError pending = attempt([&] {
        const KeysOfChunks right_keys(session, right.chunks, right.key, KeyUse::match);
        for (std::uint32_t chunk = 0; chunk < right_keys.chunks(); ++chunk)
            for (std::uint32_t row = 0; row < right_keys.chunk(chunk).rows(); ++row)
                if (right_keys.chunk(chunk).usable(row))
                    to_owners[worker_of_key(right_keys.chunk(chunk)[row], session.size())].push_back({chunk, row});
        picker.emplace(right.chunks, columns, right.types);
        const KeysOfChunks left_keys(session, left.chunks, left.key, KeyUse::match);
        TextIndex asked;
        for (std::size_t chunk = 0; chunk < left_keys.chunks(); ++chunk)
            for (std::size_t row = 0; row < left_keys.chunk(chunk).rows(); ++row) {
                if (!left_keys.chunk(chunk).usable(row)) continue;
                const std::string_view key = left_keys.chunk(chunk)[row];
                const std::size_t known = asked.size();
                if (asked.insert(key) < known) continue;
                ByteWriter(questions[worker_of_key(key, session.size())]).write_sized(key);
            }
    });
    const Chunks owned = exchange_rows(session, picker, to_owners, right.types.size(), pending);
    const std::vector<Bytes> asked = session.communicator().all_to_all(std::move(questions));

    std::vector<std::vector<RowRef>> answers(session.size());
    const PendingError failed = attempt([&] {
        const KeysOfChunks keys(session, owned, right.key, KeyUse::match);
        const RowsOfKeys rows(owned, keys);
        for (std::size_t worker = 0; worker < session.size(); ++worker) {
            ByteReader reader(asked[worker]);
            while (reader.remaining() != 0) {
                const auto bytes = reader.read_sized();
                rows.visit({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                           [&](RowRef row) { answers[worker].push_back(row); });
            }
        }
        picker.emplace(owned, columns, right.types);
    });
    return exchange_rows(session, picker, answers, right.types.size(), failed);
}

/// The rows of the left side in their order, each with every row of the right side that has its key, these in their order, under
/// the ids 0, 1, …. `columns` are those of the right side that are taken, `types` what they become; `keep_unmatched` gives
/// rows without a match once, with nothing on the right. A collective.
inline Chunks join_chunks(Session& session, const JoinSide& left, JoinSide right, std::span<const std::size_t> columns,
                          std::span<const ColumnType> types, bool keep_unmatched, std::size_t broadcast_bytes) {
    if (session.size() > 1) {
        std::int64_t bytes = 0;
        for (const auto& chunk : right.chunks) bytes += static_cast<std::int64_t>(bytes_of_chunk(*chunk));
        session.communicator().all_reduce(std::span(&bytes, 1));
        right.chunks = static_cast<std::uint64_t>(bytes) <= broadcast_bytes
                           ? gather_chunks(session, right.chunks, right.types.size())
                           : fetch_matches(session, left, right);
    }
    std::vector<RowRef> left_rows, right_rows;
    std::optional<RowPicker> left_picker, right_picker;
    const PendingError pending = attempt([&] {
        const KeysOfChunks right_keys(session, right.chunks, right.key, KeyUse::match);
        const RowsOfKeys matches(right.chunks, right_keys);
        std::vector<std::vector<RowRef>> lefts(left.chunks.size()), rights(left.chunks.size());
        expect_countable(left.chunks);
        session.for_each(left.chunks.size(), [&](std::size_t index, std::size_t) {
            const RowKeys keys(*left.chunks[index], left.key, KeyUse::match);
            for (std::uint32_t row = 0; row < keys.rows(); ++row) {
                const RowRef here{static_cast<std::uint32_t>(index), row};
                const bool found = keys.usable(row) && matches.visit(keys[row], [&](RowRef match) {
                    lefts[index].push_back(here);
                    rights[index].push_back(match);
                });
                if (found || !keep_unmatched) continue;
                lefts[index].push_back(here);
                rights[index].push_back(no_row);
            }
        });
        for (std::size_t index = 0; index < lefts.size(); ++index) {
            left_rows.insert(left_rows.end(), lefts[index].begin(), lefts[index].end());
            right_rows.insert(right_rows.end(), rights[index].begin(), rights[index].end());
            lefts[index] = rights[index] = {};
        }
        std::vector<std::size_t> all(left.types.size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
        left_picker.emplace(left.chunks, all, left.types);
        right_picker.emplace(right.chunks, columns, types);
    });
    return number_rows(
        session, left_rows.size(), left.types.size() + types.size(),
        [&](std::size_t first, std::size_t count) {
            std::vector<ColumnData> picked = left_picker->pick(std::span(left_rows).subspan(first, count));
            right_picker->pick(std::span(right_rows).subspan(first, count), picked);
            return picked;
        },
        pending);
}

}  // namespace partita::inline PARTITA_ABI::detail
