// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two classes of a target, and its rows as zeros and ones.

#include <partita/comm/checkpoints.hpp>
#include <partita/linear/linear_features.hpp>
#include <partita/math/category_counts.hpp>
#include <partita/stage/category_tally.hpp>
#include <partita/stage/class_labels.hpp>
#include <partita/stage/fit_rows.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// What a fit is told, without the names of the pipeline's types.
struct LogisticPlan {
    double l2 = 0;
    bool fit_intercept = true, standardize = true, balanced = false;
    int max_iterations = 0;
    double tolerance = 0;
    std::int64_t newton_limit = 0;
    std::string_view features, target;

    /// For checkpoints: every member decides what the fit does.
    FitIdentity identity() const {
        FitIdentity all("LogisticRegression");
        all.add("l2", l2).add("fit_intercept", fit_intercept).add("standardize", standardize).add("balanced", balanced);
        all.add("max_iterations", max_iterations).add("tolerance", tolerance).add("newton_limit", newton_limit);
        return all.add("features", features).add("target", target);
    }
};

/// The target in blocks as the rows lie: 1 for the second class, 0 for the first.
template <class Label>
struct PackedLabels {
    std::vector<std::vector<std::uint8_t>> values;
    std::vector<std::vector<double>> weights;  ///< empty where every row counts once
    std::vector<Label> classes;
    double class_weight[2] = {0, 0};  ///< Σw of each class

    Weights weights_of(std::size_t index) const { return weights.empty() ? Weights() : Weights(weights[index].data()); }
};

/// The weight of each distinct label. A label is kept as its text, or as the bytes of its number.
class LabelCounts {
  public:
    static constexpr std::size_t most_classes = 64;
    CategoryCounts counts{most_classes};

    template <class Y>
    void update(std::span<const Y> labels, Weights weights, std::string_view column) {
        numbers_.clear();
        for (std::size_t row = weights.unit() ? count_two(labels) : 0; row < labels.size(); ++row) {
            if (weights[row] == 0) continue;
            const double label = class_number(labels[row], row, column);
            std::size_t at = 0;
            while (at < numbers_.size() && numbers_[at].label != label) ++at;
            if (at == numbers_.size()) {
                if (at == most_classes) refuse_many(column);
                numbers_.push_back({label, 0});
            }
            numbers_[at].weight += weights[row];
        }
        for (const Number& number : numbers_) {
            char bytes[sizeof(double)];
            std::memcpy(bytes, &number.label, sizeof bytes);
            const std::string_view text(bytes, sizeof bytes);
            if (counts.weight(text) == 0 && counts.sorted().size() >= most_classes) refuse_many(column);
            counts.add_weight(text, number.weight);
        }
    }
    template <class Texts>
    void update(const Texts& labels, Weights weights, std::string_view column) {
        try {
            tally(counts, labels, weights);
        } catch (const TooManyCategories&) {
            refuse_many(column);
        }
    }

    [[noreturn]] static void refuse_many(std::string_view column) {
        Place place;
        place.column = std::string(column);
        throw WrongClassCount("the target \"" + place.column + "\" has more than " + std::to_string(most_classes) +
                                  " distinct values, and a logistic regression tells two classes apart; make a "
                                  "yes-or-no target of it by map, or fit a regression",
                              place);
    }

  private:
    BOOST_DESCRIBE_CLASS(LabelCounts, (), (counts), (), ())

    struct Number {
        double label, weight;
    };
    /// The usual block, of two finite labels and unit weights: counts all its rows and says so, or none.
    template <class Y>
    std::size_t count_two(std::span<const Y> labels) {
        const std::size_t rows = labels.size();
        std::size_t other = 0, first_rows = 0, second_rows = 0;
        while (other < rows && labels[other] == labels[0]) ++other;
        if (other == rows) return 0;
        const Y first = labels[0], second = labels[other];
        for (std::size_t row = 0; row < rows; ++row) {
            first_rows += labels[row] == first;
            second_rows += labels[row] == second;
        }
        const double a = static_cast<double>(first) + 0.0, b = static_cast<double>(second) + 0.0;
        if (first_rows + second_rows != rows || !(a - a == 0) || !(b - b == 0)) return 0;
        numbers_.push_back({a, static_cast<double>(first_rows)});
        numbers_.push_back({b, static_cast<double>(second_rows)});
        return rows;
    }
    std::vector<Number> numbers_;
};

