// SPDX-License-Identifier: Apache-2.0
#pragma once

// How stages and metrics declare the columns they read, and how a table is checked against it, as plain values: the first
// mistake comes back as a value and only then is a type named for the compiler to print.

#include <partita/core/near_name.hpp>
#include <partita/core/wrong.hpp>
#include <partita/data/schema.hpp>
#include <partita/data/selector.hpp>

namespace partita::inline PARTITA_ABI {

/// What is read of one column.
struct Input {
    std::string_view name;
    KindSet kinds = 0;      ///< any of these kinds, or
    ColumnType exact{};     ///< exactly this type, where its kind is not `none`
    bool nullable = false;  ///< whether missing values are welcome

    constexpr bool takes(ColumnType type) const {
        if (exact.kind != Kind::none) return type == exact;
        return (kinds & kind_bit(type.kind)) != 0 && (nullable || !type.nullable);
    }
};

/// A column of any of these kinds: `Read<"fare", number_kinds>`. Missing values are refused unless `MissingWelcome`.
template <Name ColumnName, KindSet Kinds, bool MissingWelcome = false>
struct Read {
    static constexpr auto column = ColumnName;
    static constexpr Input input{ColumnName.view(), Kinds, {}, MissingWelcome};
};

namespace detail {

template <class Declaration>
inline constexpr Input input_of = Declaration::input;
template <Name ColumnName, class T>
inline constexpr Input input_of<Column<ColumnName, T>>{ColumnName.view(), 0, column_type<T>, column_type<T>.nullable};

}  // namespace detail

/// The columns that a stage or a metric reads (or, as a list of `Column`, writes), in the order of its kernel's arguments.
template <class... Declarations>
struct Columns {
    static constexpr std::size_t size = sizeof...(Declarations);
    static constexpr std::array<Input, sizeof...(Declarations)> inputs{detail::input_of<Declarations>...};
};

namespace detail {

/// The column whose name is near enough to be meant, or -1.
constexpr int near_column(std::span<const ColumnInfo> columns, std::string_view name) {
    return near_name(name, static_cast<int>(columns.size()),
                     [&](int i) { return columns[static_cast<std::size_t>(i)].name; });
}

/// What is wrong between a declaration and a table; `input` and `column` say where.
struct ReadMistake {
    enum class Cause : unsigned char { none, missing, wrong_type, missing_values } cause = Cause::none;
    int input = -1, column = -1, near = -1;
};

constexpr ReadMistake find_read_mistake(std::span<const ColumnInfo> columns, std::span<const Input> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Input& input = inputs[i];
        const int where = static_cast<int>(i);
        const int found = find_column(columns, input.name);
        if (found < 0) return {ReadMistake::Cause::missing, where, -1, near_column(columns, input.name)};
        const ColumnType type = columns[static_cast<std::size_t>(found)].type;
        if (input.takes(type)) continue;
        ColumnType without = type;
        without.nullable = false;
        return {
            type.nullable && input.takes(without) ? ReadMistake::Cause::missing_values : ReadMistake::Cause::wrong_type,
            where, found, -1};
    }
    return {};
}

/// The kinds that an input takes, in words.
constexpr std::string_view kinds_in_words(const Input& input) {
    if (input.exact.kind != Kind::none) return kind_name(input.exact.kind);
    const bool numbers = (input.kinds & number_kinds) != 0, vectors = (input.kinds & dense_vector_kinds) != 0,
               sparse = (input.kinds & sparse_vector_kinds) != 0, texts = (input.kinds & text_kinds) != 0,
               times = (input.kinds & kind_bit(Kind::timestamp)) != 0;
    if (numbers && vectors && sparse) return "numbers or vectors";
    if (numbers && vectors) return "numbers or dense vectors";
    if (vectors && sparse) return "vectors";
    if (vectors) return "dense vectors";
    if (numbers && texts) return "numbers, texts or categories";
    if (texts) return "texts or categories";
    if (times) return "timestamps";
    if (numbers) return "numbers";
    return "sparse vectors";
}

/// What a function over the columns of a table is told when a name is wrong; a class, because its body is where both
/// compilers stop after one error.
template <class Row, Name ColumnName, bool Found, int Near>
struct ExplainName {};
template <class Row, Name ColumnName, int Near>
struct ExplainName<Row, ColumnName, false, Near> {
    static constexpr auto meant = name_from([] { return columns_of<Row>[static_cast<std::size_t>(Near)].name; });
    static_assert(sizeof(wrong::ColumnIsMissing<wrong::Wanted<ColumnName>, wrong::DidYouMean<meant>>) == 0,
                  "the table has no column of this name");
};
template <class Row, Name ColumnName>
struct ExplainName<Row, ColumnName, false, -1> {
    static_assert(sizeof(wrong::ColumnIsMissing<wrong::Wanted<ColumnName>>) == 0,
                  "the table has no column of this name");
};

/// Stops the compilation where a table has no column of this name.
template <class Row, Name ColumnName>
consteval void demand_column() {
    static_cast<void>(sizeof(
        ExplainName<Row, ColumnName, has_column<Row, ColumnName>, near_column(columns_of<Row>, ColumnName.view())>));
}

/// What is wrong with a type that is used as a row.
template <class Row, bool Described>
struct ExplainRow {};
template <class Row>
struct ExplainRow<Row, false> {
    static_assert(sizeof(wrong::RowIsNotDescribed<wrong::Given<Row>>) == 0,
                  "describe the row behind its struct: BOOST_DESCRIBE_STRUCT(Row, (), (members…))");
};

/// What is wrong with the member of a row at this place, or nothing for -1.
template <class Row, int Ordinal>
struct ExplainMember {
    static constexpr auto name = name_from([] { return columns_of<Row>[static_cast<std::size_t>(Ordinal)].name; });
    static_assert(sizeof(wrong::MemberTypeIsNoColumn<wrong::Given<Row>, wrong::OfColumn<name>>) == 0,
                  "a column has a type that no row and no text file can hold: use bool, integers, float, double, "
                  "Timestamp, Text, "
                  "Category, std::optional of these, or Vector");
};
template <class Row>
struct ExplainMember<Row, -1> {};

/// Whether a member of a row, or a field of text, can hold a value of a column's type.
constexpr bool can_be_member(ColumnType type) {
    const KindSet scalars = number_kinds | text_kinds | kind_bit(Kind::timestamp);
    return (kind_bit(type.kind) & (type.nullable ? scalars : scalars | dense_vector_kinds)) != 0;
}
template <class Row>
consteval int first_member_that_is_no_column() {
    for (std::size_t i = 0; i < columns_of<Row>.size(); ++i)
        if (!can_be_member(columns_of<Row>[i].type)) return static_cast<int>(i);
    return -1;
}

/// Whether a type can be a row that is read; the compile error otherwise.
template <class Row, bool Described>
consteval bool demand_row() {
    static_cast<void>(sizeof(ExplainRow<Row, Described>));
    if constexpr (Described) {
        constexpr int mistaken = first_member_that_is_no_column<Row>();
        static_cast<void>(sizeof(ExplainMember<Row, mistaken>));
        return mistaken < 0;
    }
    return false;
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
