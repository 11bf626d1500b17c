// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a pipeline makes of a table, as a table of its own.

#include <partita/data/origin.hpp>
#include <partita/pipeline/node.hpp>

namespace partita::inline PARTITA_ABI {

template <class... Stages>
struct Pipeline;

/// The columns of what a pipeline makes of a table: the row type of transformed datasets.
template <class PipelineType, class Row>
struct After {};

namespace detail {

/// The visible columns at the end of a chain.
template <class Last>
struct FinalTable {
    static constexpr auto hidden = [] {
        std::array<bool, static_cast<std::size_t>(slot_count(Last::data))> result{};
        mark_hidden(Last::data, result.data());
        return result;
    }();
    static constexpr std::size_t count = [] {
        std::size_t visible = 0;
        for (bool is_hidden : hidden) visible += !is_hidden;
        return visible;
    }();
    static constexpr auto slots = [] {
        std::array<int, count> result{};
        std::size_t at = 0;
        for (int slot = 0; slot < slot_count(Last::data); ++slot)
            if (!hidden[static_cast<std::size_t>(slot)]) result[at++] = slot;
        return result;
    }();
    static constexpr auto columns = [] {
        std::array<ColumnInfo, slots.size()> result{};
        for (std::size_t i = 0; i < slots.size(); ++i)
            result[i] = {slot_info(Last::data, slots[i]).name, slot_info(Last::data, slots[i]).type};
        return result;
    }();

    static constexpr bool holds(std::size_t column, std::size_t other) {
        return way_from(Last::data, slots[column], slot_info(Last::data, slots[other]).identity) >= 0;
    }
};

template <class... Stages, class Row>
struct TableOf<After<Pipeline<Stages...>, Row>> : FinalTable<LastNode<Row, Stages...>> {};
/// A column of the table that the pipeline began with, computed anew or not, keeps the names that it had before.
template <class... Stages, class Row, std::size_t Column>
struct NamesBefore<After<Pipeline<Stages...>, Row>, Column> {
    using Last = LastNode<Row, Stages...>;
    static constexpr auto identity =
        static_cast<std::size_t>(slot_info(Last::data, FinalTable<Last>::slots[Column]).identity);
    static auto names() {
        if constexpr (identity < columns_of<Row>.size()) {
            return NamesBefore<Row, identity>{};
        } else {
            return std::type_identity<NameList<>>{};
        }
    }
    using type = typename decltype(names())::type;
};

template <class... Stages, class Row>
inline constexpr bool is_table<After<Pipeline<Stages...>, Row>> = true;

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
