// SPDX-License-Identifier: Apache-2.0
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include "rows.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace logistic_regression_test {

using namespace partita_tests;
using Learner = pt::LogisticRegression<"x", "yes">;

static_assert(std::is_aggregate_v<Learner> && std::is_same_v<Learner::stage_concept, pt::Predictor>);
static_assert(Learner::FitInputs::inputs[1].takes(pt::column_type<bool>) &&
              Learner::FitInputs::inputs[1].takes(pt::column_type<pt::Category>));
static_assert(!Learner::Inputs::inputs[0].takes(pt::column_type<pt::Category>));
static_assert(std::is_same_v<pt::detail::PredictedLabel<bool>, bool> &&
              std::is_same_v<pt::detail::PredictedLabel<pt::Text>, pt::Category>);

template <class Model>
concept CanBeOverwritten = requires(Model model, pt::detail::LogisticFit fit) { model.assign(fit, {}, 0.5); };
static_assert(!CanBeOverwritten<Learner::ModelFor<pt::Vector<float>, bool>>);

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

/// The objective at these coefficients and intercept, in long double, with its gradient.
struct Judged {
    long double value = 0, gradient[4] = {};
};
Judged judge(const std::vector<double>& b, const std::vector<LinearRow<double>>& data, bool weighted, long double l2) {
    Judged judged;
    long double weight = 0;
    for (const auto& row : data) {
        const long double w = weighted ? row.w : 1;
        long double z = b[3];
        for (std::size_t j = 0; j < 3; ++j) z += static_cast<long double>(b[j]) * row.x[j];
        const long double residual = 1 / (1 + std::exp(-z)) - (row.yes ? 1 : 0);
        judged.value += w * (std::log1p(std::exp(-std::abs(z))) + std::max(z, 0.0L) - (row.yes ? z : 0));
        for (std::size_t j = 0; j < 3; ++j) judged.gradient[j] += w * residual * row.x[j];
        judged.gradient[3] += w * residual;
        weight += w;
    }
    judged.value /= weight;
    for (long double& part : judged.gradient) part /= weight;
    for (std::size_t j = 0; j < 3; ++j) {
        judged.value += l2 / 2 * b[j] * b[j];
        judged.gradient[j] += l2 * b[j];
    }
    return judged;
}

}  // namespace

TEMPLATE_TEST_CASE("coefficients and objective are those of statsmodels and scikit-learn", "[linear]", float, double) {
    // At the default tolerance coefficients are known to the gradient's 1e-9 times the condition of the Hessian, some 3e-8 here.
    const auto plain = learnt(rows<TestType>(), Learner{.tolerance = 1e-12});
    CHECK(plain.converged());
    CHECK(relative_error(with_intercept(plain),
                         {5.175967217301082, 0.050123081582491236, -0.07131154188677884, -0.05937886041335024}) < 1e-8);
    CHECK(plain.objective_history().back() == Approx(0.5074101288270149).epsilon(1e-13));
    CHECK(plain.classes() == std::vector<double>{0, 1});
    const auto raw = learnt(rows<TestType>(), Learner{.l2 = 0.01, .standardize = false, .tolerance = 1e-12});
    CHECK(relative_error(with_intercept(raw), {2.8594990627149977, 0.04009474447990608, -0.02636689458160437,
                                               -0.060861461875173405}) < 1e-8);
    CHECK(raw.objective_history().back() == Approx(0.5786167293351848).epsilon(1e-13));
    const auto standardized = learnt(rows<TestType>(), Learner{.l2 = 0.01, .tolerance = 1e-12});
    CHECK(relative_error(with_intercept(standardized), {4.772920311116702, 0.045556554653870866, -0.06224229452103846,
                                                        -0.054642776893686136}) < 1e-8);
    const auto origin = learnt(rows<TestType>(), Learner{.fit_intercept = false, .tolerance = 1e-12});
    CHECK(relative_error(origin.coefficients(), {5.17594968232132, 0.037454778940372184, -0.12262997376902374}) < 1e-8);
    CHECK(origin.intercept() == 0);
}

TEST_CASE("L-BFGS ends where Newton's method ends", "[linear]") {
    const auto newton = learnt(rows<float>(), Learner{.l2 = 0.01});
    const auto lbfgs = learnt(rows<float>(), Learner{.l2 = 0.01, .solver = pt::LogisticSolver::lbfgs});
    CHECK(lbfgs.converged());
    CHECK(relative_error(with_intercept(lbfgs), with_intercept(newton)) < 1e-6);
}

