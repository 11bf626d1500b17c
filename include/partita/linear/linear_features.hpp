// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all linear models share: the features that they take, checked margins, and the refusal of what is no finite number.

#include <partita/core/error.hpp>
#include <partita/core/number_text.hpp>
#include <partita/data/column_type.hpp>
#include <partita/math/margins.hpp>
#include <partita/math/matrix_view.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The features that linear models take.
inline constexpr KindSet linear_feature_kinds = dense_vector_kinds | sparse_vector_kinds;

template <class T>
std::size_t feature_width(MatrixView<T> x) {
    return x.columns();
}
template <class T>
std::size_t feature_width(const SparseView<T>& x) {
    return x.columns;
}
inline std::size_t feature_width(const OneHotView& x) { return x.columns; }

template <class T>
bool finite_row(MatrixView<const T> x, std::size_t row) {
    for (T value : x[row])
        if (!(value - value == T(0))) return false;
    return true;
}
template <class T>
bool finite_row(const SparseView<T>& x, std::size_t row) {
    for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k)
        if (!(x.values[k] - x.values[k] == T(0))) return false;
    return true;
}
inline bool finite_row(const OneHotView&, std::size_t) { return true; }

[[noreturn, gnu::cold]] inline void refuse_features(std::string_view feature_column, std::string_view what,
                                                    std::int64_t row, std::int64_t element = -1) {
    Place place;
    place.row = row;
    place.column = std::string(feature_column);
    place.element = element;
    throw NonFiniteValue(
        (element < 0 ? std::string(what) : "element " + std::to_string(element) + " of " + std::string(what)) + " \"" +
            place.column + "\" is not finite; filter such rows, or impute what is missing before the learner",
        place);
}

[[noreturn, gnu::cold]] inline void refuse_width(std::string_view feature_column, std::size_t given,
                                                 std::size_t wanted) {
    Place place;
    place.column = std::string(feature_column);
    throw WrongWidth("the vectors of \"" + place.column + "\" have " + std::to_string(given) +
                         " elements and the model was fitted on " + std::to_string(wanted) +
                         "; give the columns that it was fitted on",
                     place);
}

/// Margins with the promise that what a fit refuses throws here too.
template <class Features>
void checked_margins(const Features& x, const std::vector<double>& coefficients, double intercept,
                     std::span<double> margins, std::string_view feature_column) {
    if (feature_width(x) != coefficients.size()) refuse_width(feature_column, feature_width(x), coefficients.size());
    block_margins(x, std::span<const double>(coefficients), intercept, margins);
    double test = 0;
    for (double margin : margins) test += margin - margin;
    if (test == 0) return;
    for (std::size_t row = 0; row < margins.size(); ++row)
        if (!finite_row(x, row)) refuse_features(feature_column, "the features", static_cast<std::int64_t>(row));
}

}  // namespace partita::inline PARTITA_ABI::detail
