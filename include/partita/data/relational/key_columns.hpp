// SPDX-License-Identifier: Apache-2.0
#pragma once

// How sorts, groups and joins name the columns they go by, and what is wrong with a name.

#include <partita/data/dataset.hpp>
#include <partita/data/relational/row_keys.hpp>

#include <array>

namespace partita::inline PARTITA_ABI {

/// A column to sort by: its name, or `descending(name)`.
template <std::size_t Size>
struct SortKey {
    Name<Size> name;
    bool turned = false;

    consteval SortKey(const char (&literal)[Size]) : name(literal) {}
    consteval SortKey(Name<Size> column, bool turn) : name(column), turned(turn) {}
};

/// From the highest to the lowest: `sort<descending("fare")>(trips)`.
template <std::size_t Size>
consteval SortKey<Size> descending(const char (&column)[Size]) {
    return {Name<Size>(column), true};
}

namespace detail {

/// What is wrong with a column that should be a key.
template <class Row, Name ColumnName, bool Fits>
struct ExplainKey {};
template <class Row, Name ColumnName>
struct ExplainKey<Row, ColumnName, false> {
    static_assert(
        sizeof(wrong::ColumnHasWrongType<wrong::OfColumn<ColumnName>, wrong::Given<ColumnValue<Row, ColumnName>>,
                                         wrong::TakesKinds<"numbers, bools, times, texts or categories">>) == 0,
        "rows are sorted, grouped and matched by columns of single values, not by vectors");
};

template <class Row, Name ColumnName>
consteval bool demand_key() {
    demand_column<Row, ColumnName>();
    if constexpr (has_column<Row, ColumnName>) {
        constexpr bool fits = (kind_bit(ColumnValueOf<Row, ColumnName>::column.kind) & key_kinds) != 0;
        static_cast<void>(sizeof(ExplainKey<Row, ColumnName, fits>));
        return fits;
    }
    return false;
}

template <class Row, SortKey... Keys>
consteval bool demand_order_keys() {
    static_assert(sizeof...(Keys) > 0,
                  "name the columns to sort by: sort<\"origin\", descending(\"distance\")>(flights)");
    return (demand_key<Row, Keys.name>() && ...);
}

template <class Row, SortKey... Keys>
inline constexpr std::array<KeyPart, sizeof...(Keys)> key_parts{
    KeyPart{static_cast<std::size_t>(find_column(columns_of<Row>, Keys.name.view())), Keys.turned}...};

template <class Row, Name... Keys>
inline constexpr std::array<KeyPart, sizeof...(Keys)> match_parts{
    KeyPart{static_cast<std::size_t>(find_column(columns_of<Row>, Keys.view())), false}...};

/// The types of the columns that the chunks of a materialised dataset have, the weights' included.
inline std::vector<ColumnType> stored_types(const Plan& plan) {
    std::vector<ColumnType> types;
    for (const Plan::Slot& slot : plan.slots) types.push_back(slot.type);
    return types;
}

/// A materialised dataset of the same columns with other rows.
template <class Row, class Role>
Dataset<Row, Role> with_chunks(const Dataset<Row, Role>& stored, Chunks chunks) {
    auto state = std::make_shared<DatasetState>(stored.state());
    state->chunks = std::move(chunks);
    return Dataset<Row, Role>(std::move(state), stored.slots());
}

/// A table of the stored columns, the weights' included, and of further ones behind them.
template <class Wider, class Row, class Role>
Dataset<Wider, Role> widened(const Dataset<Row, Role>& stored, Chunks chunks) {
    auto state = std::make_shared<DatasetState>(stored.state());
    state->chunks = std::move(chunks);
    std::vector<int> slots = stored.slots();
    for (std::size_t i = slots.size(); i < columns_of<Wider>.size(); ++i) {
        const int index = static_cast<int>(state->plan.slots.size());
        state->plan.slots.push_back({columns_of<Wider>[i].name, columns_of<Wider>[i].type, index, -1});
        slots.push_back(index);
    }
    return Dataset<Wider, Role>(std::move(state), std::move(slots));
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
