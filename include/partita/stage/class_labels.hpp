// SPDX-License-Identifier: Apache-2.0
#pragma once

// The classes of a target: numbers or texts, counted, put in order, and looked up.

#include <partita/math/category_counts.hpp>
#include <partita/stage/category_tally.hpp>
#include <partita/stage/features.hpp>
#include <partita/stage/fit_rows.hpp>

#include <boost/describe/class.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// A row's label as a number that tells classes apart: of the two zeros the positive one.
/// Errors: NonFiniteValue; NumericOverflow for an integer that is not exact as a double.
template <class Y>
double class_number(Y label, std::size_t row, std::string_view column) {
    const double number = static_cast<double>(label) + 0.0;
    if (!(number - number == 0)) refuse_features(column, "the target", static_cast<std::int64_t>(row));
    if constexpr (std::is_integral_v<Y> && sizeof(Y) == 8) {
        if (number >= 0x1p53 || number <= -0x1p53) {
            Place place;
            place.row = static_cast<std::int64_t>(row);
            place.column = std::string(column);
            throw NumericOverflow(
                "a label of \"" + place.column +
                    "\" is beyond 2^53, where neighbouring integers are one double; number the classes from 0 by map",
                place);
        }
    }
    return number;
}

/// The weight of each class. A class is kept as its text, or as the bytes of its number.
class ClassCounts {
  public:
    static constexpr std::size_t most_classes = 1000;
    CategoryCounts counts{most_classes};

    template <class Y>
    void update(std::span<const Y> labels, Weights weights, std::string_view column) {
        for (std::size_t row = 0; row < labels.size();) {
            const std::size_t first = row;
            double weight = 0;
            for (; row < labels.size() && labels[row] == labels[first]; ++row) weight += weights[row];
            row += row == first;  // NaN
            if (weight == 0 && (row - first > 1 || weights[first] == 0)) continue;
            const double label = class_number(labels[first], first, column);
            char bytes[sizeof label];
            std::memcpy(bytes, &label, sizeof label);
            counts.add_weight(std::string_view(bytes, sizeof bytes), weight);
        }
    }
    template <class Texts>
    void update(const Texts& labels, Weights weights, std::string_view) {
        tally(counts, labels, weights);
    }

  private:
    BOOST_DESCRIBE_CLASS(ClassCounts, (), (counts), (), ())
};

/// The classes of the target in order: numbers ascending, texts by bytes. One pass over the target.
/// Errors: WrongClassCount for fewer than two or more than ClassCounts::most_classes; EmptyDataset; NonFiniteValue.
template <class Label, class Rows>
std::vector<Label> find_classes(Rows& rows, std::string_view learner, std::string_view target) {
    Place place;
    place.column = std::string(target);
    std::vector<Label> classes;
    try {
        const ClassCounts found = rows.aggregate(
            ClassCounts(),
            [&](ClassCounts& state, const auto&, const auto& y, Weights weights) { state.update(y, weights, target); });
        for (const CategoryWeight& category : found.counts.sorted()) {
            if constexpr (std::is_same_v<Label, std::string>) {
                classes.emplace_back(category.text);
            } else {
                double label;
                std::memcpy(&label, category.text.data(), sizeof label);
                classes.push_back(label);
            }
        }
    } catch (const TooManyCategories&) {
        throw WrongClassCount("the target \"" + place.column + "\" has more than " +
                                  std::to_string(ClassCounts::most_classes) + " distinct values, too many for " +
                                  std::string(learner) + " to tell apart; group them by map, or fit a regression",
                              place);
    }
    std::sort(classes.begin(), classes.end());
    if (classes.empty()) throw EmptyDataset(std::string(learner) + " has no rows of positive weight to fit", place);
    if (classes.size() < 2)
        throw WrongClassCount("the target \"" + place.column +
                                  "\" has 1 class in the training rows, and a classifier tells several apart; check "
                                  "the split and the filters before it",
                              place);
    return classes;
}

/// The place of each row's label among the classes; of rows whose label is none of them, the number of classes.
template <class Y>
void look_up_classes(std::span<const Y> labels, const std::vector<double>& classes,
                     std::vector<std::uint32_t>& places) {
    places.resize(labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row) {
        const double label = static_cast<double>(labels[row]);
        const auto at = std::lower_bound(classes.begin(), classes.end(), label);
        places[row] =
            static_cast<std::uint32_t>((at != classes.end() && *at == label ? at : classes.end()) - classes.begin());
    }
}
inline std::uint32_t place_of_class(std::string_view text, const std::vector<std::string>& classes) {
    const auto at = std::lower_bound(classes.begin(), classes.end(), text);
    return static_cast<std::uint32_t>((at != classes.end() && *at == text ? at : classes.end()) - classes.begin());
}
inline void look_up_classes(const CategoryView& labels, const std::vector<std::string>& classes,
                            std::vector<std::uint32_t>& places) {
    std::vector<std::uint32_t> by_code(labels.dictionary().size());
    for (std::size_t code = 0; code < by_code.size(); ++code)
        by_code[code] = place_of_class(labels.dictionary()[code], classes);
    places.resize(labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row)
        places[row] = by_code[static_cast<std::size_t>(labels.codes()[row])];
}
inline void look_up_classes(const TextView& labels, const std::vector<std::string>& classes,
                            std::vector<std::uint32_t>& places) {
    places.resize(labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row) places[row] = place_of_class(labels[row], classes);
}

}  // namespace partita::inline PARTITA_ABI::detail
