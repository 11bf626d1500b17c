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
#include <utility>
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
        if (count_two(labels, weights, column)) return;
        for (std::size_t row = 0; row < labels.size();) {
            const std::size_t first = row;
            double weight = 0;
            for (; row < labels.size() && labels[row] == labels[first]; ++row) weight += weights[row];
            row += row == first;  // NaN
            if (weight == 0 && (row - first > 1 || weights[first] == 0)) continue;
            add(class_number(labels[first], first, column), weight);
        }
    }
    template <class Texts>
    void update(const Texts& labels, Weights weights, std::string_view) {
        tally(counts, labels, weights);
    }

  private:
    BOOST_DESCRIBE_CLASS(ClassCounts, (), (counts), (), ())

    void add(double label, double weight) {
        char bytes[sizeof label];
        std::memcpy(bytes, &label, sizeof label);
        counts.add_weight(std::string_view(bytes, sizeof bytes), weight);
    }
    /// The usual block, of two labels: counts all its rows and says so, or none.
    template <class Y>
    bool count_two(std::span<const Y> labels, Weights weights, std::string_view column) {
        const std::size_t rows = labels.size();
        std::size_t other = 0;
        while (other < rows && labels[other] == labels[0]) ++other;
        if (other == rows) return false;
        const Y first = labels[0], second = labels[other];
        double of_first = 0, of_second = 0;
        if (weights.unit()) {
            std::size_t firsts = 0, seconds = 0;
            for (const Y label : labels) {
                firsts += label == first;
                seconds += label == second;
            }
            if (firsts + seconds != rows) return false;
            of_first = static_cast<double>(firsts);
            of_second = static_cast<double>(seconds);
        } else {
            for (std::size_t row = 0; row < rows; ++row) {
                if (labels[row] == first) of_first += weights[row];
                else if (labels[row] == second) of_second += weights[row];
                else return false;
            }
        }
        if (of_first > 0) add(class_number(first, 0, column), of_first);
        if (of_second > 0) add(class_number(second, other, column), of_second);
        return true;
    }
};

/// The classes of a target in order, numbers ascending and texts by bytes, and the weight of each.
template <class Label>
struct FoundClasses {
    std::vector<Label> classes;
    std::vector<double> weights;
};

/// One pass over the target.
/// Errors: WrongClassCount for more than ClassCounts::most_classes; EmptyDataset; NonFiniteValue; NumericOverflow.
template <class Label, class Rows>
FoundClasses<Label> count_classes(Rows& rows, std::string_view learner, std::string_view target) {
    Place place;
    place.column = std::string(target);
    std::vector<std::pair<Label, double>> all;
    try {
        const ClassCounts found = rows.aggregate(
            ClassCounts(),
            [&](ClassCounts& state, const auto&, const auto& y, Weights weights) { state.update(y, weights, target); });
        for (const CategoryWeight& category : found.counts.sorted()) {
            if constexpr (std::is_same_v<Label, std::string>) {
                all.emplace_back(category.text, category.weight);
            } else {
                double label;
                std::memcpy(&label, category.text.data(), sizeof label);
                all.emplace_back(label, category.weight);
            }
        }
    } catch (const TooManyCategories&) {
        throw WrongClassCount("the target \"" + place.column + "\" has more than " +
                                  std::to_string(ClassCounts::most_classes) + " distinct values, too many for " +
                                  std::string(learner) + " to tell apart; group them by map, or fit a regression",
                              place);
    }
    if (all.empty()) throw EmptyDataset(std::string(learner) + " has no rows of positive weight to fit", place);
    std::sort(all.begin(), all.end());
    FoundClasses<Label> found;
    for (auto& [label, weight] : all) {
        found.classes.push_back(std::move(label));
        found.weights.push_back(weight);
    }
    return found;
}

[[noreturn]] inline void refuse_class_count(std::size_t classes, std::string_view learner, const char* wanted,
                                            std::string_view target, const char* remedy) {
    Place place;
    place.column = std::string(target);
    throw WrongClassCount("the target \"" + place.column + "\" has " + std::to_string(classes) +
                              (classes == 1 ? " class" : " classes") + " in the training rows, and " +
                              std::string(learner) + " tells " + wanted +
                              " apart; check the split and the filters before it" + remedy,
                          place);
}
/// For learners that tell two classes or more apart. Errors: WrongClassCount for one.
template <class Label, class Rows>
FoundClasses<Label> find_classes(Rows& rows, std::string_view learner, std::string_view target) {
    FoundClasses<Label> found = count_classes<Label>(rows, learner, target);
    if (found.classes.size() < 2) refuse_class_count(found.classes.size(), learner, "several", target, "");
    return found;
}
/// For learners that tell two classes apart. Errors: WrongClassCount for other numbers.
template <class Label, class Rows>
FoundClasses<Label> find_two_classes(Rows& rows, std::string_view learner, std::string_view target) {
    FoundClasses<Label> found = count_classes<Label>(rows, learner, target);
    if (found.classes.size() != 2)
        refuse_class_count(found.classes.size(), learner, "two", target, ", or make a yes-or-no target by map");
    return found;
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