TEST_CASE("weights count rows in a logistic regression", "[linear]") {
    const auto weighted = learnt(rows<float>(), Learner{.tolerance = 1e-13}, true);
    const auto copied = learnt(copies(rows<float>()), Learner{.tolerance = 1e-13});
    CHECK(relative_error(with_intercept(weighted),
                         {5.087730929714503, 0.03505408105780339, -0.09653459407472793, -0.02928674390163256}) < 1e-8);
    CHECK(relative_error(with_intercept(weighted), with_intercept(copied)) < 1e-11);
}

TEST_CASE("balanced classes count the same", "[linear]") {
    auto rare = rows<float>();
    for (auto& row : rare) row.yes = row.yes && row.x[1] > 1;
    const auto model = learnt(rare, Learner{.class_weights = pt::ClassWeights::balanced, .tolerance = 1e-12});
    CHECK(relative_error(with_intercept(model),
                         {4.393393703227736, 0.8943655796432448, -0.170371296018627, -1.9546965223838004}) < 1e-8);
}

TEST_CASE("the gradient is zero at the solution, and the objective's slopes are its gradient", "[linear]") {
    for (const bool weighted : {false, true}) {
        const auto model = learnt(rows<double>(), Learner{.l2 = 0.05, .standardize = false}, weighted);
        const auto at = with_intercept(model);
        const Judged here = judge(at, rows<double>(), weighted, 0.05L);
        CHECK(static_cast<double>(here.value) == Approx(model.objective_history().back()).epsilon(1e-14));
        for (const long double part : here.gradient) CHECK(std::abs(static_cast<double>(part)) < 2e-9);
        for (std::size_t j = 0; j < 4; ++j) {
            auto more = at, less = at;
            more[j] += 1e-3;
            less[j] -= 1e-3;
            CHECK(judge(more, rows<double>(), weighted, 0.05L).value > here.value);
            CHECK(judge(less, rows<double>(), weighted, 0.05L).value > here.value);
        }
        const auto& history = model.objective_history();
        for (std::size_t i = 1; i < history.size(); ++i)
            CHECK(history[i] <= history[i - 1] + 1e-15);  // but for rounding
    }
}

TEST_CASE("the same bits on any threads in a logistic regression", "[linear]") {
    for (const auto solver : {pt::LogisticSolver::newton, pt::LogisticSolver::lbfgs}) {
        const Learner learner{.l2 = 1e-3, .class_weights = pt::ClassWeights::balanced, .solver = solver};
        const auto one = learnt(rows<float>(), learner, true), three = learnt(rows<float>(), learner, true, 3);
        CHECK(with_intercept(one) == with_intercept(three));
        CHECK(one.objective_history() == three.objective_history());
    }
}

TEST_CASE("separable classes end finite, or are refused if asked for", "[linear]") {
    auto separable = rows<float>();
    for (auto& row : separable) row.yes = row.x[0] > 0.25f;
    for (const auto solver : {pt::LogisticSolver::newton, pt::LogisticSolver::lbfgs}) {
        const auto model = learnt(separable, Learner{.solver = solver, .max_iterations = 60});
        for (double value : with_intercept(model)) CHECK(std::isfinite(value));
        CHECK(model.objective_history().back() < 0.02);
        const auto shrunk = learnt(separable, Learner{.l2 = 1e-3, .solver = solver});
        CHECK(shrunk.converged());
    }
    CHECK_THROWS_AS(learnt(separable, Learner{.max_iterations = 3, .must_converge = true}), pt::NotConverged);
}

TEST_CASE("collinear columns are refused, or shrunk, in a logistic regression", "[linear]") {
    auto same = rows<float>();
    for (auto& row : same) row.x[2] = 2 * row.x[0];
    CHECK(place_of<pt::CollinearFeatures>([&] { learnt(same, Learner{}); }).column == "x");
    CHECK_THROWS_WITH(learnt(same, Learner{}), Catch::Contains("element 2"));
    CHECK(learnt(same, Learner{.l2 = 1e-3}).converged());
    auto constant = rows<float>();
    for (auto& row : constant) row.x[1] = 3;
    CHECK_THROWS_AS(learnt(constant, Learner{}), pt::CollinearFeatures);
    CHECK(std::abs(learnt(constant, Learner{.l2 = 1e-3}).coefficients()[1]) < 1e-9);
}