template <class Y>
void pack_block(std::span<const Y> labels, double second, std::vector<std::uint8_t>& packed) {
    for (std::size_t row = 0; row < labels.size(); ++row) packed[row] = static_cast<double>(labels[row]) == second;
}
inline void pack_block(const CategoryView& labels, std::string_view second, std::vector<std::uint8_t>& packed) {
    std::vector<std::uint8_t> by_code(labels.dictionary().size());
    for (std::size_t code = 0; code < by_code.size(); ++code) by_code[code] = labels.dictionary()[code] == second;
    for (std::size_t row = 0; row < labels.size(); ++row)
        packed[row] = by_code[static_cast<std::size_t>(labels.codes()[row])];
}
inline void pack_block(const TextView& labels, std::string_view second, std::vector<std::uint8_t>& packed) {
    for (std::size_t row = 0; row < labels.size(); ++row) packed[row] = labels[row] == second;
}

/// Finds the two classes and packs the labels. Two passes over the target.
template <class Label, class Rows>
PackedLabels<Label> pack_labels(Rows& rows, const LogisticPlan& plan) {
    const LabelCounts found = [&] {
        try {
            return rows.aggregate(LabelCounts(), [&](LabelCounts& state, const auto&, const auto& y, Weights weights) {
                state.update(y, weights, plan.target);
            });
        } catch (const TooManyCategories&) {  // found only where the threads' labels met
            LabelCounts::refuse_many(plan.target);
        }
    }();
    PackedLabels<Label> packed;
    const auto label_of = [](const std::string& text) {
        if constexpr (std::is_same_v<Label, std::string>) {
            return text;
        } else {
            double label;
            std::memcpy(&label, text.data(), sizeof label);
            return label;
        }
    };
    const auto counted = found.counts.sorted();
    for (const auto& category : counted) packed.classes.push_back(label_of(std::string(category.text)));
    std::sort(packed.classes.begin(), packed.classes.end());
    Place place;
    place.column = std::string(plan.target);
    if (packed.classes.empty()) throw EmptyDataset("LogisticRegression has no rows of positive weight to fit", place);
    if (packed.classes.size() != 2)
        throw WrongClassCount("the target \"" + place.column + "\" has " + std::to_string(packed.classes.size()) +
                                  (packed.classes.size() == 1 ? " class" : " classes") +
                                  " in the training rows, and a logistic regression tells two apart; check the split "
                                  "and the filters before it, or make a yes-or-no target by map",
                              place);
    for (const auto& category : counted)
        packed.class_weight[label_of(std::string(category.text)) == packed.classes[1] ? 1 : 0] = category.weight;

    packed.values.resize(rows.local_blocks());
    if (rows.weighted() || plan.balanced) packed.weights.resize(packed.values.size());
    const double total = packed.class_weight[0] + packed.class_weight[1];
    double factor[2] = {1, 1};
    if (plan.balanced)
        for (int k = 0; k < 2; ++k) factor[k] = total / (2 * packed.class_weight[k]);
    rows.for_each_block([&](std::size_t index, const auto&, const auto& y, Weights weights) {
        std::vector<std::uint8_t>& values = packed.values[index];
        values.resize(y.size());
        pack_block(y, packed.classes[1], values);
        if (packed.weights.empty()) return;
        packed.weights[index].resize(y.size());
        for (std::size_t row = 0; row < values.size(); ++row)
            packed.weights[index][row] = weights[row] * factor[values[row] > 0 ? 1 : 0];
    });
    return packed;
}

}  // namespace partita::inline PARTITA_ABI::detail
