// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns of any number of distinct values as one sparse vector, without learning which values there are.

#include <partita/data/output_view.hpp>
#include <partita/math/stable_hash.hpp>
#include <partita/persist/model_file.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/split_names.hpp>
#include <partita/stage/stage_column.hpp>

#include <array>
#include <tuple>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// One of 0 … dimensions - 1 for a hash: its upper half, scaled.
constexpr std::uint32_t hashed_index(std::uint64_t hash, std::uint64_t dimensions) {
    return static_cast<std::uint32_t>((hash >> 32) * dimensions >> 32);
}

struct HashedFeature {
    std::uint32_t index;
    float value;
};

/// A column being hashed row by row: `put(row, to)` writes the row's feature and says how many it has, 0 or 1.
template <class View>
class HashedColumn;

template <class T>
class HashedColumn<std::span<const T>> {
  public:
    HashedColumn(std::span<const T> values, std::uint64_t name, std::uint64_t dimensions, const StageColumn&)
        : values_(values), index_(hashed_index(name, dimensions)) {}
    std::size_t put(std::size_t row, HashedFeature* to) const {
        *to = {index_, static_cast<float>(values_[row])};
        return to->value == 0 ? 0 : 1;
    }

  private:
    std::span<const T> values_;
    std::uint32_t index_;
};
template <>
class HashedColumn<std::span<const bool>> {
  public:
    HashedColumn(std::span<const bool> values, std::uint64_t name, std::uint64_t dimensions, const StageColumn&)
        : values_(values),
          indices_{hashed_index(stable_hash("false", name), dimensions),
                   hashed_index(stable_hash("true", name), dimensions)} {}
    std::size_t put(std::size_t row, HashedFeature* to) const {
        *to = {indices_[values_[row] ? 1 : 0], 1.0f};
        return 1;
    }

  private:
    std::span<const bool> values_;
    std::array<std::uint32_t, 2> indices_;
};
template <>
class HashedColumn<TextView> {
  public:
    HashedColumn(const TextView& texts, std::uint64_t name, std::uint64_t dimensions, const StageColumn&)
        : texts_(texts), name_(name), dimensions_(dimensions) {}
    std::size_t put(std::size_t row, HashedFeature* to) const {
        *to = {hashed_index(stable_hash(texts_[row], name_), dimensions_), 1.0f};
        return 1;
    }

  private:
    TextView texts_;
    std::uint64_t name_, dimensions_;
};
template <>
class HashedColumn<CategoryView> {
  public:
    HashedColumn(const CategoryView& texts, std::uint64_t name, std::uint64_t dimensions, const StageColumn& where)
        : texts_(texts), name_(name), dimensions_(dimensions) {
        if (texts.interned() >= 0 && texts[0].empty()) refuse_id(texts.interned(), where);
        if (texts.dictionary().size() >= texts.size()) return;  // and always for a single row, which must not allocate
        by_code_.reserve(texts.dictionary().size());
        for (std::string_view text : texts.dictionary()) by_code_.push_back(index_of(text));
    }
    std::size_t put(std::size_t row, HashedFeature* to) const {
        *to = {by_code_.empty() ? index_of(texts_[row]) : by_code_[static_cast<std::size_t>(texts_.codes()[row])],
               1.0f};
        return 1;
    }

  private:
    std::uint32_t index_of(std::string_view text) const { return hashed_index(stable_hash(text, name_), dimensions_); }
    [[noreturn]] static void refuse_id(std::int32_t interned, const StageColumn& where) {
        throw UnseenCategory(where.sentence("the row holds the id " + std::to_string(interned) +
                                            " in place of a text, and it is the text that is hashed; put that in"),
                             where.place(0));
    }

    CategoryView texts_;
    std::uint64_t name_, dimensions_;
    std::vector<std::uint32_t> by_code_;
};
template <class View>
class HashedColumn<NullableView<View>> {
  public:
    HashedColumn(const NullableView<View>& view, std::uint64_t name, std::uint64_t dimensions, const StageColumn& where)
        : view_(view), present_(view.values(), name, dimensions, where) {}
    std::size_t put(std::size_t row, HashedFeature* to) const { return view_.valid(row) ? present_.put(row, to) : 0; }

  private:
    NullableView<View> view_;
    HashedColumn<View> present_;
};