TEST_CASE("a fit tells of each pass, and can be cancelled between two", "[linear]") {
    struct Sink : pt::Progress {
        pt::CancelToken cancel;
        std::size_t cancel_after = 1000, passes = 0, open = 0, ended = 0;
        void begin(std::string_view work, std::uint64_t total) override {
            if (work == "LogisticRegression" && total == 50) open = 1;
        }
        void advance(std::uint64_t steps) override {
            passes += open * steps;
            if (passes >= cancel_after) cancel.cancel();
        }
        void end() override {
            ended += open;
            open = 0;
        }
    };
    for (const auto solver : {pt::LogisticSolver::newton, pt::LogisticSolver::lbfgs}) {
        const auto learner = pt::pipeline(Learner{.solver = solver, .max_iterations = 50});
        const auto fit = [&](Sink& sink) {
            pt::LocalSession session({.threads = 2, .progress_sink = &sink, .cancel = sink.cancel});
            return learner.fit(pt::as_train(pt::dataset(session, rows<float>()))).template stage<1>();
        };
        Sink whole;
        const auto model = fit(whole);
        CHECK(model.converged());
        CHECK(whole.passes >= model.objective_history().size());
        CHECK(whole.ended == 1);
        Sink stopped;
        stopped.cancel_after = 3;
        CHECK_THROWS_AS(fit(stopped), pt::Cancelled);
        CHECK(stopped.passes == 3);
        CHECK(stopped.ended == 1);
    }
}

TEST_CASE("classes, numbers and settings that no fit can use are refused with their place", "[linear]") {
    auto single = rows<float>();
    for (auto& row : single) row.yes = true;
    CHECK(place_of<pt::WrongClassCount>([&] { learnt(single, Learner{}); }).column == "yes");
    single[3].yes = false;
    single[3].w = 0;
    CHECK_THROWS_AS(learnt(single, Learner{}, true), pt::WrongClassCount);  // a class of weight zero is absent
    CHECK_THROWS_AS(learnt(rows<float>(), pt::LogisticRegression<"x", "w">{}), pt::WrongClassCount);
    CHECK_THROWS_AS(learnt(rows<float>(), pt::LogisticRegression<"x", "y">{}), pt::WrongClassCount);
    CHECK_THROWS_AS(learnt(std::vector<LinearRow<float>>(), Learner{}), pt::EmptyDataset);
    for (auto& row : single) row.w = 0;
    CHECK(place_of<pt::EmptyDataset>([&] { learnt(single, Learner{}, true); }).column == "yes");

    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        auto broken = rows<float>();
        broken[4100].x[2] = bad;
        const pt::Place place = place_of<pt::NonFiniteValue>([&] { learnt(broken, Learner{}); });
        CHECK(place.column == "x");
        CHECK(place.stage == "LogisticRegression<\"x\">");
        CHECK_THROWS_WITH(learnt(broken, Learner{}), Catch::Contains("element 2"));
        broken[4100].w = 0;
        auto absent = rows<float>();
        absent[4100].w = 0;
        CHECK(with_intercept(learnt(broken, Learner{}, true)) == with_intercept(learnt(absent, Learner{}, true)));
        auto target = rows<float>();
        target[5].y = static_cast<double>(bad);
        CHECK(place_of<pt::NonFiniteValue>([&] { learnt(target, pt::LogisticRegression<"x", "y">{}); }).column == "y");
    }
    auto huge = rows<double>();
    for (auto& row : huge) row.x[1] *= 1e170;
    CHECK(place_of<pt::NumericOverflow>([&] { learnt(huge, Learner{}); }).column == "x");
    const auto setting = [](const Learner& learner) {
        return place_of<pt::InvalidSetting>([&] { learnt(rows<float>(), learner); }).setting;
    };
    CHECK(setting({.l2 = -0.1}) == "l2");
    CHECK(setting({.class_weights = static_cast<pt::ClassWeights>(2)}) == "class_weights");
    CHECK(setting({.solver = static_cast<pt::LogisticSolver>(3)}) == "solver");
    CHECK(setting({.solver = static_cast<pt::LogisticSolver>(-1)}) == "solver");
    CHECK(setting({.threshold = 1.5}) == "threshold");
    CHECK(setting({.newton_limit = -1}) == "newton_limit");
    CHECK(setting({.max_iterations = 0}) == "max_iterations");
    CHECK(setting({.tolerance = 0}) == "tolerance");
}

}  // namespace logistic_regression_test
