// SPDX-License-Identifier: Apache-2.0
#pragma once

// What Impute learns from a column of texts, and what it does with one.

#include <partita/data/output_view.hpp>
#include <partita/feature/impute/imputation.hpp>
#include <partita/math/count.hpp>
#include <partita/stage/category_tally.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI::detail {

class TextFillSummary {
  public:
    TextFillSummary() = default;
    TextFillSummary(const ImputeStart& start) : strategy_(start.strategy), where_(start.where) {
        if (strategy_ == Imputation::mean || strategy_ == Imputation::median)
            throw InvalidSetting(
                where_.sentence("texts have no mean and no median; use .strategy = Imputation::mode or constant"),
                where_.setting("strategy"));
        if (strategy_ == Imputation::constant && !start.constant.is_text())
            throw InvalidSetting(where_.sentence("the column holds texts and .constant is no text; give it one"),
                                 where_.setting("constant"));
    }

    template <class View>
    void update(const View& view, Weights weights) {
        if (strategy_ == Imputation::constant) return;
        rows.update(view.size(), weights);
        tally(modes, view, weights);
    }
    template <class View>
    void update(const NullableView<View>& view, Weights weights) {
        if (strategy_ == Imputation::constant) return;
        rows.update(view.size(), weights);
        tally(modes, view.values(), weights, [&](std::size_t row) { return view.valid(row); });
    }
    bool advance() const { return false; }

    std::string fill(const ImputedConstant& constant) const {
        if (strategy_ == Imputation::constant) return constant.text();
        if (rows.rows() == 0) where_.refuse_empty();
        const auto found = modes.sorted();
        if (found.empty()) refuse_all_missing(where_);
        return std::string(found.front().text);
    }

    Count rows;
    CategoryCounts modes;

  private:
    BOOST_DESCRIBE_CLASS(TextFillSummary, (), (rows, modes), (), ())

    Imputation strategy_ = Imputation::mode;
    StageColumn where_;
};

/// The text that takes the place of missing ones.
class TextFill {
  public:
    TextFill() = default;
    explicit TextFill(std::string value) : value_(std::move(value)) {}

    const std::string& value() const { return value_; }
    friend bool operator==(const TextFill&, const TextFill&) = default;

    template <class Writer>
    void save(Writer& writer) const {
        writer.text("value", value_);
    }
    template <class Reader>
    void load(Reader& reader) {
        value_ = reader.text("value");
    }

    template <class View>
    void operator()(const View& view, CategoryOutput out) const {
        for (std::size_t i = 0; i < view.size(); ++i) out.set(i, view[i]);
    }
    template <class View>
    void operator()(const NullableView<View>& view, CategoryOutput out) const {
        const View values = view.values();
        for (std::size_t i = 0; i < view.size(); ++i) out.set(i, view.valid(i) ? values[i] : std::string_view(value_));
    }

  private:
    std::string value_;
};

}  // namespace partita::inline PARTITA_ABI::detail
