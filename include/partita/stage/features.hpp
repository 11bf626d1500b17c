// SPDX-License-Identifier: Apache-2.0
#pragma once

// What learners share that read a vector of features: which kinds there are, the one width of all rows, and the refusal of what
// is no finite number.

#include <partita/core/error.hpp>
#include <partita/data/column_type.hpp>
#include <partita/data/refuse_widths.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/matrix_view.hpp>

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

/// Vectors of features in all the ways that they are kept.
inline constexpr KindSet vector_kinds = dense_vector_kinds | sparse_vector_kinds;

template <class T>
std::size_t feature_width(MatrixView<T> x) {
    return x.columns();
}
template <class T>
std::size_t feature_width(const SparseView<T>& x) {
    return x.columns;
}
inline std::size_t feature_width(const OneHotView& x) { return x.columns; }

/// The width of the features that a fit reads: a part of a learner's state, to which every block adds its own.
class FeatureWidth {
  public:
    /// False where it is 0 or not that of the blocks before: agreed() will refuse such rows, and no kernel should see them.
    bool add(std::size_t width) {
        narrowest_.add(static_cast<std::int64_t>(width));
        widest_.add(static_cast<std::int64_t>(width));
        return width > 0 && narrowest_.value() == widest_.value();
    }
    /// The one width of all blocks of all workers, once the state is reduced; 0 where there are no rows. Errors: WrongWidth, the
    /// same on all workers, for rows of two widths and for vectors without elements.
    std::size_t agreed(std::string_view feature_column) const;

  private:
    /// Rows that are withdrawn leave the width that they had: all others have it, too.
    template <class Extreme>
    struct Lasting : Extreme {
        void withdraw(const Lasting&) {}
    };
    Lasting<Min<std::int64_t>> narrowest_;
    Lasting<Max<std::int64_t>> widest_;
    BOOST_DESCRIBE_CLASS(FeatureWidth, (), (), (), (narrowest_, widest_))
};

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

inline std::size_t FeatureWidth::agreed(std::string_view feature_column) const {
    if (!widest_.seen()) return 0;
    const std::int64_t from = *narrowest_.value(), to = *widest_.value();
    if (from == to && to > 0) return static_cast<std::size_t>(to);
    if (from != to) refuse_widths(feature_column, from, to);
    Place place;
    place.column = std::string(feature_column);
    throw WrongWidth(
        "the vectors of \"" + place.column + "\" have no elements to learn from; give features of at least one", place);
}

}  // namespace partita::inline PARTITA_ABI::detail