/// Appends a row's features in the order of their indices; those that share one are added.
inline void append_hashed(HashedFeature* features, std::size_t count, SparseOutput<float>& out) {
    for (std::size_t i = 1; i < count; ++i) {  // a row has few of them; equal indices keep the columns' order
        const HashedFeature feature = features[i];
        std::size_t to = i;
        for (; to > 0 && feature.index < features[to - 1].index; --to) features[to] = features[to - 1];
        features[to] = feature;
    }
    for (std::size_t i = 0; i < count;) {
        const std::uint32_t index = features[i].index;
        float value = features[i].value;
        while (++i < count && features[i].index == index) value += features[i].value;
        if (value != 0) out.append(index, value);
    }
    out.end_row();
}

inline void validate_dimensions(std::uint64_t dimensions, const StageColumn& where) {
    if (dimensions >= 1 && dimensions <= 0x7fffffff) return;
    throw InvalidSetting(where.sentence("dimensions is " + std::to_string(dimensions) +
                                        "; give a number of elements from 1 to 2^31 - 1, as 1 << 24"),
                         where.setting("dimensions"));
}

}  // namespace detail

/// Hashes columns into one sparse vector, without a fit: HashFeatures<"site", "device", "features">, the output last.
///
/// Inputs: texts, categories, bool and numbers; missing values are welcome and give nothing. Output: a SparseVector<float> of
/// `dimensions` elements. A text gives a 1 where the hash of the column's name and of the text says, bool does as the text "true"
/// or "false", a number gives itself where the hash of the column's name says; what falls on one element is added, zeros are
/// not stored. Numbers become float; learners refuse what is not finite.
/// Errors: InvalidSetting; UnseenCategory for a row that holds a category's id without its text.
/// Determinism: the hash is `stable_hash`, the same on every platform and in every version.
/// Cost: about 10 ns a column and row (a block's categories are hashed once each); no allocation for a single row.
/// Source: Weinberger et al., Feature hashing for large scale multitask learning, 2009 (here without signs).
template <Name... ColumnNames>
struct HashFeatures {
    static_assert(sizeof...(ColumnNames) >= 2,
                  "partita: HashFeatures takes the names of its inputs and then that of its output");
    using stage_concept = Transformer;
    static constexpr std::string_view id = "HashFeatures";
    using Split = detail::SplitNames<number_kinds | text_kinds, true, Columns<>, ColumnNames...>;
    using Inputs = typename Split::Inputs;
    using Outputs = Columns<Column<Split::output, SparseVector<float>>>;

    /// How many elements the output has. Texts that share one are not told apart: of n, about n²/2 over `dimensions` pairs do.
    std::uint64_t dimensions = std::uint64_t{1} << 24;

    /// The kernel: views of the inputs, then the output.
    template <class... Arguments>
    void operator()(const Arguments&... arguments) const {
        const auto all = std::tie(arguments...);
        constexpr std::size_t inputs = sizeof...(Arguments) - 1;
        auto out = std::get<inputs>(all);
        const std::size_t rows = std::get<0>(all).size();
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto columns = std::make_tuple(
                detail::HashedColumn<std::remove_cvref_t<std::tuple_element_t<I, std::tuple<Arguments...>>>>(
                    std::get<I>(all), names[I], dimensions, where())...);
            std::array<detail::HashedFeature, inputs> features;
            for (std::size_t row = 0; row < rows; ++row) {
                detail::HashedFeature* to = features.data();
                ((to += std::get<I>(columns).put(row, to)), ...);
                detail::append_hashed(features.data(), static_cast<std::size_t>(to - features.data()), out);
            }
        }(std::make_index_sequence<inputs>());
    }

    /// The element on which a text of a column falls: what a weight found there stands for, among others.
    std::size_t index_of(std::string_view column, std::string_view text) const {
        return detail::hashed_index(stable_hash(text, stable_hash(column)), dimensions);
    }
    /// The element on which a column of numbers falls.
    std::size_t index_of(std::string_view column) const {
        return detail::hashed_index(stable_hash(column), dimensions);
    }

    template <class... Views>
    std::size_t output_width(const Views&...) const {
        return static_cast<std::size_t>(dimensions);
    }
    /// None: any number of texts may share an element.
    std::vector<std::string> feature_names(std::span<const std::vector<std::string>>) const { return {}; }

    void validate() const { detail::validate_dimensions(dimensions, where()); }
    void save(ModelWriter& writer) const { writer.scalar("dimensions", dimensions); }
    void load(ModelReader& reader) { dimensions = reader.template scalar<std::uint64_t>("dimensions"); }
    friend bool operator==(const HashFeatures&, const HashFeatures&) = default;

  private:
    static constexpr std::array<std::uint64_t, sizeof...(ColumnNames)> names{stable_hash(ColumnNames.view())...};
    static constexpr detail::StageColumn where() { return detail::stage_column<HashFeatures>(); }
};

}  // namespace partita::inline PARTITA_ABI
