// SPDX-License-Identifier: Apache-2.0
#include <partita/feature/assemble.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include "rows.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace linear_regression_test {

using namespace partita_tests;
using Learner = pt::LinearRegression<"x", "y">;

static_assert(std::is_aggregate_v<Learner> && std::is_same_v<Learner::stage_concept, pt::Predictor>);
static_assert(Learner::FitInputs::inputs[1].takes(pt::column_type<int>) &&
              !Learner::FitInputs::inputs[1].takes(pt::column_type<pt::Category>));
static_assert(Learner::Inputs::inputs[0].takes(pt::column_type<pt::SparseVector<double>>) &&
              !Learner::Inputs::inputs[0].takes(pt::column_type<float>));

namespace {

template <class T>
const std::vector<LinearRow<T>>& rows() {
    static const auto made = linear_rows<T>();
    return made;
}

template <class Thrown, class Body>
pt::Place place_of(Body body) {
    try {
        body();
    } catch (const Thrown& error) {
        return error.place();
    }
    FAIL("nothing of that type was thrown");
    return {};
}

}  // namespace

TEMPLATE_TEST_CASE("coefficients, errors and t values are those of statsmodels", "[linear]", float, double) {
    const auto model = learnt(rows<TestType>(), Learner{});
    CHECK(relative_error(with_intercept(model),
                         {2.9910396797166765, -0.5011624898702447, 0.4945043058487406, 1001.5088511093536}) < 1e-10);
    CHECK(relative_error(model.standard_errors(), {0.010557420128625681, 0.0026245166434195164, 0.01058534549255216}) <
          1e-9);
    CHECK(model.intercept_standard_error() == Approx(0.008037981459785277).epsilon(1e-9));
    CHECK(relative_error(model.t_values(), {283.31160863880837, -190.9542052731179, 46.715934420531994}) < 1e-9);
    CHECK(model.mean_squared_error() == Approx(0.08301223325314493).epsilon(1e-9));
    CHECK(model.degrees_of_freedom() == 9000 - 4);
    CHECK(model.weight() == 9000);
}

TEST_CASE("weights count rows", "[linear]") {
    const auto weighted = learnt(rows<float>(), Learner{}, true), copied = learnt(copies(rows<float>()), Learner{});
    CHECK(relative_error(with_intercept(weighted),
                         {3.0051831606981256, -0.4996190851637232, 0.501227444129348, 1001.7093349696086}) < 1e-10);
    CHECK(relative_error(weighted.standard_errors(),
                         {0.005943833945012344, 0.0014743544760032416, 0.0059534797029518055}) < 1e-9);
    CHECK(weighted.intercept_standard_error() == Approx(0.004501903876818326).epsilon(1e-9));
    CHECK(weighted.degrees_of_freedom() == 13594);
    CHECK(relative_error(with_intercept(weighted), with_intercept(copied)) < 1e-12);
    CHECK(relative_error(weighted.standard_errors(), copied.standard_errors()) <
          1e-10);  // through the residuals, a small difference
}

TEST_CASE("without intercept, and with a penalty", "[linear]") {
    const auto origin = learnt(rows<float>(), Learner{.fit_intercept = false});
    CHECK(relative_error(origin.coefficients(), {-11.376323504874078, 213.73194213931578, 864.7279362577784}) < 1e-10);
    CHECK(relative_error(origin.standard_errors(), {13.86726949384513, 2.604657777429801, 10.503634485456514}) < 1e-9);
    CHECK(origin.intercept() == 0);
    const auto ridge = learnt(rows<float>(), Learner{.l2 = 0.1});
    CHECK(relative_error(with_intercept(ridge),
                         {1.35538007366236, -0.46299451169673034, 0.23071044861910045, 1001.565287384398}) < 1e-10);
    CHECK(ridge.standard_errors().empty());
    CHECK(ridge.t_values().empty());
}

TEST_CASE("one-hot and sparse features give what dense ones give", "[linear]") {
    pt::LocalSession session({.threads = 1});
    const auto data = pt::as_train(pt::dataset(session, rows<float>()));
    const auto encoded = pt::OneHotEncode<"group", pt::Unseen::all_zero>{};
    const auto one_hot = (encoded | pt::LinearRegression<"group", "y">{.l2 = 0.1}).fit(data);
    // In the order of the letters; the model orders categories by their counts.
    const double expected[] = {0.5281332799992161, 0.26230509715555417, 0.0015685692274917825, -0.2663976654867936,
                               -0.5256092808954702};
    std::vector<double> wanted;
    for (const auto& coefficient : one_hot.coefficients()) wanted.push_back(expected[coefficient.name.back() - 'A']);
    CHECK(relative_error(one_hot.stage<2>().coefficients(), wanted) < 1e-10);
    CHECK(one_hot.stage<2>().intercept() == Approx(1000.7539434057195).epsilon(1e-13));

    const pt::LinearRegression<"features", "y"> learner{.l2 = 0.01};
    const auto dense = (encoded | pt::Assemble<"x", "group", "features">{} | learner).fit(data);
    const auto sparse = (encoded | pt::AssembleSparse<"x", "group", "features">{} | learner).fit(data);
    // Sparse products are summed as they are, dense ones around their means, and the target's mean is far from 0.
    CHECK(relative_error(with_intercept(sparse.stage<3>()), with_intercept(dense.stage<3>())) < 1e-8);
    CHECK(sparse.predict(rows<float>()[17]) == Approx(dense.predict(rows<float>()[17])).epsilon(1e-13));
}

