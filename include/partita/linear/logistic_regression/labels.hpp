// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of a target of two classes as zeros and ones.

#include <partita/stage/class_labels.hpp>
#include <partita/stage/fit_rows.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The weights that are packed beside the labels.
enum class PackedWeights : std::uint8_t {
    none,
    of_rows,
    balanced,  ///< both classes count the same in all: the rows' times Σw / (2·Σw of the class)
};

/// The target in blocks as the rows lie: 1 for the second class, 0 for the first.
template <class Label>
struct PackedLabels {
    std::vector<std::vector<std::uint8_t>> values;
    std::vector<std::vector<double>> weights;  ///< empty where none are packed, or every row counts once
    std::vector<Label> classes;
    std::vector<double> class_weights;  ///< Σw of each class

    Weights weights_of(std::size_t index) const { return weights.empty() ? Weights() : Weights(weights[index].data()); }
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

/// Finds the two classes and packs the labels. Two passes over the target. Errors: those of find_two_classes.
template <class Label, class Rows>
PackedLabels<Label> pack_labels(Rows& rows, std::string_view learner, std::string_view target, PackedWeights which) {
    FoundClasses<Label> found = find_two_classes<Label>(rows, learner, target);
    PackedLabels<Label> packed;
    packed.classes = std::move(found.classes);
    packed.class_weights = std::move(found.weights);
    packed.values.resize(rows.local_blocks());
    const bool balanced = which == PackedWeights::balanced;
    if (balanced || (which == PackedWeights::of_rows && rows.weighted())) packed.weights.resize(packed.values.size());
    const double total = packed.class_weights[0] + packed.class_weights[1];
    double factor[2] = {1, 1};
    if (balanced)
        for (std::size_t k = 0; k < 2; ++k) factor[k] = total / (2 * packed.class_weights[k]);
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
