// SPDX-License-Identifier: Apache-2.0
#pragma once

// Categories as vectors with a single one.

#include <partita/core/number_text.hpp>
#include <partita/data/output_view.hpp>
#include <partita/feature/unseen.hpp>
#include <partita/math/count.hpp>
#include <partita/stage/category_tally.hpp>
#include <partita/stage/stage_column.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Counts the categories of one column.
class OneHotSummary {
  public:
    template <class View>
    void update(const View& view, Weights weights) {
        tally(counts, view, weights);
    }
    CategoryCounts counts;

  private:
    BOOST_DESCRIBE_CLASS(OneHotSummary, (), (counts), (), ())
};

/// The categories that have columns, in their order, and how to find them.
class OneHotModel {
  public:
    OneHotModel() = default;
    OneHotModel(std::vector<std::string> categories, bool drop_last, bool own_column)
        : categories_(std::move(categories)), drop_last_(drop_last), own_column_(own_column) {
        prepare();
    }

    /// The categories of the fit that were kept, the heaviest first, of equal weights in the order of their bytes.
    const std::vector<std::string>& categories() const { return categories_; }
    /// How many columns a category becomes.
    std::size_t width() const { return kept() + (own_column_ ? 1 : 0); }
    template <class View>
    std::size_t output_width(const View&) const {
        return width();
    }
    /// The names of the columns: zone=JFK, …, and zone=* for what the fit has not seen.
    std::vector<std::string> feature_names(std::string_view column) const {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < kept(); ++i) names.push_back(std::string(column) + "=" + categories_[i]);
        if (own_column_) names.push_back(std::string(column) + "=*");
        return names;
    }

    void validate() const {
        if (categories_.empty()) throw ModelFileInvalid("there are no categories");
        if (index_.size() != categories_.size()) throw ModelFileInvalid("a category stands there twice");
    }
    template <class Writer>
    void save(Writer& writer) const {
        writer.texts("categories", categories_);
        writer.scalar("drop_last", drop_last_);
        writer.scalar("own_column", own_column_);
    }
    template <class Reader>
    void load(Reader& reader, bool own_column) {
        categories_ = reader.texts("categories");
        drop_last_ = reader.template scalar<bool>("drop_last");
        own_column_ = reader.template scalar<bool>("own_column");
        if (own_column_ != own_column) reader.invalid("the stage was fitted with another choice for unseen categories");
        prepare();
    }
    friend bool operator==(const OneHotModel& a, const OneHotModel& b) {
        return a.categories_ == b.categories_ && a.drop_last_ == b.drop_last_ && a.own_column_ == b.own_column_;
    }

  protected:
    std::int32_t intern(std::string_view text, Unseen policy, const StageColumn& where) const {
        const std::uint32_t id = index_.find(text);
        if (id != TextIndex::none) return static_cast<std::int32_t>(id);
        if (policy == Unseen::error) refuse(text, 0, where);
        return static_cast<std::int32_t>(categories_.size());
    }
    void apply(const CategoryView& view, OneHotOutput out, Unseen policy, const StageColumn& where) const {
        const auto codes = view.codes();
        if (view.interned() >= 0 && codes.size() == 1) {
            out.codes[0] = column_of(view.interned(), policy, where);
        } else if (view.dictionary().size() >= codes.size()) {
            for (std::size_t i = 0; i < codes.size(); ++i) out.codes[i] = column_of(view[i], i, policy, where);
        } else {
            constexpr std::int32_t unknown = -2;
            std::vector<std::int32_t> columns(view.dictionary().size(), unknown);
            for (std::size_t i = 0; i < codes.size(); ++i) {
                std::int32_t& column = columns[static_cast<std::size_t>(codes[i])];
                if (column == unknown) column = column_of(view[i], i, policy, where);
                out.codes[i] = column;
            }
        }
    }
    void apply(const TextView& view, OneHotOutput out, Unseen policy, const StageColumn& where) const {
        for (std::size_t i = 0; i < view.size(); ++i) out.codes[i] = column_of(view[i], i, policy, where);
    }
    template <class T>
    void apply(std::span<const T> view, OneHotOutput out, Unseen policy, const StageColumn& where) const {
        for (std::size_t i = 0; i < view.size(); ++i) out.codes[i] = column_of(NumberText(view[i]), i, policy, where);
    }

  private:
    std::size_t kept() const { return categories_.size() - (drop_last_ && !categories_.empty() ? 1 : 0); }
    void prepare() {
        index_ = TextIndex();
        for (const std::string& category : categories_) index_.insert(category);
    }
    std::int32_t column_of(std::string_view text, std::size_t row, Unseen policy, const StageColumn& where) const {
        const std::uint32_t id = index_.find(text);
        if (id < kept()) return static_cast<std::int32_t>(id);
        if (id != TextIndex::none) return -1;
        if (policy == Unseen::error) refuse(text, row, where);
        return policy == Unseen::own_column ? static_cast<std::int32_t>(kept()) : -1;
    }
    std::int32_t column_of(std::int32_t interned, Unseen policy, const StageColumn& where) const {
        const auto id = static_cast<std::size_t>(interned);
        if (id < kept()) return interned;
        if (id < categories_.size()) return -1;
        if (id > categories_.size() || policy == Unseen::error)
            throw UnseenCategory(
                where.sentence("the id " + std::to_string(interned) +
                               " stands for no category of this model; take ids from intern() of the same model"),
                where.place(0));
        return policy == Unseen::own_column ? static_cast<std::int32_t>(kept()) : -1;
    }
    [[noreturn]] static void refuse(std::string_view text, std::size_t row, const StageColumn& where) {
        throw UnseenCategory(
            where.sentence("the category \"" + std::string(text.substr(0, 100)) +
                           "\" was not in the data of the fit; choose Unseen::all_zero or Unseen::own_column, or "
                           "fit on data that have it"),
            where.place(static_cast<std::int64_t>(row)));
    }

    std::vector<std::string> categories_;
    bool drop_last_ = false, own_column_ = false;
    TextIndex index_;
};

