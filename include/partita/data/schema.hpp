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

/// The columns of anything that describes a table. Specialised for schemas here, and by the pipeline for its results.
template <class Row>
struct TableOf {
    static constexpr auto columns = DescribedColumns<RowMembers<Row>>::value;
};
template <class... Columns>
struct TableOf<Schema<Columns...>> {
    static constexpr std::array<ColumnInfo, sizeof...(Columns)> columns{ColumnInfo{Columns::name, Columns::type}...};
};

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
