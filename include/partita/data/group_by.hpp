// SPDX-License-Identifier: Apache-2.0
#pragma once

// One row per group of rows.

#include <partita/data/dataset.hpp>
#include <partita/data/group_by/aggregates.hpp>
#include <partita/data/group_by/group_rows.hpp>
#include <partita/data/origin.hpp>
#include <partita/data/relational/key_columns.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

template <class Row, class Keys>
struct GroupColumns;
template <class Row, Name... Keys>
struct GroupColumns<Row, NameList<Keys...>> {
    /// Every aggregate depends on the keys, too: joined back by them, it tells what they are.
    using KeySources = AllNames<NameList<Keys...>, SourcesByName<Row, Keys>...>;

    template <class Aggregate>
    using ResultColumn =
        ColumnFrom<Aggregate::output, AggregateResult<Row, Aggregate>, AggregateSources<Row, Aggregate>, KeySources>;

    template <class... Aggregates>
    using With = Schema<CopiedColumn<Row, ColumnValueOf<Row, Keys>::ordinal>..., ResultColumn<Aggregates>...>;
};

template <class Row>
consteval int first_repeated_column() {
    for (std::size_t i = 0; i < columns_of<Row>.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (columns_of<Row>[i].name == columns_of<Row>[j].name) return static_cast<int>(i);
    return -1;
}

/// What is wrong with the names of a group's columns.
template <class Grouped, int Repeated>
struct ExplainGroupName {
    static_assert(
        sizeof(wrong::ColumnIsDuplicate<wrong::OfColumn<name_at<Grouped, static_cast<std::size_t>(Repeated)>>>) == 0,
        "two columns of the groups have one name; the last name of an aggregate is that of its result");
};
template <class Grouped>
struct ExplainGroupName<Grouped, -1> {};

inline void expect_no_weights(const DatasetState& state, const char* what) {
    if (state.plan.weight_slot >= 0)
        throw InvalidSetting(std::string(what) + " takes no weighted rows; call it before weigh_by",
                             Place{.setting = "weigh_by"});
}

}  // namespace detail

/// One row for each distinct value of the named columns, with these columns and one for each aggregate, ordered by the keys as
/// `sort` orders rows: `group_by<"origin">(flights, CountOf<"flights">{}, MeanOf<"dep_delay", "mean_delay">{})`.
///
/// Missing keys are one group, NaN keys another; -0 and +0 are one, +0. Aggregates pass over missing values; of a column that may
/// have some, a group without any value has a missing result. The rows get the ids 0, 1, …; the role stays. An aggregate counts as
/// computed from its column and from the keys, also where it is joined to other rows: no learner whose target is
/// among them may read it.
///
/// A collective. Errors: InvalidSetting for weighted rows; NumericOverflow for a sum of integers beyond 64 bits. Determinism: sums
/// are exact and rounded once, so the result does not depend on threads and workers. Cost: columns are computed and stored;
/// a pass over the rows, memory for the groups of each thread; each worker sends each of its groups at most once.
template <Name... Keys, class Row, class Role, class... Aggregates>
auto group_by(const Dataset<Row, Role>& data, const Aggregates&...) {
    static_assert(sizeof...(Keys) > 0,
                  "name the columns to group by: group_by<\"origin\">(flights, CountOf<\"flights\">{})");
    constexpr bool good =
        (detail::demand_key<Row, Keys>() && ...) && (detail::demand_aggregate<Row, Aggregates>() && ...);
    if constexpr (good) {
        using Grouped = typename detail::GroupColumns<Row, detail::NameList<Keys...>>::template With<Aggregates...>;
        constexpr int repeated = detail::first_repeated_column<Grouped>();
        static_cast<void>(sizeof(detail::ExplainGroupName<Grouped, repeated>));
        static constexpr std::array<ColumnType, sizeof...(Keys)> types{detail::ColumnValueOf<Row, Keys>::column...};
        static constexpr std::array<detail::AggregateInfo, sizeof...(Aggregates)> aggregates{
            detail::aggregate_info<Row, Aggregates>()...};
        detail::expect_no_weights(data.state(), "group_by");
        const Dataset<Row, Role> stored = data.materialize();
        return detail::make_dataset<Grouped, Role>(
            data.session(), detail::group_chunks(data.session(), stored.state().chunks,
                                                 detail::match_parts<Row, Keys...>, types, aggregates));
    } else {
        return data;  // the compilation has failed
    }
}

}  // namespace partita::inline PARTITA_ABI
