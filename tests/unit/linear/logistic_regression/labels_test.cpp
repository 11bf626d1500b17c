// SPDX-License-Identifier: Apache-2.0
// Logistic regression on features that are not dense, and on targets of every kind.
#include <partita/feature/assemble.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include "../rows.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

namespace labels_test {

using namespace partita_tests;
using Learner = pt::LogisticRegression<"x", "yes">;

static_assert(std::is_same_v<pt::detail::PredictedLabel<bool>, bool> &&
              std::is_same_v<pt::detail::PredictedLabel<pt::Text>, pt::Category>);

TEST_CASE("one-hot and sparse features give what dense ones give in a logistic regression", "[linear]") {
    pt::LocalSession session({.threads = 1});
    const auto data = pt::as_train(pt::dataset(session, linear_rows<float>()));
    const auto encoded = pt::OneHotEncode<"group", pt::Unseen::all_zero>{};
    const auto one_hot = (encoded | pt::LogisticRegression<"group", "yes">{.l2 = 0.01, .standardize = false}).fit(data);
    // In the order of the letters; the model orders categories by their counts.
    const double expected[] = {-0.06198928100254954, -0.023161491543295422, 0.029129732295908917, -0.01898898727110611,
                               0.0750100275210405};
    std::vector<double> wanted;
    for (const auto& coefficient : one_hot.coefficients()) wanted.push_back(expected[coefficient.name.back() - 'A']);
    CHECK(relative_error(one_hot.stage<2>().coefficients(), wanted) < 1e-8);
    CHECK(one_hot.stage<2>().intercept() == Approx(0.007827564130934217).epsilon(1e-8));

    const pt::LogisticRegression<"features", "yes"> learner{.l2 = 0.01};
    const auto dense = (encoded | pt::Assemble<"x", "group", "features">{} | learner).fit(data);
    const auto sparse = (encoded | pt::AssembleSparse<"x", "group", "features">{} | learner).fit(data);
    CHECK(relative_error(with_intercept(sparse.stage<3>()), with_intercept(dense.stage<3>())) < 1e-8);
}

namespace {

struct Named {
    pt::Vector<float, 3> x;
    pt::Category answer;
    int number;
    bool yes;
    double w;
};
BOOST_DESCRIBE_STRUCT(Named, (), (x, answer, number, yes, w))

struct Wide {
    pt::Category id;
    bool yes;
    double w;
};
BOOST_DESCRIBE_STRUCT(Wide, (), (id, yes, w))

}  // namespace

TEST_CASE("more columns than exact sums are kept for", "[linear]") {
    // 5000 categories, category k with k mod 3 of 4 rows positive: by the penalised optimum, one equation a category.
    std::vector<std::string> names;
    for (int k = 0; k < 5000; ++k) names.push_back("id " + std::to_string(k));
    std::vector<Wide> data;
    for (int i = 0; i < 20000; ++i)
        data.push_back({std::string_view(names[static_cast<std::size_t>(i / 4)]), i % 4 < 1 + i / 4 % 3, 1.0});
    pt::LocalSession one({.threads = 1}), three({.threads = 3});
    const auto fit = [&](pt::Session& session, pt::LogisticSolver solver) {
        return (pt::OneHotEncode<"id", pt::Unseen::all_zero>{} |
                pt::LogisticRegression<"id", "yes">{
                    .l2 = 1e-4, .standardize = false, .solver = solver, .tolerance = 1e-11})
            .fit(pt::as_train(pt::dataset(session, data)));
    };
    const auto model = fit(one, pt::LogisticSolver::automatic);
    const auto& learner = model.stage<2>();
    CHECK(learner.converged());
    std::size_t at = 0;
    for (const auto& coefficient : model.coefficients()) {
        const int k = std::atoi(coefficient.name.c_str() + coefficient.name.rfind(' '));
        const double p = 1 / (1 + std::exp(-(coefficient.value + learner.intercept())));
        const double gradient = (4 * p - (1 + k % 3)) / 20000 + 1e-4 * coefficient.value;
        if (!(std::abs(gradient) < 1e-9)) ++at;
    }
    CHECK(at == 0);
    CHECK(with_intercept(learner) == with_intercept(fit(three, pt::LogisticSolver::automatic).stage<2>()));
}

TEST_CASE("targets are booleans, numbers or texts, and predictions of the same kind", "[linear]") {
    std::vector<Named> data;
    for (const auto& row : linear_rows<float>())
        data.push_back({row.x, row.yes ? "yes" : "no", row.yes ? 7 : -3, row.yes, row.w});
    const auto text = fitted(data, pt::LogisticRegression<"x", "answer">{});
    const auto number = fitted(data, pt::LogisticRegression<"x", "number">{});
    const auto truth = fitted(data, Learner{});
    CHECK(with_intercept(text.stage<1>()) == with_intercept(truth.stage<1>()));
    CHECK(with_intercept(number.stage<1>()) == with_intercept(truth.stage<1>()));
    CHECK(text.stage<1>().classes() == std::vector<std::string>{"no", "yes"});
    CHECK(number.stage<1>().classes() == std::vector<double>{-3, 7});
    for (std::size_t i : {0u, 1u, 2u, 3u, 4u}) {
        const bool likely = truth.predict_probability(data[i]) > 0.5;
        CHECK(truth.predict(data[i]) == likely);
        CHECK(number.predict(data[i]) == (likely ? 7 : -3));
        CHECK(std::string_view(text.predict(data[i])) == (likely ? "yes" : "no"));
    }
}

}  // namespace labels_test
