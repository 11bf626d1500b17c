// SPDX-License-Identifier: Apache-2.0
#pragma once

// A column under another name.

#include <partita/data/dataset.hpp>
#include <partita/data/origin.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Column number I, which is called `To` if it is `From`.
template <class Row, std::size_t I, Name From, Name To>
struct RenamedAt : std::type_identity<CopiedColumn<Row, I>> {};
template <class Row, std::size_t I, Name From, Name To>
    requires(name_at<Row, I> == From)
struct RenamedAt<Row, I, From, To>
    : CalledBefore<ColumnFrom<To, ValueType<columns_of<Row>[I].type>, typename SourcesOf<Row, I>::type>,
                   AllNames<NameList<From>, typename NamesBefore<Row, I>::type>> {};

template <class Row, Name From, Name To, std::size_t... I>
auto renamed_schema(std::index_sequence<I...>) -> Schema<typename RenamedAt<Row, I, From, To>::type...>;

template <Name To, bool Taken>
struct ExplainRename {};
template <Name To>
struct ExplainRename<To, true> {
    static_assert(sizeof(wrong::ColumnIsDuplicate<wrong::OfColumn<To>>) == 0,
                  "the table has a column of the new name already; choose another");
};

}  // namespace detail

/// The same rows with the column `From` called `To`: `rename<"faa", "dest">(airports)`. Nothing is copied. What was computed from
/// `From` before, in any table, still counts as computed from this column; what is computed from `To` does not count as computed
/// from a column `From` elsewhere.
template <Name From, Name To, class Row, class Role>
auto rename(const Dataset<Row, Role>& data) {
    detail::demand_column<Row, From>();
    static_cast<void>(sizeof(detail::ExplainRename<To, has_column<Row, To>>));
    if constexpr (has_column<Row, From>) {
        using Renamed =
            decltype(detail::renamed_schema<Row, From, To>(std::make_index_sequence<columns_of<Row>.size()>()));
        auto state = std::make_shared<DatasetState>(data.state());
        state->plan.slots[static_cast<std::size_t>(data.slot(find_column(columns_of<Row>, From.view())))].name =
            To.view();
        return Dataset<Renamed, Role>(std::move(state), data.slots());
    } else {
        return data;  // the compilation has failed
    }
}

}  // namespace partita::inline PARTITA_ABI
