// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <partita/feature/impute.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace impute_test {

namespace pt = partita;
using pt::Imputation;
using Impute = pt::Impute<"x">;

static_assert(pt::Stage<Impute>);
static_assert(std::is_same_v<Impute::OutputsFor<std::optional<float>>, pt::Columns<pt::Column<"x", float>>>);
static_assert(std::is_same_v<Impute::OutputsFor<double>, pt::Columns<pt::Column<"x", double>>>);
static_assert(std::is_same_v<Impute::OutputsFor<std::optional<int>>, pt::Columns<pt::Column<"x", double>>>);
static_assert(std::is_same_v<Impute::OutputsFor<std::optional<std::int8_t>>, pt::Columns<pt::Column<"x", float>>>);
static_assert(std::is_same_v<Impute::OutputsFor<std::optional<bool>>, pt::Columns<pt::Column<"x", float>>>);
static_assert(std::is_same_v<Impute::OutputsFor<std::optional<pt::Text>>, pt::Columns<pt::Column<"x", pt::Category>>>);
static_assert(
    std::is_same_v<Impute::OutputsFor<std::optional<pt::Category>>, pt::Columns<pt::Column<"x", pt::Category>>>);
static_assert(!Impute::Inputs::inputs[0].takes(pt::column_type<std::optional<pt::Timestamp>>));
static_assert(pt::exact_state<Impute::SummaryFor<std::optional<bool>>> &&
              pt::exact_state<Impute::SummaryFor<pt::Category>>);

namespace {

constexpr float missing_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Fits as a pipeline does: as many passes as asked for, each over two parts that are merged.
template <class Value, class View>
auto fit(const Impute& stage, const View& first, const View& second, pt::Weights weights = {}, pt::Weights more = {}) {
    using Summary = Impute::SummaryFor<Value>;
    stage.validate();
    Summary begin = pt::detail::start_summary<Summary>(stage);
    while (true) {
        Summary a = begin, b = begin, total = begin;
        a.update(first, weights);
        b.update(second, more);
        pt::merge_state(total, b);
        pt::merge_state(total, a);
        begin = total;
        if (!pt::detail::advance_summary(stage, begin)) return stage.finish(begin);
    }
}
template <class T>
auto fit(const Impute& stage, const std::vector<std::optional<T>>& rows, pt::Weights weights = {}) {
    const columns::Optional<T> column(rows);
    const std::size_t half = rows.size() / 2;
    return fit<std::optional<T>>(stage, column.view(0, half), column.view(half, rows.size() - half), weights,
                                 weights.from(half));
}

template <class Out, class Model, class View>
std::vector<Out> filled(const Model& model, const View& view) {
    std::vector<Out> out(view.size());
    model(view, std::span(out));
    return out;
}

const std::vector<std::optional<float>> rows{4.0f, {}, 1.0f, missing_number, 4.0f, 10.0f, 1.0f};

}  // namespace

TEST_CASE("mean, median, mode and constant of numbers", "[feature]") {
    CHECK(fit(Impute{}, rows).value() == 4.0);
    CHECK(fit(Impute{.strategy = Imputation::median}, rows).value() == 4.0);
    CHECK(fit(Impute{.strategy = Imputation::mode}, rows).value() == 1.0);  // as often as 4, and smaller
    CHECK(fit(Impute{.strategy = Imputation::constant, .constant = -1}, rows).value() == -1.0);
    CHECK(fit(Impute{.strategy = Imputation::median}, std::vector<std::optional<float>>{1.0f, {}, 4.0f}).value() ==
          2.5);
    CHECK(fit(Impute{.strategy = Imputation::median}, std::vector<std::optional<double>>{7.0, -1e300, 1e300, {}})
              .value() == 7.0);
    CHECK(fit(Impute{.strategy = Imputation::mode}, std::vector<std::optional<double>>{-2.0, -3.0, -3.0, -2.0, 5.0})
              .value() == -3.0);
    CHECK(fit(Impute{}, std::vector<std::optional<double>>{1e308, -1e308, 3.0, {}}).value() == 1.0);
    CHECK_THROWS_AS(fit(Impute{}, std::vector<std::optional<double>>{1e308, 1e308, {}}), pt::NumericOverflow);
}

