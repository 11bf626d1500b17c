// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counting the categories of one block of rows.

#include <partita/data/column_view.hpp>
#include <partita/math/category_counts.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// A number of up to 64 bits, written out; the text lives as long as this.
class NumberText {
  public:
    template <class T>
    explicit NumberText(T value) {
        if constexpr (std::is_same_v<T, bool>) {
            text_ = value ? "true" : "false";
        } else {
            const bool negative = value < T(0);
            std::uint64_t rest = static_cast<std::uint64_t>(value);
            if (negative) rest = 0 - rest;
            char* at = digits_ + sizeof digits_;
            do *--at = static_cast<char>('0' + rest % 10);
            while ((rest /= 10) != 0);
            if (negative) *--at = '-';
            text_ = {at, static_cast<std::size_t>(digits_ + sizeof digits_ - at)};
        }
    }
    NumberText(const NumberText&) = delete;
    NumberText& operator=(const NumberText&) = delete;
    operator std::string_view() const { return text_; }

  private:
    char digits_[20];
    std::string_view text_;
};

struct AllValid {
    bool operator()(std::size_t) const { return true; }
};

/// Counts the texts of the rows for which valid(row). Dictionaries are counted by code, so that a block costs one look-up a
/// category and not one a row; fractional weights are looked up row by row, since they are added exactly.
template <class Valid = AllValid>
void tally(CategoryCounts& counts, const CategoryView& view, Weights weights, Valid valid = {}) {
    const auto codes = view.codes();
    if (view.dictionary().size() > codes.size()) {
        for (std::size_t i = 0; i < codes.size(); ++i)
            if (valid(i)) counts.add_weight(view[i], weights[i]);
        return;
    }
    std::vector<std::int64_t> by_code(view.dictionary().size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
        if (!valid(i)) continue;
        const double weight = weights[i];
        const auto whole = weight <= 4294967296.0 ? static_cast<std::int64_t>(weight) : 0;
        if (static_cast<double>(whole) == weight) {
            by_code[static_cast<std::size_t>(codes[i])] += whole;
        } else {
            counts.add_weight(view[i], weight);
        }
    }
    for (std::size_t code = 0; code < by_code.size(); ++code) counts.add(view.dictionary()[code], by_code[code]);
}
template <class Valid = AllValid>
void tally(CategoryCounts& counts, const TextView& view, Weights weights, Valid valid = {}) {
    for (std::size_t i = 0; i < view.size(); ++i)
        if (valid(i)) counts.add_weight(view[i], weights[i]);
}
template <class T>
void tally(CategoryCounts& counts, std::span<const T> view, Weights weights) {
    for (std::size_t i = 0; i < view.size(); ++i) counts.add_weight(NumberText(view[i]), weights[i]);
}

}  // namespace partita::inline PARTITA_ABI::detail
