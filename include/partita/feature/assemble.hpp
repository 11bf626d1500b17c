// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns side by side as one vector: what learners read.

#include <partita/data/output_view.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/split_names.hpp>

#include <algorithm>
#include <tuple>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The type in which the elements of a column's value become features.
template <class Value>
struct ElementFeature {
    using type = Feature<Value>;
};
template <class T, std::int64_t Extent>
struct ElementFeature<Vector<T, Extent>> {
    using type = T;
};
template <class T>
struct ElementFeature<SparseVector<T>> {
    using type = T;
};
template <>
struct ElementFeature<OneHot> {
    using type = float;
};

template <class... Values>
using AssembledElement =
    std::conditional_t<(std::is_same_v<typename ElementFeature<Values>::type, double> || ...), double, float>;

template <class T>
std::size_t width_of(std::span<const T>) {
    return 1;
}
template <class T>
std::size_t width_of(const MatrixView<const T>& view) {
    return view.columns();
}
template <class T>
std::size_t width_of(const SparseView<T>& view) {
    return view.columns;
}
inline std::size_t width_of(const OneHotView& view) { return view.columns; }

/// Rows [first, first + count) of a column into the elements that begin at to[0]; rows of `to` are `stride` apart. Gives the
/// number of elements.
template <class T, class Out>
std::size_t put_dense(std::span<const T> view, std::size_t first, std::size_t count, Out* to, std::size_t stride) {
    for (std::size_t i = 0; i < count; ++i) to[i * stride] = static_cast<Out>(view[first + i]);
    return 1;
}
template <class T, class Out>
std::size_t put_dense(const MatrixView<const T>& view, std::size_t first, std::size_t count, Out* to,
                      std::size_t stride) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = view[first + i];
        for (std::size_t c = 0; c < row.size(); ++c) to[i * stride + c] = static_cast<Out>(row[c]);
    }
    return view.columns();
}
template <class T, class Out>
std::size_t put_dense(const SparseView<T>& view, std::size_t first, std::size_t count, Out* to, std::size_t stride) {
    for (std::size_t i = 0; i < count; ++i) {
        std::fill_n(to + i * stride, view.columns, Out(0));
        for (std::int64_t k = view.offsets[first + i]; k < view.offsets[first + i + 1]; ++k)
            to[i * stride + static_cast<std::size_t>(view.indices[k])] = static_cast<Out>(view.values[k]);
    }
    return view.columns;
}
template <class Out>
std::size_t put_dense(const OneHotView& view, std::size_t first, std::size_t count, Out* to, std::size_t stride) {
    for (std::size_t i = 0; i < count; ++i) {
        std::fill_n(to + i * stride, view.columns, Out(0));
        const std::int32_t code = view.codes[first + i];
        if (code >= 0) to[i * stride + static_cast<std::size_t>(code)] = Out(1);
    }
    return view.columns;
}

/// What is not zero in one row of a column, its elements counted from `at`. Gives the number of elements.
template <class T, class Out>
std::size_t put_sparse(std::span<const T> view, std::size_t row, std::size_t at, SparseOutput<Out>& out) {
    const Out value = static_cast<Out>(view[row]);
    if (value != Out(0)) out.append(at, value);
    return 1;
}
template <class T, class Out>
std::size_t put_sparse(const MatrixView<const T>& view, std::size_t row, std::size_t at, SparseOutput<Out>& out) {
    for (std::size_t c = 0; c < view.columns(); ++c) {
        const Out value = static_cast<Out>(view[row][c]);
        if (value != Out(0)) out.append(at + c, value);
    }
    return view.columns();
}
template <class T, class Out>
std::size_t put_sparse(const SparseView<T>& view, std::size_t row, std::size_t at, SparseOutput<Out>& out) {
    for (std::int64_t k = view.offsets[row]; k < view.offsets[row + 1]; ++k)
        out.append(at + static_cast<std::size_t>(view.indices[k]), static_cast<Out>(view.values[k]));
    return view.columns;
}
template <class Out>
std::size_t put_sparse(const OneHotView& view, std::size_t row, std::size_t at, SparseOutput<Out>& out) {
    if (view.codes[row] >= 0) out.append(at + static_cast<std::size_t>(view.codes[row]), Out(1));
    return view.columns;
}