TEST_CASE("integers, flags and their means", "[feature]") {
    CHECK(fit(Impute{}, std::vector<std::optional<int>>{1, 2, {}}).value() == 1.5);
    CHECK(fit(Impute{.strategy = Imputation::mode}, std::vector<std::optional<int>>{-5, 3, -5, {}}).value() == -5.0);
    CHECK(fit(Impute{.strategy = Imputation::median},
              std::vector<std::optional<std::int8_t>>{std::int8_t{-5}, std::int8_t{3}, {}})
              .value() == -1.0);
    const std::int64_t large = (std::int64_t{1} << 60) + 1;  // no double: the mean of it and its negative is
    CHECK(fit(Impute{}, std::vector<std::optional<std::int64_t>>{large, 3 - large, {}}).value() == 1.5);
    const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    CHECK(fit(Impute{.strategy = Imputation::mode}, std::vector<std::optional<std::uint64_t>>{largest, 0u, largest})
              .value() == 0x1p64);
    struct Flags {  // no vector of bool has a span
        bool values[4] = {true, true, false, false};
        std::uint8_t bits = 0b0111;
    } flags;
    const pt::NullableView<std::span<const bool>> view(std::span<const bool>(flags.values), &flags.bits, 0);
    const auto model = fit<std::optional<bool>>(Impute{.strategy = Imputation::mode}, view, view);
    CHECK(filled<float>(model, view) == std::vector<float>{1, 1, 0, 1});
}

TEST_CASE("what is missing is filled, in blocks and rows alike", "[feature]") {
    const columns::Optional<float> column(rows);
    const auto model = fit(Impute{.strategy = Imputation::constant, .constant = 0.5}, rows);
    const std::vector<float> expected{4, 0.5f, 1, 0.5f, 4, 10, 1};
    CHECK(filled<float>(model, column.view()) == expected);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(filled<float>(model, column.view(i, 1))[0] == expected[i]);
    const std::vector<float> plain{1, missing_number, 3};  // NaN counts as missing where the type says nothing
    const auto mean = fit<float>(Impute{}, columns::view(plain), columns::view(plain));
    CHECK(filled<float>(mean, columns::view(plain)) == std::vector<float>{1, 2, 3});
    const columns::Optional<int> integers({7, {}});
    CHECK(filled<double>(model, integers.view()) == std::vector<double>{7, 0.5});
}

TEST_CASE("texts get the mode or a constant", "[feature]") {
    const columns::Categories zones({"b", std::nullopt, "a", "a", "b", "c", std::nullopt});
    std::vector<std::string_view> out(7);
    const auto mode =
        fit<std::optional<pt::Category>>(Impute{.strategy = Imputation::mode}, zones.nullable(), zones.nullable());
    CHECK(mode.value() == "a");
    mode(zones.nullable(), pt::CategoryOutput(out.data(), 7));
    CHECK(out == std::vector<std::string_view>{"b", "a", "a", "a", "b", "c", "a"});
    const auto none = fit<std::optional<pt::Category>>(Impute{.strategy = Imputation::constant, .constant = "none"},
                                                       zones.nullable(), zones.nullable());
    none(zones.nullable(), pt::CategoryOutput(out.data(), 7));
    CHECK(out[1] == "none");
    const columns::Texts texts({"x", "y", "y"});
    CHECK(fit<pt::Text>(Impute{.strategy = Imputation::mode}, texts.view(), texts.view()).value() == "y");
}

TEST_CASE("a weight of k counts as k copies, and 0 as none", "[feature]") {
    const std::vector<std::optional<float>> x{1.0f, 5.0f, {}, 9.0f, infinity};
    const std::vector<double> weights{3, 2, 9, 2, 0};
    const std::vector<std::optional<float>> copies{1.0f, 1.0f, 1.0f, 5.0f, 5.0f, 9.0f, 9.0f, {}};
    for (const Imputation strategy : {Imputation::mean, Imputation::median, Imputation::mode})
        CHECK(fit(Impute{.strategy = strategy}, x, pt::Weights(weights.data())) ==
              fit(Impute{.strategy = strategy}, copies));
    const std::vector<double> fractions{0.75, 0.5, 1, 0.5, 0};
    CHECK(fit(Impute{}, x, pt::Weights(fractions.data())) == fit(Impute{}, copies));
    CHECK(fit(Impute{.strategy = Imputation::mode}, x, pt::Weights(fractions.data())).value() == 1.0);
}

