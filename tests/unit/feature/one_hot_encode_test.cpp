// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <partita/feature/one_hot_encode.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace one_hot_encode_test {

namespace pt = partita;
using pt::Unseen;
using Zero = pt::OneHotEncode<"zone", Unseen::all_zero>;
using Strict = pt::OneHotEncode<"zone", Unseen::error>;
using Own = pt::OneHotEncode<"zone", Unseen::own_column>;

static_assert(pt::Stage<Zero>);
static_assert(pt::exact_state<Zero::Summary>);
static_assert(pt::OneHotEncode<"zone">::unseen_policy_is_open);
static_assert(!Zero::unseen_policy_is_open && !Strict::unseen_policy_is_open && !Own::unseen_policy_is_open);
static_assert(Zero::Inputs::inputs[0].takes(pt::column_type<pt::Category>));
static_assert(Zero::Inputs::inputs[0].takes(pt::column_type<bool>));
static_assert(!Zero::Inputs::inputs[0].takes(pt::column_type<std::optional<pt::Category>>));
static_assert(!Zero::Inputs::inputs[0].takes(pt::column_type<float>));

namespace {

using Names = std::vector<std::string>;

template <class StageType, class View>
typename StageType::Model fit(const StageType& stage, const View& view, pt::Weights weights = {}) {
    auto summary = pt::detail::start_summary<typename StageType::Summary>(stage);
    summary.update(view, weights);
    return stage.finish(summary);
}

template <class Model, class View>
std::vector<std::int32_t> codes(const Model& model, const View& view) {
    std::vector<std::int32_t> out(view.size(), -7);
    model(view, pt::OneHotOutput{out.data(), out.size(), model.output_width(view)});
    return out;
}

const columns::Categories zones({"b", "a", "c", "c", "d", "c", "a"});  // c three times, a twice, b and d once

}  // namespace

TEST_CASE("categories are ordered by weight, then by bytes", "[feature]") {
    const auto model = fit(Zero{}, zones.view());
    CHECK(model.categories() == Names{"c", "a", "b", "d"});
    CHECK(model.width() == 4);
    CHECK(model.feature_names("zone") == Names{"zone=c", "zone=a", "zone=b", "zone=d"});
    CHECK(codes(model, zones.view()) == std::vector<std::int32_t>{2, 1, 0, 0, 3, 0, 1});
    CHECK(fit(Own{}, zones.view()).feature_names("zone") == Names{"zone=c", "zone=a", "zone=b", "zone=d", "zone=*"});
}

TEST_CASE("codes of a dictionary mean nothing", "[feature]") {
    const columns::Categories other({"b", "a", "c", "c", "d", "c", "a"}, {"unused", "d", "c", "e", "b"});
    const auto model = fit(Zero{}, zones.view());
    CHECK(fit(Zero{}, other.view()) == model);
    CHECK(codes(model, other.view()) == codes(model, zones.view()));
    // More words than rows are looked up row by row.
    const columns::Categories wide({"c", "b"}, {"x", "y", "z", "c", "b"});
    CHECK(codes(model, wide.view()) == std::vector<std::int32_t>{0, 2});
    CHECK(fit(Zero{}, wide.view()).categories() == Names{"b", "c"});
}

TEST_CASE("a row alone is encoded as in its block, by text and by id", "[feature]") {
    const auto model = fit(Own{.drop_last = true}, zones.view());
    const columns::Categories rows({"b", "new", "c", "d", "a", "b", "new"});
    const auto whole = codes(model, rows.view());
    CHECK(whole == std::vector<std::int32_t>{2, 3, 0, -1, 1, 2, 3});
    for (std::size_t i = 0; i < rows.codes.size(); ++i) {
        CHECK(codes(model, rows.row(i))[0] == whole[i]);
        const std::int32_t zero = 0, id = model.intern(rows.view()[i]);
        const std::string_view nothing;
        CHECK(codes(model, pt::CategoryView(&zero, &nothing, id))[0] == whole[i]);
    }
}

