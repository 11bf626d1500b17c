// SPDX-License-Identifier: Apache-2.0
#pragma once

// The groups of all workers' rows, found without their types.

#include <partita/data/group_by/states.hpp>
#include <partita/data/relational/sort_rows.hpp>
#include <partita/math/exact_sum/environment.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Groups by the bytes of their keys, with the states of some aggregates.
class GroupTable {
  public:
    explicit GroupTable(std::span<const AggregateInfo> aggregates) {
        for (const AggregateInfo& info : aggregates) states_.push_back(make_group_states(info));
    }

    std::size_t size() const { return keys_.size(); }
    std::string_view key(std::uint32_t group) const { return keys_.text(group); }
    const GroupStates& states(std::size_t aggregate) const { return *states_[aggregate]; }

    void add(const Chunk& chunk, const RowKeys& keys) {
        std::vector<std::uint32_t> groups(chunk.rows());
        for (std::size_t row = 0; row < groups.size(); ++row) groups[row] = keys_.insert(keys[row]);
        for (auto& states : states_) {
            states->resize(size());
            const bool of_rows = states->info().kind == AggregateKind::rows;
            states->update(of_rows ? ColumnSlice{} : chunk.column(states->info().column).all(), groups);
        }
    }

    void write(ByteWriter& writer, std::span<const std::uint32_t> groups) {
        writer.write(static_cast<std::uint64_t>(groups.size()));
        for (const std::uint32_t group : groups) writer.write_sized(key(group));
        for (auto& states : states_) states->write(writer, groups);
    }
    /// Takes in what another table wrote.
    void read(ByteReader& reader) {
        std::vector<std::uint32_t> groups(reader.read<std::uint64_t>());
        for (std::uint32_t& group : groups) {
            const auto bytes = reader.read_sized();
            group = keys_.insert({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        }
        for (auto& states : states_) {
            states->resize(size());
            states->read(reader, groups);
        }
    }

    /// All groups in the order of their keys.
    std::vector<std::uint32_t> sorted() const {
        std::vector<std::uint32_t> groups(size());
        for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<std::uint32_t>(i);
        std::sort(groups.begin(), groups.end(), [this](auto a, auto b) { return key(a) < key(b); });
        return groups;
    }

  private:
    TextIndex keys_;
    std::vector<std::unique_ptr<GroupStates>> states_;
};

/// This worker's rows in one table: each thread fills one of its own.
inline std::unique_ptr<GroupTable> group_here(Session& session, const Chunks& chunks, std::span<const KeyPart> parts,
                                              std::span<const AggregateInfo> aggregates) {
    std::vector<std::unique_ptr<GroupTable>> tables(session.threads());
    session.for_each(chunks.size(), [&](std::size_t index, std::size_t worker) {
        check_floating_point_environment();
        if (!tables[worker]) tables[worker] = std::make_unique<GroupTable>(aggregates);
        tables[worker]->add(*chunks[index], RowKeys(*chunks[index], parts, KeyUse::order));
    });
    auto all = std::make_unique<GroupTable>(aggregates);
    for (auto& table : tables) {
        if (!table) continue;
        if (all->size() == 0) {
            all = std::move(table);
            continue;
        }
        Bytes bytes;
        ByteWriter writer(bytes);
        table->write(writer, table->sorted());
        table.reset();
        ByteReader reader(bytes);
        all->read(reader);
    }
    return all;
}

/// The groups of all workers in the order of their keys, as rows 0, 1, …: the columns of the key, then one for each aggregate. A
/// collective.
inline Chunks group_chunks(Session& session, const Chunks& chunks, std::span<const KeyPart> parts,
                           std::span<const ColumnType> key_types, std::span<const AggregateInfo> aggregates) {
    std::unique_ptr<GroupTable> table;
    std::vector<std::uint32_t> order;
    PendingError pending = attempt([&] {
        table = group_here(session, chunks, parts, aggregates);
        order = table->sorted();
    });
    if (session.size() > 1) {
        const auto at = [&](std::size_t i) { return table->key(order[i]); };
        const std::vector<std::size_t> borders = cut_sorted_keys(session, order.size(), at, pending);
        std::vector<Bytes> outgoing(session.size());
        const PendingError failed = pending ? pending : attempt([&] {
            for (std::size_t worker = 0; worker < session.size(); ++worker) {
                const auto groups = std::span(order).subspan(borders[worker], borders[worker + 1] - borders[worker]);
                ByteWriter writer(outgoing[worker]);
                if (!groups.empty()) table->write(writer, groups);
            }
        });
        const std::vector<Bytes> incoming = session.communicator().all_to_all(std::move(outgoing), failed);
        pending = attempt([&] {
            table = std::make_unique<GroupTable>(aggregates);
            for (const Bytes& bytes : incoming) {
                if (bytes.empty()) continue;
                ByteReader reader(bytes);
                table->read(reader);
            }
            order = table->sorted();
        });
    }
    const auto make = [&](std::size_t first, std::size_t count) {
        const auto groups = std::span<const std::uint32_t>(order).subspan(first, count);
        std::vector<std::string_view> keys(count);
        for (std::size_t i = 0; i < count; ++i) keys[i] = table->key(groups[i]);
        std::vector<ColumnData> columns;
        for (const ColumnType type : key_types) columns.push_back(take_key_column(keys, type));
        for (std::size_t i = 0; i < aggregates.size(); ++i) columns.push_back(table->states(i).results(groups));
        return columns;
    };
    return number_rows(session, order.size(), key_types.size() + aggregates.size(), make, pending);
}

}  // namespace partita::inline PARTITA_ABI::detail
