// SPDX-License-Identifier: Apache-2.0
#pragma once

// What Impute can be told, and how it says that there is nothing to learn from.

#include <partita/stage/stage_column.hpp>

#include <concepts>
#include <cstdint>

namespace partita::inline PARTITA_ABI {

/// What takes the place of missing values.
enum class Imputation : std::uint8_t {
    mean,    ///< of the values that are there; numbers only
    median,  ///< of the values that are there; numbers only
    mode,    ///< the most frequent value; of equally frequent ones the smallest number, or the first text by its bytes
    constant,  ///< a value that is given
};

/// A number or a text, given to Impute as its constant.
class ImputedConstant {
  public:
    ImputedConstant() = default;
    template <class T>
        requires std::is_arithmetic_v<T>
    ImputedConstant(T number) : number_(static_cast<double>(number)), kind_(Kind::number) {}
    ImputedConstant(const char* text) : text_(text), kind_(Kind::text) {}
    ImputedConstant(std::string_view text) : text_(text), kind_(Kind::text) {}
    ImputedConstant(std::string text) : text_(std::move(text)), kind_(Kind::text) {}

    bool given() const { return kind_ != Kind::none; }
    bool is_number() const { return kind_ == Kind::number; }
    bool is_text() const { return kind_ == Kind::text; }
    double number() const { return number_; }
    const std::string& text() const { return text_; }

  private:
    enum class Kind : std::uint8_t { none, number, text };

    double number_ = 0;
    std::string text_;
    Kind kind_ = Kind::none;
};

namespace detail {

/// The settings of an Impute as its summaries want them: which of them is made depends on the column.
struct ImputeStart {
    Imputation strategy;
    const ImputedConstant& constant;
    StageColumn where;
};

[[noreturn]] inline void refuse_all_missing(const StageColumn& where) {
    throw MissingValue(where.sentence("every value of the column is missing, so nothing can be learnt from it; use "
                                      ".strategy = Imputation::constant with a .constant, or leave the column out"),
                       where.place());
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