TEST_CASE("unseen categories", "[feature]") {
    const columns::Categories rows({"a", "a", "new", "new", ""});
    CHECK(codes(fit(Zero{}, zones.view()), rows.view()) == std::vector<std::int32_t>{1, 1, -1, -1, -1});
    CHECK(codes(fit(Own{}, zones.view()), rows.view()) == std::vector<std::int32_t>{1, 1, 4, 4, 4});
    CHECK(fit(Own{}, zones.view()).width() == 5);
    const auto strict = fit(Strict{}, zones.view());
    try {
        codes(strict, rows.view());
        FAIL("accepted");
    } catch (const pt::UnseenCategory& error) {
        CHECK(error.place().row == 2);
        CHECK(error.place().column == "zone");
        CHECK(error.place().stage == "OneHotEncode<\"zone\">");
        CHECK(std::string(error.what()).find("\"new\"") != std::string::npos);
    }
    CHECK_THROWS_AS(strict.intern("new"), pt::UnseenCategory);
    CHECK(strict.intern("a") == 1);
    const std::int32_t zero = 0;
    const std::string_view text = "a";
    CHECK_THROWS_AS(codes(strict, pt::CategoryView(&zero, &text, 4)), pt::UnseenCategory);
    CHECK_THROWS_AS(codes(fit(Own{}, zones.view()), pt::CategoryView(&zero, &text, 5)), pt::UnseenCategory);
}

TEST_CASE("rare categories can be left out", "[feature]") {
    const auto few = fit(Own{.max_categories = 2}, zones.view());
    CHECK(few.categories() == Names{"c", "a"});
    CHECK(codes(few, zones.view()) == std::vector<std::int32_t>{2, 1, 0, 0, 2, 0, 1});
    CHECK(fit(Zero{.min_count = 2}, zones.view()).categories() == Names{"c", "a"});
    CHECK(fit(Strict{.max_categories = 4}, zones.view()).width() == 4);
    CHECK_THROWS_AS(fit(Strict{.max_categories = 3}, zones.view()), pt::TooManyCategories);
    CHECK_THROWS_AS(fit(Zero{.min_count = 4}, zones.view()), pt::InvalidSetting);
    CHECK_THROWS_WITH(fit(Zero{.min_count = 1e9}, zones.view()), Catch::Contains("min_count = 1e+09 asks"));
    CHECK_THROWS_AS((pt::OneHotEncode<"zone", static_cast<pt::Unseen>(4)>{}.validate()), pt::InvalidSetting);
    CHECK_THROWS_AS(Strict{.min_count = 1}.validate(), pt::InvalidSetting);
    CHECK_THROWS_AS(Zero{.min_count = -1}.validate(), pt::InvalidSetting);
    CHECK_THROWS_AS(Zero{.min_count = std::numeric_limits<double>::quiet_NaN()}.validate(), pt::InvalidSetting);
    CHECK_NOTHROW(Zero{.min_count = 1}.validate());
}

TEST_CASE("weights count as copies", "[feature]") {
    const columns::Categories rows({"a", "b", "c", "d"});
    const std::vector<double> weights{0.5, 2.25, 0, 2};
    const auto model = fit(Zero{}, rows.view(), pt::Weights(weights.data()));
    CHECK(model.categories() == Names{"b", "d", "a"});
    const std::vector<double> copies{1, 2, 0, 3};
    const columns::Categories repeated({"a", "b", "b", "d", "d", "d"});
    CHECK(fit(Zero{}, rows.view(), pt::Weights(copies.data())) == fit(Zero{}, repeated.view()));
}

TEST_CASE("parts merge to the whole", "[feature]") {
    const columns::Categories one({"a", "b"}), two({"c", "b", "c"}), empty({});
    const Zero stage;
    const auto ab = columns::summarise<Zero::Summary>(stage, one.view(), two.view(), empty.view());
    const auto ba = columns::summarise<Zero::Summary>(stage, empty.view(), two.view(), one.view());
    CHECK(ab.counts == ba.counts);
    CHECK(stage.finish(ab).categories() == Names{"b", "c", "a"});
    CHECK_THROWS_AS(stage.finish(Zero::Summary()), pt::EmptyDataset);
}

TEST_CASE("texts, numbers and flags are categories too", "[feature]") {
    const columns::Texts texts({"x", "y", "y"});
    CHECK(codes(fit(Zero{}, texts.view()), texts.view()) == std::vector<std::int32_t>{1, 0, 0});
    const std::vector<std::int64_t> numbers{5, -3, std::numeric_limits<std::int64_t>::min(), 5, 0};
    const auto model = fit(Zero{}, columns::view(numbers));
    CHECK(model.categories() == Names{"5", "-3", "-9223372036854775808", "0"});
    CHECK(codes(model, columns::view(numbers)) == std::vector<std::int32_t>{0, 1, 2, 0, 3});
    const std::vector<std::uint64_t> large{std::numeric_limits<std::uint64_t>::max()};
    CHECK(fit(Zero{}, columns::view(large)).categories() == Names{"18446744073709551615"});
    const bool flags[] = {true, true, false};
    CHECK(fit(Zero{}, std::span<const bool>(flags)).categories() == Names{"true", "false"});
}

}  // namespace one_hot_encode_test
