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

/// The names of all columns along a pipeline, hidden ones too, that values of one came from.
template <class Last, int Slot>
struct NamesOnTheWay {
    static constexpr std::size_t slots = static_cast<std::size_t>(slot_count(Last::data));
    static constexpr auto on_the_way = [] {  // by itself, since compilers evaluate so much at once and no more
        std::array<bool, slots> found{};
        for (std::size_t other = 0; other < slots; ++other)
            found[other] = way_from(Last::data, Slot, slot_info(Last::data, static_cast<int>(other)).identity) >= 0;
        return found;
    }();
    static constexpr auto names = [] {
        FoundNames<slots> found;
        for (std::size_t other = 0; other < slots; ++other) {
            const SlotInfo& info = slot_info(Last::data, static_cast<int>(other));
            bool is_new = on_the_way[other] && info.name != slot_info(Last::data, Slot).name;
            for (int hidden = info.hides; hidden >= 0; hidden = slot_info(Last::data, hidden).hides)
                is_new &= !on_the_way[static_cast<std::size_t>(hidden)];
            if (is_new) found.names[found.count++] = info.name;
        }
        return found;
    }();
};

/// Also what the table that the pipeline began with knows of columns that are not in it.
template <class... Stages, class Row, std::size_t Column>
struct SourcesOf<After<Pipeline<Stages...>, Row>, Column> {
    using Last = LastNode<Row, Stages...>;
    static constexpr int slot = FinalTable<Last>::slots[Column];
    template <std::size_t I>
    using SourcesOnTheWay =
        std::conditional_t<(way_from(Last::data, slot, static_cast<int>(I)) >= 0), SourcesOf<Row, I>, NoNames>;
    template <std::size_t... I>
    static auto all(std::index_sequence<I...>)
        -> AllNames<NamesFound<NamesOnTheWay<Last, slot>>, typename SourcesOnTheWay<I>::type...>;
    using type = decltype(all(std::make_index_sequence<columns_of<Row>.size()>()));
};

/// A column that was computed from one column counts as that one, and keeps its names.
template <class... Stages, class Row, std::size_t Column>
struct NamesBefore<After<Pipeline<Stages...>, Row>, Column> {
    using Last = LastNode<Row, Stages...>;
    static constexpr int slot = FinalTable<Last>::slots[Column];
    static constexpr int identity = slot_info(Last::data, slot).identity;
    using Own = std::conditional_t<slot_info(Last::data, identity).name == slot_info(Last::data, slot).name, NameList<>,
                                   NameList<slot_name<Last::data, identity>()>>;
    static constexpr bool is_known = identity < static_cast<int>(columns_of<Row>.size());
    using type =
        AllNames<Own, typename std::conditional_t<is_known, NamesBefore<Row, static_cast<std::size_t>(identity)>,
                                                  NoNames>::type>;
};

template <class... Stages, class Row>
inline constexpr bool is_table<After<Pipeline<Stages...>, Row>> = true;

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
