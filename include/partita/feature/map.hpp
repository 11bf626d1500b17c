// SPDX-License-Identifier: Apache-2.0
#pragma once

// The smallest stage: a function of a row's values.

#include <partita/data/output_view.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/split_names.hpp>

#include <boost/describe/members.hpp>

#include <tuple>

namespace partita::inline PARTITA_ABI {

namespace detail {

// ---- what the function is given ------------------------------------------------------------------------------------------

template <class Value>
struct ArgumentOf {
    using type = Value;
};
template <class T, std::int64_t Extent>
struct ArgumentOf<Vector<T, Extent>> {
    using type = Vector<T>;
};
template <class T>
struct ArgumentOf<std::optional<T>> {
    using type = std::optional<typename ArgumentOf<T>::type>;
};

template <class T>
T value_at(std::span<const T> view, std::size_t row) {
    return view[row];
}
inline Text value_at(const TextView& view, std::size_t row) { return view[row]; }
inline Category value_at(const CategoryView& view, std::size_t row) {
    Category value(view[row]);
    value.id = view.interned();
    return value;
}
template <class T>
Vector<T> value_at(const MatrixView<const T>& view, std::size_t row) {
    return Vector<T>(view[row].data(), view.columns());
}
template <class T>
SparseVector<T> value_at(const SparseView<T>& view, std::size_t row) {
    const std::int64_t first = view.offsets[row];
    const auto count = static_cast<std::size_t>(view.offsets[row + 1] - first);
    return {{view.indices + first, count}, {view.values + first, count}, view.columns};
}
inline OneHot value_at(const OneHotView& view, std::size_t row) { return {view.codes[row], view.columns}; }
template <class View>
auto value_at(const NullableView<View>& view, std::size_t row) {
    using Value = decltype(value_at(view.values(), row));
    return view.valid(row) ? std::optional<Value>(value_at(view.values(), row)) : std::optional<Value>();
}

// ---- what it may return ----------------------------------------------------------------------------------------------------

/// The column that results of R make: void if there is none.
template <class R>
struct ColumnOfResult {
    static constexpr ColumnType type = column_type<R>;
    static constexpr bool plain = (kind_bit(type.kind) & (number_kinds | kind_bit(Kind::timestamp))) != 0;
    static constexpr bool text = std::is_convertible_v<const R&, std::string_view> && !std::is_same_v<R, std::string>;
    static constexpr auto column = [] {
        if constexpr (plain) {
            return std::type_identity<ValueType<type>>{};
        } else if constexpr (text) {
            return std::type_identity<Category>{};
        } else {
            return std::type_identity<void>{};
        }
    }();
    using value = typename decltype(column)::type;
};
template <>
struct ColumnOfResult<void> {
    using value = void;
};
template <class T, std::int64_t Extent>
    requires(Extent > 0)
struct ColumnOfResult<Vector<T, Extent>> {
    using value = Vector<T, Extent>;
};

/// What a static vector writes, by width.
template <class R>
inline constexpr std::size_t result_width = 1;
template <class T, std::int64_t Extent>
inline constexpr std::size_t result_width<Vector<T, Extent>> = static_cast<std::size_t>(Extent);

template <class T, class R>
void put_result(std::span<T> out, std::size_t row, const R& result) {
    out[row] = static_cast<T>(result);
}
template <class T, class R>
void put_result(NullableOutput<T> out, std::size_t row, const R& result) {
    out.set(row, result ? std::optional<T>(static_cast<T>(*result)) : std::optional<T>());
}
template <class R>
void put_result(CategoryOutput out, std::size_t row, const R& result) {
    out.set(row, std::string_view(result));
}
template <class T, class R>
void put_result(MatrixView<T> out, std::size_t row, const R& result) {
    for (std::size_t i = 0; i < out.columns(); ++i) out[row][i] = result[i];
}

/// What a function makes of the values of its columns.
template <class F, class... Arguments>
struct MapResult {
    static constexpr bool callable = std::is_invocable_v<const F&, Arguments...>;
    using Result = std::remove_cvref_t<typename std::conditional_t<callable, std::invoke_result<const F&, Arguments...>,
                                                                   std::type_identity<void>>::type>;
    /// The column's type: void if there is none.
    using type = typename ColumnOfResult<Result>::value;
};

/// A function object that a file can name: it says who it is, and its members are described.
template <class F>
concept NamedFunction = requires {
    { F::id } -> std::convertible_to<std::string_view>;
} && (std::is_empty_v<F> || boost::describe::has_describe_members<F>::value);
/// Whether a model file can stand for it.
template <class F>
inline constexpr bool can_be_saved = std::is_empty_v<F> || NamedFunction<F>;

template <class F>
constexpr std::string_view function_id() {
    if constexpr (requires {
                      { F::id } -> std::convertible_to<std::string_view>;
                  }) {
        return F::id;
    } else {
        return "map";
    }
}

}  // namespace detail

/// A column computed from the others of its row by a function: what `map` makes.
///
/// Inputs: any columns; the function is given float for float and so on, `std::optional` where values may be missing, `Vector<T>`
/// for vectors. Output: a column of what it returns: numbers, bool, Timestamp, `std::optional` of these, vectors of static
/// extent, categories for text. Text that it returns is borrowed: it comes from an input or is a literal.
/// Saved by columns and types alone if the function is a lambda, else by the function's own `id` and described members.
/// Determinism and errors: those of the function. Cost: one call a row.
template <class F, Name... ColumnNames>
struct Map {
    static_assert(sizeof...(ColumnNames) >= 2,
                  "partita: map takes the names of its input columns and then that of its output");
    static_assert(
        wrong::unless<detail::can_be_saved<F>, wrong::CaptureCannotBeSaved<wrong::Given<F>>>,
        "partita: the function of a map has captures, which no model file could hold: use a function object with a "
        "`static constexpr std::string_view id` and members described with BOOST_DESCRIBE_STRUCT");

