// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which columns the columns of a new table were computed from. A group's mean of a target, joined back to the rows, must not
// pass for a feature, so the names stay with a column even where the table it came from is gone.

#include <partita/data/schema.hpp>

#include <boost/mp11/algorithm.hpp>

#include <array>
#include <span>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

template <class Row, Name ColumnName>
struct ColumnValueOf {
    static constexpr int found = find_column(columns_of<Row>, ColumnName.view());
    static constexpr std::size_t ordinal = static_cast<std::size_t>(found < 0 ? 0 : found);
    static constexpr ColumnType column = columns_of<Row>[ordinal].type;
    using type = ValueType<column>;
};
template <class Row, Name ColumnName>
using ColumnValue = typename ColumnValueOf<Row, ColumnName>::type;

/// Names of columns.
template <Name... ColumnNames>
struct NameList {};
using NoNames = std::type_identity<NameList<>>;

/// Each name once.
template <std::size_t Capacity>
struct FoundNames {
    std::array<std::string_view, Capacity> names{};
    std::size_t count = 0;

    constexpr bool has(std::string_view name) const {
        for (std::size_t i = 0; i < count; ++i)
            if (names[i] == name) return true;
        return false;
    }
};

/// The names that `Found::names` has found, as a NameList.
template <class Found, std::size_t I>
inline constexpr auto name_found = name_from([] { return Found::names.names[I]; });
template <class Found, std::size_t... I>
auto names_found(std::index_sequence<I...>) -> NameList<name_found<Found, I>...>;
template <class Found>
using NamesFound = decltype(names_found<Found>(std::make_index_sequence<Found::names.count>()));

template <class List>
inline constexpr std::array<std::string_view, 0> names_in{};
template <Name... ColumnNames>
inline constexpr std::array<std::string_view, sizeof...(ColumnNames)> names_in<NameList<ColumnNames...>>{
    ColumnNames.view()...};

/// The union of several lists, in the order in which names come first.
template <class... Lists>
struct UnionOfNames {
    static constexpr std::array<std::span<const std::string_view>, sizeof...(Lists)> lists{names_in<Lists>...};
    static constexpr std::size_t capacity = [] {
        std::size_t size = 0;
        for (const auto& list : lists) size += list.size();
        return size;
    }();
    static constexpr auto names = [] {
        FoundNames<capacity> found;
        for (const auto& list : lists) {
            const bool is_first = found.count == 0;  // and has each name once
            for (const std::string_view name : list)
                if (is_first || !found.has(name)) found.names[found.count++] = name;
        }
        return found;
    }();
};
template <class... Lists>
using AllNames = NamesFound<UnionOfNames<Lists...>>;

/// The name of a table's column number I, as a template argument.
template <class Row, std::size_t I>
inline constexpr auto name_at = name_from([] { return columns_of<Row>[I].name; });

template <Name ColumnName, class T, Name... Sources>
NameList<Sources...> listed_names(const ComputedColumn<ColumnName, T, Sources...>*);
NameList<> listed_names(const void*);

/// The columns that one was computed from, as far as its table knows.
template <class Row, std::size_t Column>
struct SourcesOf : NoNames {};
template <class... Columns, std::size_t Column>
struct SourcesOf<Schema<Columns...>, Column> {
    using Found = boost::mp11::mp_at_c<Schema<Columns...>, Column>;
    using type = decltype(listed_names(static_cast<const Found*>(nullptr)));
};
template <class Row, Name ColumnName>
using SourcesByName = typename SourcesOf<Row, ColumnValueOf<Row, ColumnName>::ordinal>::type;

/// The names that a column had before `rename`.
template <class Now, Name... Before>
NameList<Before...> listed_names_before(const RenamedColumn<Now, Before...>*);
NameList<> listed_names_before(const void*);

template <class Row, std::size_t Column>
struct NamesBefore : NoNames {};
template <class... Columns, std::size_t Column>
struct NamesBefore<Schema<Columns...>, Column> {
    using Found = boost::mp11::mp_at_c<Schema<Columns...>, Column>;
    using type = decltype(listed_names_before(static_cast<const Found*>(nullptr)));
};

template <class Now, class Before>
struct CalledBefore;
template <class Now>
struct CalledBefore<Now, NameList<>> : std::type_identity<Now> {};
template <class Now, Name First, Name... Rest>
struct CalledBefore<Now, NameList<First, Rest...>> : std::type_identity<RenamedColumn<Now, First, Rest...>> {};

template <Name ColumnName, class T, class Sources>
struct ColumnFromList;
template <Name ColumnName, class T>
struct ColumnFromList<ColumnName, T, NameList<>> : std::type_identity<Column<ColumnName, T>> {};
template <Name ColumnName, class T, Name First, Name... Rest>
struct ColumnFromList<ColumnName, T, NameList<First, Rest...>>
    : std::type_identity<ComputedColumn<ColumnName, T, First, Rest...>> {};

/// A column of a schema that was computed from all of these.
template <Name ColumnName, class T, class... SourceLists>
using ColumnFrom = typename ColumnFromList<ColumnName, T, AllNames<SourceLists...>>::type;

/// A table's column number I as a column of a schema, under this name and of this type, with all that is known of it; of something
/// that was looked up, also what it was looked up by.
template <class Row, std::size_t I, Name ColumnName, class T, class... SourceLists>
using ColumnLike = typename CalledBefore<ColumnFrom<ColumnName, T, typename SourcesOf<Row, I>::type, SourceLists...>,
                                         typename NamesBefore<Row, I>::type>::type;
template <class Row, std::size_t I>
using CopiedColumn = ColumnLike<Row, I, name_at<Row, I>, ValueType<columns_of<Row>[I].type>>;
template <class Row, Name ColumnName>
using ColumnByName = ColumnLike<Row, ColumnValueOf<Row, ColumnName>::ordinal, ColumnName, ColumnValue<Row, ColumnName>>;

}  // namespace partita::inline PARTITA_ABI::detail