TEST_CASE("the gradient is zero at the solution", "[linear]") {
    const double l2 = 0.3;
    const auto model = learnt(rows<double>(), Learner{.l2 = l2}, true);
    long double gradient[4] = {}, weight = 0;
    for (const auto& row : rows<double>()) {
        long double residual = static_cast<long double>(model.intercept()) - row.y;
        for (std::size_t j = 0; j < 3; ++j) residual += static_cast<long double>(model.coefficients()[j]) * row.x[j];
        for (std::size_t j = 0; j < 3; ++j) gradient[j] += row.w * residual * row.x[j];
        gradient[3] += row.w * residual;
        weight += row.w;
    }
    for (std::size_t j = 0; j < 4; ++j) {
        const long double penalty = j < 3 ? l2 * static_cast<long double>(model.coefficients()[j]) : 0;
        CHECK(std::abs(static_cast<double>(gradient[j] / weight + penalty)) < 1e-12);
    }
}

TEST_CASE("a large mean costs no digits", "[linear]") {
    auto far = rows<double>();
    for (auto& row : far) row.x[0] += 0x1p20;  // 20 bits of 53; what is left of x is exact
    const auto near_model = learnt(rows<double>(), Learner{}), far_model = learnt(far, Learner{});
    CHECK(relative_error(far_model.coefficients(), near_model.coefficients()) < 1e-9);
    CHECK(relative_error(far_model.standard_errors(), near_model.standard_errors()) < 1e-9);
}

TEST_CASE("the same bits on any threads", "[linear]") {
    const auto one = learnt(rows<float>(), Learner{}, true), three = learnt(rows<float>(), Learner{}, true, 3);
    CHECK(with_intercept(one) == with_intercept(three));
    CHECK(one.standard_errors() == three.standard_errors());
}

TEST_CASE("collinear and constant columns are refused, or shrunk", "[linear]") {
    auto same = rows<float>();
    for (auto& row : same) row.x[2] = 2 * row.x[0];
    CHECK(place_of<pt::CollinearFeatures>([&] { learnt(same, Learner{}); }).column == "x");
    CHECK_THROWS_WITH(learnt(same, Learner{}), Catch::Contains("element 2") && Catch::Contains("l2 above 0"));
    const auto shrunk = learnt(same, Learner{.l2 = 1e-6});
    CHECK(shrunk.coefficients()[2] == Approx(2 * shrunk.coefficients()[0]).epsilon(1e-6));

    auto constant = rows<float>();
    for (auto& row : constant) row.x[1] = 0.1f;
    CHECK_THROWS_WITH(learnt(constant, Learner{}), Catch::Contains("element 1"));
    CHECK(learnt(constant, Learner{.l2 = 0.01}).coefficients()[1] == 0);
    CHECK(std::isfinite(learnt(constant, Learner{.fit_intercept = false}).coefficients()[1]));

    auto few = rows<float>();
    few.resize(3);
    CHECK_THROWS_AS(learnt(few, Learner{}), pt::CollinearFeatures);
    few = rows<float>();
    few.resize(4);
    CHECK(learnt(few, Learner{}).standard_errors().empty());  // as many coefficients as rows
}

TEST_CASE("what is no number is refused with its place, unless its weight is zero", "[linear]") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        auto broken = rows<float>();
        broken[5000].x[1] = bad;
        const pt::Place place = place_of<pt::NonFiniteValue>([&] { learnt(broken, Learner{}); });
        CHECK(place.column == "x");
        CHECK(place.stage == "LinearRegression<\"x\">");
        CHECK_THROWS_WITH(learnt(broken, Learner{}), Catch::Contains("element 1"));
        broken[5000].w = 0;
        auto absent = rows<float>();
        absent[5000].w = 0;
        CHECK(with_intercept(learnt(broken, Learner{}, true)) == with_intercept(learnt(absent, Learner{}, true)));

        auto target = rows<float>();
        target[8999].y = static_cast<double>(-bad);
        CHECK(place_of<pt::NonFiniteValue>([&] { learnt(target, Learner{}); }).column == "y");
    }
    auto weights = rows<float>();
    weights[10].w = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(learnt(weights, Learner{}, true), pt::NonFiniteValue);
    weights[10].w = -1;
    CHECK_THROWS_AS(learnt(weights, Learner{}, true), pt::NegativeWeight);

    const auto model = fitted(rows<float>(), Learner{});
    auto row = rows<float>()[0];
    row.x[0] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(model.predict(row), pt::NonFiniteValue);
}

TEST_CASE("settings and empty data are refused", "[linear]") {
    CHECK(place_of<pt::InvalidSetting>([] { learnt(rows<float>(), Learner{.l2 = -1}); }).setting == "l2");
    CHECK_THROWS_AS(learnt(rows<float>(), Learner{.l2 = std::numeric_limits<double>::quiet_NaN()}), pt::InvalidSetting);
    CHECK_THROWS_AS(learnt(std::vector<LinearRow<float>>(), Learner{}), pt::EmptyDataset);
    auto weightless = rows<float>();
    for (auto& row : weightless) row.w = 0;
    CHECK(place_of<pt::EmptyDataset>([&] { learnt(weightless, Learner{}, true); }).column == "x");
    auto huge = rows<double>();
    for (auto& row : huge) row.x[0] *= 1e300;
    CHECK(place_of<pt::NumericOverflow>([&] { learnt(huge, Learner{}); }).column == "x");
}

}  // namespace linear_regression_test