struct OneHotSettings {
    bool drop_last;
    std::size_t max_categories;
    double min_count;
    Unseen policy;
};

inline void validate_one_hot(const OneHotSettings& settings, const StageColumn& where) {
    if (settings.policy > Unseen::own_column)
        throw InvalidSetting(
            where.sentence("its policy is no value of Unseen; take Unseen::all_zero, error or own_column"),
            where.setting("policy"));
    if (!(settings.min_count >= 0.0))
        throw InvalidSetting(where.sentence("min_count must be 0 or more"), where.setting("min_count"));
    if (settings.min_count > 0.0 && settings.policy == Unseen::error)
        throw InvalidSetting(
            where.sentence("with min_count, rare categories of the fit's own data would be refused; choose "
                           "Unseen::all_zero or Unseen::own_column, or leave min_count at 0"),
            where.setting("min_count"));
}

inline OneHotModel finish_one_hot(const CategoryCounts& counts, const OneHotSettings& settings,
                                  const StageColumn& where) {
    std::vector<CategoryWeight> found = counts.sorted();
    if (found.empty()) where.refuse_empty();
    while (!found.empty() && found.back().weight < settings.min_count) found.pop_back();
    if (found.empty())
        throw InvalidSetting(where.sentence("no category is as frequent as min_count = " +
                                            number_text(settings.min_count) + " asks; lower it"),
                             where.setting("min_count"));
    if (settings.max_categories > 0 && found.size() > settings.max_categories) {
        if (settings.policy == Unseen::error)
            throw TooManyCategories(
                where.sentence("there are " + std::to_string(found.size()) + " categories, and max_categories is " +
                               std::to_string(settings.max_categories) +
                               "; raise it, or let Unseen::own_column take the rare ones"),
                where.place());
        found.resize(settings.max_categories);
    }
    std::vector<std::string> categories;
    categories.reserve(found.size());
    for (const CategoryWeight& category : found) categories.emplace_back(category.text);
    return {std::move(categories), settings.drop_last, settings.policy == Unseen::own_column};
}

}  // namespace detail

/// Makes a category a vector with a one in its own column: OneHotEncode<"zone", Unseen::all_zero>.
///
/// Input: a column of Category, Text, integers (their digits are the categories) or bool, nothing missing. Output: OneHot, in the
/// input's place. Columns are ordered by the categories' weight in the data of the fit, the heaviest first, then by their bytes.
/// `Policy` says what becomes of categories that the fit did not see or did not keep; it has no default.
/// Errors: UnseenCategory under Unseen::error, with the row; EmptyDataset; TooManyCategories; InvalidSetting.
/// Determinism: exact counts. Cost: one pass, one look-up a category and block (a row, for Text and numbers); afterwards no
/// allocation for a single row.
template <Name ColumnName, Unseen Policy = Unseen::undecided>
struct OneHotEncode {
    using stage_concept = Estimator;
    static constexpr std::string_view id = "OneHotEncode";
    static constexpr bool unseen_policy_is_open = Policy == Unseen::undecided;
    using Inputs = Columns<Read<ColumnName, text_kinds | integer_kinds | kind_bit(Kind::boolean)>>;
    using Outputs = Columns<Column<ColumnName, OneHot>>;

    /// Whether the rarest category has no column, so that the columns of a row do not sum to 1.
    bool drop_last = false;
    /// How many categories to keep, the heaviest; 0 for all. Under Unseen::error more are refused.
    std::size_t max_categories = 0;
    /// The weight below which a category is not kept.
    double min_count = 0;

    /// The fitted stage: categories(), intern(text), feature_names(column).
    struct Model : detail::OneHotModel {
        Model() = default;
        explicit Model(detail::OneHotModel fitted) : detail::OneHotModel(std::move(fitted)) {}

        /// The id of a text, to be put into rows instead of it: its place in categories(), or one past the last if it is not
        /// there. Errors: UnseenCategory under Unseen::error.
        std::int32_t intern(std::string_view text) const { return detail::OneHotModel::intern(text, Policy, where()); }

        template <class View>
        void operator()(const View& view, OneHotOutput out) const {
            this->apply(view, out, Policy, where());
        }
        template <class Reader>
        void load(Reader& reader) {
            detail::OneHotModel::load(reader, Policy == Unseen::own_column);
        }
    };
    using Summary = detail::OneHotSummary;

    void validate() const { detail::validate_one_hot(settings(), where()); }
    Model finish(const Summary& summary) const {
        return Model(detail::finish_one_hot(summary.counts, settings(), where()));
    }

  private:
    static constexpr detail::StageColumn where() { return detail::stage_column<OneHotEncode>(); }
    detail::OneHotSettings settings() const { return {drop_last, max_categories, min_count, Policy}; }
};

}  // namespace partita::inline PARTITA_ABI
