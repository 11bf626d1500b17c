// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for logistic regression.
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("LogisticRegression keeps the laws of stages", "[linear][laws]") {
    using Learner = LogisticRegression<"features", "target">;
    keeps_the_laws(
        check_stage<Learner>({.stage = {.l2 = 1e-3}, .refused = {Learner{.l2 = -1}, Learner{.threshold = 2}}}));
    // L-BFGS stops wherever the gradient is below 1e-9, at another point for rows in other places: over the curvature of the
    // objective (at least l2 = 1e-3) that is 1e-6 in the coefficients.
    keeps_the_laws(check_stage<Learner>(
        {.stage = {.l2 = 1e-3, .class_weights = ClassWeights::balanced, .solver = LogisticSolver::lbfgs},
         .tolerance = 1e-6}));
}
