// SPDX-License-Identifier: Apache-2.0
#pragma once

// Targets of two classes, as metrics of binary classifiers read them.

#include <partita/core/error.hpp>
#include <partita/core/name.hpp>
#include <partita/core/version.hpp>
#include <partita/data/column_view.hpp>
#include <partita/math/weights.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace partita::inline PARTITA_ABI::detail {

[[noreturn]] inline void refuse_label(std::string_view column, std::size_t row) {
    Place place;
    place.column = column;
    place.row = static_cast<std::int64_t>(row);
    throw WrongClassCount(
        "target \"" + std::string(column) +
            "\" holds a number that names no class: 1 is the positive class, 0 or -1 the negative one; map "
            "other labels to these first",
        std::move(place));
}

/// labels[i] = 1 for rows of the positive class, else 0; a row of weight zero gets 0 whatever it holds.
template <Name Target, Name Positive, class View>
void read_labels(const View& target, Weights weights, std::uint8_t* labels) {
    const std::size_t rows = target.size();
    if constexpr (std::is_convertible_v<decltype(target[0]), std::string_view>) {
        static_assert(
            !Positive.view().empty(),
            "this metric reads a target of texts or categories; name its positive class as a template argument");
        for (std::size_t i = 0; i < rows; ++i) {
            labels[i] = weights[i] > 0 && static_cast<std::string_view>(target[i]) == Positive.view();
        }
    } else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(target[0])>, bool>) {
        for (std::size_t i = 0; i < rows; ++i) labels[i] = weights[i] > 0 && target[i];
    } else {
        using Label = std::remove_cvref_t<decltype(target[0])>;
        bool known = true;
        for (std::size_t i = 0; i < rows; ++i) {
            const Label label = target[i];
            bool names_a_class = label == Label(1) || label == Label(0);
            if constexpr (std::is_signed_v<Label>) names_a_class = names_a_class || label == Label(-1);
            labels[i] = label == Label(1);
            known = known && (names_a_class || !(weights[i] > 0));
        }
        if (!weights.unit()) {
            for (std::size_t i = 0; i < rows; ++i) labels[i] = weights[i] > 0 ? labels[i] : std::uint8_t{0};
        }
        for (std::size_t i = 0; !known && i < rows; ++i) {
            bool names_a_class = target[i] == Label(1) || target[i] == Label(0);
            if constexpr (std::is_signed_v<Label>) names_a_class = names_a_class || target[i] == Label(-1);
            if (!names_a_class && weights[i] > 0) refuse_label(Target.view(), i);
        }
    }
}

/// The kinds of columns that can be a target of two classes.
template <Name Positive>
inline constexpr KindSet class_kinds = Positive.view().empty() ? number_kinds : text_kinds;

}  // namespace partita::inline PARTITA_ABI::detail