TEST_CASE("nothing to learn from", "[feature]") {
    const std::vector<std::optional<float>> missing{{}, missing_number, {}}, empty;
    for (const Imputation strategy : {Imputation::mean, Imputation::median, Imputation::mode}) {
        CHECK_THROWS_AS(fit(Impute{.strategy = strategy}, missing), pt::MissingValue);
        CHECK_THROWS_AS(fit(Impute{.strategy = strategy}, empty), pt::EmptyDataset);
    }
    CHECK(fit(Impute{.strategy = Imputation::constant, .constant = 3}, missing).value() == 3.0);
    CHECK(fit(Impute{.strategy = Imputation::constant, .constant = 3}, empty).value() == 3.0);
    const columns::Categories zones({std::nullopt}), none({});
    const Impute mode{.strategy = Imputation::mode};
    CHECK_THROWS_AS(fit<std::optional<pt::Category>>(mode, zones.nullable(), zones.nullable()), pt::MissingValue);
    CHECK_THROWS_AS(fit<std::optional<pt::Category>>(mode, none.nullable(), none.nullable()), pt::EmptyDataset);
    try {
        fit(Impute{}, missing);
    } catch (const pt::MissingValue& error) {
        CHECK(error.place().stage == "Impute<\"x\">");
        CHECK(error.place().column == "x");
        CHECK(std::string(error.what()).find("Imputation::constant") != std::string::npos);
    }
}

TEST_CASE("infinite values are refused with their row", "[feature]") {
    for (const Imputation strategy : {Imputation::mean, Imputation::median, Imputation::mode}) {
        try {
            fit(Impute{.strategy = strategy}, std::vector<std::optional<float>>{1.0f, 2.0f, 3.0f, -infinity});
            FAIL("accepted");
        } catch (const pt::NonFiniteValue& error) {
            CHECK(error.place().row == 1);  // of the second part
        }
    }
    const auto model = fit(Impute{}, rows);
    const std::vector<float> bad{1, missing_number, infinity};
    try {
        filled<float>(model, columns::view(bad));
        FAIL("accepted");
    } catch (const pt::NonFiniteValue& error) {
        CHECK(error.place().row == 2);
    }
}

TEST_CASE("settings that do not fit the column", "[feature]") {
    const columns::Categories zones({"a"});
    const auto fit_zones = [&](const Impute& stage) { return fit<pt::Category>(stage, zones.view(), zones.view()); };
    CHECK_THROWS_AS(fit_zones(Impute{}), pt::InvalidSetting);
    CHECK_THROWS_AS(fit_zones(Impute{.strategy = Imputation::median}), pt::InvalidSetting);
    CHECK_THROWS_AS(fit_zones(Impute{.strategy = Imputation::constant, .constant = 1}), pt::InvalidSetting);
    CHECK_THROWS_AS(fit_zones(Impute{.strategy = Imputation::constant}), pt::InvalidSetting);
    CHECK_THROWS_WITH(Impute{.strategy = static_cast<Imputation>(4)}.validate(),
                      Catch::Contains(".strategy is no value of Imputation"));
    CHECK_NOTHROW(Impute{.strategy = Imputation::mode}.validate());
    CHECK_THROWS_AS(fit(Impute{.strategy = Imputation::constant, .constant = "text"}, rows), pt::InvalidSetting);
    CHECK_THROWS_AS(fit(Impute{.strategy = Imputation::constant, .constant = missing_number}, rows),
                    pt::InvalidSetting);
    CHECK_THROWS_AS(fit(Impute{.strategy = Imputation::constant, .constant = 1e300}, rows), pt::InvalidSetting);
    CHECK(fit(Impute{.strategy = Imputation::constant, .constant = 1e300}, std::vector<std::optional<double>>{1.0})
              .value() == 1e300);
}

}  // namespace impute_test
