// SPDX-License-Identifier: Apache-2.0
#pragma once

// What group_by can tell of a group.

#include <partita/data/dataset.hpp>
#include <partita/data/group_by/states.hpp>
#include <partita/data/origin.hpp>
#include <partita/data/relational/key_columns.hpp>

#include <optional>

namespace partita::inline PARTITA_ABI {

/// How many rows a group has, or how many of them have a value in a column: `CountOf<"flights">{}`, `CountOf<"arr_delay", "arrived">{}`.
/// The last name is that of the result, a column of std::int64_t.
template <Name First, Name... Second>
struct CountOf {
    static_assert(sizeof...(Second) == 1, "CountOf takes the name of its result, or that of a column in front of it");
    static constexpr auto kind = detail::AggregateKind::present;
    static constexpr KindSet takes = ~KindSet{0};
    static constexpr auto column = First;
    static constexpr auto output = std::get<0>(std::tuple(Second...));
};
template <Name Result>
struct CountOf<Result> {
    static constexpr auto kind = detail::AggregateKind::rows;
    static constexpr auto output = Result;
};

namespace detail {

/// A number or text of a column's values.
template <AggregateKind Kind, KindSet Kinds, Name ColumnName, Name Result>
struct AggregateOf {
    static constexpr auto kind = Kind;
    static constexpr KindSet takes = Kinds;
    static constexpr auto column = ColumnName;
    static constexpr auto output = Result;
};

}  // namespace detail

/// The sum of a column of numbers, named `Result`: std::int64_t of integers and bools, double of float and double, exact and
/// rounded once. A NaN makes it NaN, and so do infinities of both signs; a sum of zeros is +0.
template <Name ColumnName, Name Result>
struct SumOf : detail::AggregateOf<detail::AggregateKind::sum, number_kinds, ColumnName, Result> {};

/// The mean of a column of numbers or bools, named `Result`, as a double: the exact sum, rounded, divided by the number of values.
template <Name ColumnName, Name Result>
struct MeanOf : detail::AggregateOf<detail::AggregateKind::mean, number_kinds, ColumnName, Result> {};

/// The smallest value of a column, named `Result`: the one that `sort` would put first, missing ones aside.
template <Name ColumnName, Name Result>
struct MinOf : detail::AggregateOf<detail::AggregateKind::smallest, detail::key_kinds, ColumnName, Result> {};

/// The largest value of a column, named `Result`: the one that `sort` would put last. A NaN is larger than all numbers.
template <Name ColumnName, Name Result>
struct MaxOf : detail::AggregateOf<detail::AggregateKind::largest, detail::key_kinds, ColumnName, Result> {};

namespace detail {

template <class Aggregate>
concept ReadsColumn = requires { Aggregate::column; };

constexpr ColumnType result_type(AggregateKind kind, ColumnType input) {
    switch (kind) {
        case AggregateKind::smallest:
        case AggregateKind::largest: return input;
        case AggregateKind::mean: return {Kind::float64, input.nullable};
        case AggregateKind::sum:
            return {(kind_bit(input.kind) & float_kinds) != 0 ? Kind::float64 : Kind::int64, input.nullable};
        default: return {Kind::int64};
    }
}

template <class Row, class Aggregate>
struct ResultAndSources {
    using Result = std::int64_t;
    using Sources = NameList<>;
};
template <class Row, ReadsColumn Aggregate>
struct ResultAndSources<Row, Aggregate> {
    static constexpr ColumnType type = result_type(Aggregate::kind, ColumnValueOf<Row, Aggregate::column>::column);
    using Result = ValueType<type>;
    using Sources = AllNames<NameList<Aggregate::column>, SourcesByName<Row, Aggregate::column>>;
};
template <class Row, class Aggregate>
using AggregateResult = typename ResultAndSources<Row, Aggregate>::Result;
template <class Row, class Aggregate>
using AggregateSources = typename ResultAndSources<Row, Aggregate>::Sources;

/// What is wrong with the column of an aggregate.
template <class Row, class Aggregate, bool Fits>
struct ExplainAggregate {};
template <class Row, class Aggregate>
struct ExplainAggregate<Row, Aggregate, false> {
    static_assert(
        sizeof(wrong::ColumnHasWrongType<wrong::OfColumn<Aggregate::column>,
                                         wrong::Given<ColumnValue<Row, Aggregate::column>>, wrong::Takes<Aggregate>>) ==
            0,
        "sums and means are of numbers and bools, extremes of any single values; make another column of this one by "
        "map");
};

template <class Row, class Aggregate>
consteval bool demand_aggregate() {
    if constexpr (ReadsColumn<Aggregate>) {
        demand_column<Row, Aggregate::column>();
        if constexpr (has_column<Row, Aggregate::column>) {
            constexpr bool fits =
                (kind_bit(ColumnValueOf<Row, Aggregate::column>::column.kind) & Aggregate::takes) != 0;
            static_cast<void>(sizeof(ExplainAggregate<Row, Aggregate, fits>));
            return fits;
        }
        return false;
    }
    return true;
}

template <class Row, class Aggregate>
consteval AggregateInfo aggregate_info() {
    AggregateInfo info;
    info.kind = Aggregate::kind;
    info.output = column_type<AggregateResult<Row, Aggregate>>;
    info.name = Aggregate::output.view();
    if constexpr (ReadsColumn<Aggregate>) {
        info.column = ColumnValueOf<Row, Aggregate::column>::ordinal;
        info.input = columns_of<Row>[info.column].type;
    }
    return info;
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
