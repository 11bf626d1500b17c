// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table that check_stage makes for a stage: a column for everything that the stage declares to read, of the first sensible
// kind, and a row of it that can be scored.

#include <partita/stage/concepts.hpp>

#include <boost/mp11/list.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// The first of a read's kinds that says most about a stage.
constexpr Kind sensible_kind(KindSet kinds) {
    constexpr Kind order[] = {Kind::float32,        Kind::float64,        Kind::vector_float32, Kind::vector_float64,
                              Kind::category,       Kind::text,           Kind::int32,          Kind::int64,
                              Kind::boolean,        Kind::int16,          Kind::int8,           Kind::uint32,
                              Kind::uint64,         Kind::uint16,         Kind::uint8,          Kind::timestamp,
                              Kind::sparse_float32, Kind::sparse_float64, Kind::one_hot};
    for (Kind kind : order)
        if ((kinds & kind_bit(kind)) != 0) return kind;
    return Kind::none;
}

/// What the stage does with one column of the table.
struct CheckedColumn {
    ColumnInfo info{};
    bool read_by_fit = false;
    bool read_by_transform = false;
    bool target = false;
};

constexpr bool names_column(std::span<const Input> inputs, std::string_view name, ColumnType type) {
    for (const Input& input : inputs)
        if (input.name == name || (is_selector(input.name) && selects(input.name, name, type))) return true;
    return false;
}

template <class StageType>
struct CheckedReads {
    using FitInputs = typename FitInputsOf<StageType>::type;
    static constexpr std::size_t declared = StageType::Inputs::size + FitInputs::size;

    static constexpr const Input& at(std::size_t i) {
        return i < StageType::Inputs::size ? StageType::Inputs::inputs[i]
                                           : FitInputs::inputs[i - StageType::Inputs::size];
    }
    static constexpr bool first_of_its_name(std::size_t i) {
        for (std::size_t j = 0; j < i; ++j)
            if (at(j).name == at(i).name) return false;
        return true;
    }
    static constexpr std::size_t count = [] {
        std::size_t distinct = 0;
        for (std::size_t i = 0; i < declared; ++i) distinct += first_of_its_name(i);
        return distinct;
    }();
    static constexpr bool selects_columns = [] {
        for (std::size_t i = 0; i < declared; ++i)
            if (is_selector(at(i).name)) return true;
        return false;
    }();
    static constexpr ColumnType chosen_type(std::string_view name) {
        KindSet kinds = ~KindSet{0};
        bool nullable = true;
        for (std::size_t i = 0; i < declared; ++i) {
            if (at(i).name != name) continue;
            if (at(i).exact.kind != Kind::none) return at(i).exact;
            kinds &= at(i).kinds;
            nullable = nullable && at(i).nullable;
        }
        const Kind kind = sensible_kind(kinds);
        return {kind, nullable && (kind_bit(kind) & (dense_vector_kinds | sparse_vector_kinds)) == 0, dynamic};
    }
    static constexpr std::array<ColumnInfo, count> columns = [] {
        std::array<ColumnInfo, count> result{};
        std::size_t next = 0;
        for (std::size_t i = 0; i < declared; ++i)
            if (first_of_its_name(i)) result[next++] = {at(i).name, chosen_type(at(i).name)};
        return result;
    }();
};

template <class StageType, std::size_t I>
struct CheckedColumnAt {
    static constexpr ColumnInfo info = CheckedReads<StageType>::columns[I];
    static constexpr auto name = name_from([] { return info.name; });
    using type = Column<name, typename ValueOfParts<info.type.kind, info.type.nullable, info.type.extent>::type>;
};

template <class StageType, class Sequence>
struct CheckedTable;
template <class StageType, std::size_t... I>
struct CheckedTable<StageType, std::index_sequence<I...>> {
    static_assert(!CheckedReads<StageType>::selects_columns,
                  "check_stage cannot know the columns that a selector will choose: name the table, "
                  "check_stage<MyStage, Schema<Column<\"a\", float>, Column<\"b\", float>>>()");
    using type = Schema<typename CheckedColumnAt<StageType, I>::type...>;
};

/// The table of the columns that a stage declares to read.
template <class StageType>
using TableToCheck = typename CheckedTable<StageType, std::make_index_sequence<CheckedReads<StageType>::count>>::type;

/// What the stage does with each column of a table.
template <class StageType, class Table>
std::vector<CheckedColumn> checked_columns() {
    using FitInputs = typename FitInputsOf<StageType>::type;
    std::vector<CheckedColumn> columns;
    for (const ColumnInfo& info : columns_of<Table>) {
        CheckedColumn column{info, names_column(FitInputs::inputs, info.name, info.type),
                             names_column(StageType::Inputs::inputs, info.name, info.type), false};
        [&]<class... Declarations>(Columns<Declarations...>*) {
            ((column.target |= is_target<Declarations> && input_of<Declarations>.name == info.name), ...);
        }(static_cast<FitInputs*>(nullptr));
        columns.push_back(column);
    }
    return columns;
}

// ---- a row of it ---------------------------------------------------------------------------------------------------------

template <class Listed>
struct RowPart {
    typename Listed::value_type value{};
};

/// A struct with the columns of a Schema as its members, described by hand as BOOST_DESCRIBE_STRUCT would.
template <class Table>
struct RowOf;
template <Name... ColumnNames, class... T>
struct RowOf<Schema<Column<ColumnNames, T>...>> : RowPart<Column<ColumnNames, T>>... {
    template <Name ColumnName, class Value>
    struct Member {
        static constexpr Value RowPart<Column<ColumnName, Value>>::* pointer =
            &RowPart<Column<ColumnName, Value>>::value;
        static constexpr const char* name = ColumnName.text;
        static constexpr unsigned modifiers = boost::describe::mod_public;
    };
    friend boost::mp11::mp_list<> boost_base_descriptor_fn(RowOf**) { return {}; }
    friend boost::mp11::mp_list<Member<ColumnNames, T>...> boost_public_member_descriptor_fn(RowOf**) { return {}; }
    friend boost::mp11::mp_list<> boost_protected_member_descriptor_fn(RowOf**) { return {}; }
    friend boost::mp11::mp_list<> boost_private_member_descriptor_fn(RowOf**) { return {}; }

    template <class F>
    void for_each_value(F f) {
        std::size_t column = 0;
        (f(column++, static_cast<RowPart<Column<ColumnNames, T>>&>(*this).value), ...);
    }
};

/// Any table as a Schema.
template <class Table>
struct AsSchema {
    template <std::size_t I>
    struct At {
        static constexpr ColumnInfo info = columns_of<Table>[I];
        static constexpr auto name = name_from([] { return info.name; });
        using type = Column<name, typename ValueOfParts<info.type.kind, info.type.nullable, info.type.extent>::type>;
    };
    template <std::size_t... I>
    static auto schema(std::index_sequence<I...>) -> Schema<typename At<I>::type...>;
    using type = decltype(schema(std::make_index_sequence<columns_of<Table>.size()>()));
};

}  // namespace partita::inline PARTITA_ABI::detail
