// SPDX-License-Identifier: Apache-2.0
#pragma once

// The description of a table at compile time: derived from a described struct, or written out as a list of columns.

#include <partita/core/name.hpp>
#include <partita/data/column_type.hpp>

#include <boost/describe/bases.hpp>
#include <boost/describe/class.hpp>  // for BOOST_DESCRIBE_STRUCT, which rows are described by
#include <boost/describe/members.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace partita::inline PARTITA_ABI {

/// One column of a Schema.
template <Name ColumnName, class T>
struct Column {
    static constexpr std::string_view name = ColumnName.view();
    static constexpr ColumnType type = column_type<T>;
    using value_type = T;
};

/// A column of a Schema whose values were computed from others of it, the `Sources`: what `select` makes of such a column. No
/// learner may read it whose target is one of them.
template <Name ColumnName, class T, Name... Sources>
struct ComputedColumn : Column<ColumnName, T> {
    static constexpr std::array<std::string_view, sizeof...(Sources)> sources{Sources.view()...};
};

/// A column of a Schema that had other names before: what `rename` makes. What was computed from it under one of them counts as
/// computed from it.
template <class Now, Name... Before>
struct RenamedColumn : Now {
    static constexpr std::array<std::string_view, sizeof...(Before)> before{Before.view()...};
};

/// A table as a list of columns, for those who have no struct of its rows.
template <class... Columns>
struct Schema {};

/// One column's name and type as plain values.
struct ColumnInfo {
    std::string_view name;
    ColumnType type;
};

namespace detail {

template <class Row>
using RowMembers = boost::describe::describe_members<Row, boost::describe::mod_public | boost::describe::mod_inherited>;

template <class Row>
inline constexpr bool is_described = requires { typename RowMembers<Row>; };

template <class Class, class T>
T member_type(T Class::*);

template <class List>
struct DescribedColumns;
template <template <class...> class List, class... Descriptors>
struct DescribedColumns<List<Descriptors...>> {
    static constexpr std::array<ColumnInfo, sizeof...(Descriptors)> value{
        ColumnInfo{Descriptors::name, column_type<decltype(member_type(Descriptors::pointer))>}...};
};

template <class ColumnType>
constexpr std::span<const std::string_view> sources_of() {
    if constexpr (requires { ColumnType::sources; }) return ColumnType::sources;
    return {};
}

/// Whether a column has that name, or had it before.
template <class ColumnType>
constexpr bool was_called(std::string_view name) {
    if constexpr (requires { ColumnType::before; })
        for (const std::string_view before : ColumnType::before)
            if (before == name) return true;
    return ColumnType::name == name;
}

/// The columns of anything that describes a table, and `holds(column, other)` where it is known which were computed from which.
/// Specialised for schemas here, and by the pipeline for its results.
template <class Row>
struct TableOf {
    static constexpr auto columns = DescribedColumns<RowMembers<Row>>::value;
};
template <class... Columns>
struct TableOf<Schema<Columns...>> {
    static constexpr std::array<ColumnInfo, sizeof...(Columns)> columns{ColumnInfo{Columns::name, Columns::type}...};

    static constexpr bool holds(std::size_t column, std::size_t other)
        requires(requires { Columns::sources; } || ...) || (requires { Columns::before; } || ...)
    {
        constexpr std::array sources{sources_of<Columns>()...};
        constexpr std::array named{&was_called<Columns>...};
        if (column != other && named[other](columns[column].name)) return true;  // joined back under its first name
        for (const std::string_view source : sources[column])
            if (named[other](source)) return true;
        return false;
    }
};

template <class Row>
concept KnowsSources = requires { TableOf<Row>::holds(std::size_t{}, std::size_t{}); };

template <class Row>
inline constexpr bool is_table = is_described<Row>;
template <class... Columns>
inline constexpr bool is_table<Schema<Columns...>> = true;

}  // namespace detail

/// Names and types of a table's columns, in order; `Row` is a described struct, a Schema or what a pipeline makes of one.
template <class Row>
inline constexpr const auto& columns_of = detail::TableOf<Row>::columns;

/// The position of the column of that name, or -1.
constexpr int find_column(std::span<const ColumnInfo> columns, std::string_view name) {
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].name == name) return static_cast<int>(i);
    return -1;
}

/// Whether a table has a column of that name.
template <class Row, Name ColumnName>
inline constexpr bool has_column = find_column(columns_of<Row>, ColumnName.view()) >= 0;

}  // namespace partita::inline PARTITA_ABI
