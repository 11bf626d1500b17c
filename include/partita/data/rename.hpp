// SPDX-License-Identifier: Apache-2.0
#pragma once

// A column under another name.

#include <partita/data/dataset.hpp>
#include <partita/data/origin.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// A name as it reads once `From` is called `To`.
template <Name Given, Name From, Name To>
inline constexpr auto renamed = [] {
    if constexpr (Given == From) {
        return To;
    } else {
        return Given;
    }
}();

template <class List, Name From, Name To>
struct RenamedList;
template <Name... ColumnNames, Name From, Name To>
struct RenamedList<NameList<ColumnNames...>, From, To> {
    using type = NameList<renamed<ColumnNames, From, To>...>;
};

template <class Row, Name From, Name To, std::size_t... I>
auto renamed_schema(std::index_sequence<I...>)
    -> Schema<ColumnFrom<renamed<name_at<Row, I>, From, To>, ValueType<columns_of<Row>[I].type>,
                         typename RenamedList<typename SourcesOf<Row, I>::type, From, To>::type>...>;

template <Name To, bool Taken>
struct ExplainRename {};
template <Name To>
struct ExplainRename<To, true> {
    static_assert(sizeof(wrong::ColumnIsDuplicate<wrong::OfColumn<To>>) == 0,
                  "the table has a column of the new name already; choose another");
};

}  // namespace detail

/// The same rows with the column `From` called `To`: `rename<"faa", "dest">(airports)`. Nothing is copied.
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