/// The names of the elements of several columns, one after the other.
inline std::vector<std::string> joined_names(std::span<const std::vector<std::string>> of_inputs) {
    std::vector<std::string> names;
    for (const auto& input : of_inputs) names.insert(names.end(), input.begin(), input.end());
    return names;
}

inline constexpr KindSet assembled_kinds = number_kinds | dense_vector_kinds | sparse_vector_kinds;

}  // namespace detail

/// Puts columns side by side as one dense vector: Assemble<"distance", "zone", "features">, the output last.
///
/// Inputs: numbers, vectors, sparse vectors and OneHot, nothing missing; selectors stand for all their columns. Output: a
/// Vector<float> of all their elements in order, Vector<double> if an input is double or an integer of more than 16 bits.
/// Values are copied as they are: learners refuse what is not finite. Cost: the writing of the vector.
template <Name... ColumnNames>
struct Assemble {
    static_assert(sizeof...(ColumnNames) >= 2,
                  "partita: Assemble takes the names of its inputs and then that of its output");
    using stage_concept = Transformer;
    static constexpr std::string_view id = "Assemble";
    using Split = detail::SplitNames<detail::assembled_kinds, false, Columns<>, ColumnNames...>;
    using Inputs = typename Split::Inputs;
    template <class... Values>
    using OutputsFor = Columns<Column<Split::output, Vector<detail::AssembledElement<Values...>>>>;

    /// The kernel: views of the inputs, then the output.
    template <class... Arguments>
    void operator()(const Arguments&... arguments) const {
        const auto all = std::tie(arguments...);
        constexpr std::size_t last = sizeof...(Arguments) - 1;
        const auto& out = std::get<last>(all);
        constexpr std::size_t tile =
            64;  // rows that stay in the first-level cache while one column after the other is written
        for (std::size_t first = 0; first < out.rows(); first += tile) {
            const std::size_t count = std::min(tile, out.rows() - first);
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                auto* to = out.data() + first * out.stride();
                ((to += detail::put_dense(std::get<I>(all), first, count, to, out.stride())), ...);
            }(std::make_index_sequence<last>());
        }
    }

    template <class... Views>
    std::size_t output_width(const Views&... views) const {
        return (detail::width_of(views) + ...);
    }
    /// The names of the output's elements, given those of each input's.
    std::vector<std::string> feature_names(std::span<const std::vector<std::string>> of_inputs) const {
        return detail::joined_names(of_inputs);
    }
};

/// As Assemble, into a SparseVector: for wide one-hot columns. Zeros are not stored.
/// Cost: the writing of what is not zero.
template <Name... ColumnNames>
struct AssembleSparse {
    static_assert(sizeof...(ColumnNames) >= 2,
                  "partita: AssembleSparse takes the names of its inputs and then that of its output");
    using stage_concept = Transformer;
    static constexpr std::string_view id = "AssembleSparse";
    using Split = detail::SplitNames<detail::assembled_kinds, false, Columns<>, ColumnNames...>;
    using Inputs = typename Split::Inputs;
    template <class... Values>
    using OutputsFor = Columns<Column<Split::output, SparseVector<detail::AssembledElement<Values...>>>>;

    /// The kernel: views of the inputs, then the output.
    template <class... Arguments>
    void operator()(const Arguments&... arguments) const {
        const auto all = std::tie(arguments...);
        constexpr std::size_t last = sizeof...(Arguments) - 1;
        auto out = std::get<last>(all);
        const std::size_t rows = std::get<0>(all).size();
        for (std::size_t row = 0; row < rows; ++row) {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                std::size_t at = 0;
                ((at += detail::put_sparse(std::get<I>(all), row, at, out)), ...);
            }(std::make_index_sequence<last>());
            out.end_row();
        }
    }

    template <class... Views>
    std::size_t output_width(const Views&... views) const {
        return (detail::width_of(views) + ...);
    }
    /// The names of the output's elements, given those of each input's.
    std::vector<std::string> feature_names(std::span<const std::vector<std::string>> of_inputs) const {
        return detail::joined_names(of_inputs);
    }
};

}  // namespace partita::inline PARTITA_ABI