    using stage_concept = Transformer;
    static constexpr std::string_view id = detail::function_id<F>();
    using Split = detail::SplitNames<~KindSet{0}, true, Columns<>, ColumnNames...>;
    using Inputs = typename Split::Inputs;

    template <class... Values>
    using MadeOf = detail::MapResult<F, typename detail::ArgumentOf<Values>::type...>;
    template <class... Values>
    using ResultFor = typename MadeOf<Values...>::type;
    template <class... Values>
    using OutputsFor = Columns<Column<Split::output, ResultFor<Values...>>>;

    /// What is wrong with the function for columns of these values; void if nothing is.
    template <class At, class... Values>
    using MisfitFor = std::conditional_t<
        !MadeOf<Values...>::callable,
        wrong::FunctionDoesNotTake<At, Map, wrong::Given<typename detail::ArgumentOf<Values>::type>...>,
        std::conditional_t<std::is_void_v<typename MadeOf<Values...>::type>,
                           wrong::ResultIsNoColumn<At, Map, wrong::Given<typename MadeOf<Values...>::Result>>, void>>;

    [[no_unique_address]] F function;

    /// The kernel: views of the inputs, then the output.
    template <class... Arguments>
    void operator()(const Arguments&... arguments) const {
        const auto all = std::tie(arguments...);
        constexpr std::size_t last = sizeof...(Arguments) - 1;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const std::size_t rows = std::get<0>(all).size();
            for (std::size_t row = 0; row < rows; ++row)
                detail::put_result(std::get<last>(all), row, function(detail::value_at(std::get<I>(all), row)...));
        }(std::make_index_sequence<last>());
    }

    /// The width of a vector that the function returns.
    template <class... Views>
    std::size_t output_width(const Views&... views) const {
        return detail::result_width<std::remove_cvref_t<decltype(function(detail::value_at(views, 0)...))>>;
    }

    template <class Writer>
    void save([[maybe_unused]] Writer& writer) const {
        if constexpr (!std::is_empty_v<F>) save_value(writer, "function", function);
    }
    template <class Reader>
    void load([[maybe_unused]] Reader& reader) {
        if constexpr (!std::is_empty_v<F>) load_value(reader, "function", function);
    }
};

/// A stage that computes a column from others: `map<"km", "hours", "speed">([](float km, float hours) { return km / hours; })`.
/// The names of the inputs come first, that of the output last; an output that has the name of an input takes its place.
template <Name... ColumnNames, class F>
constexpr Map<F, ColumnNames...> map(F function) {
    return {std::move(function)};
}

}  // namespace partita::inline PARTITA_ABI
