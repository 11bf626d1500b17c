// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for logistic regressions.
#include <partita/linear/logistic_regression.hpp>
#include <partita/linear/sparse_logistic_regression.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

#include "widths.hpp"

namespace stage_laws_logistic_test {

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
    widths::are_refused_by(Learner{.fit_intercept = false});
}

TEST_CASE("SparseLogisticRegression keeps the laws of stages", "[linear][laws]") {
    using Learner = SparseLogisticRegression<"features", "target">;
    keeps_the_laws(check_stage<Learner>(
        {.stage = {.epochs = 2},
         .refused = {Learner{.alpha = 0}},
         .listed_failures = {{"a row of weight k is k rows",
                              "copies stand in other blocks, which are learnt from in another order; within one slice "
                              "the law holds bit for bit (unit/linear/sparse_logistic_regression_test.cpp)"}}}));
    widths::are_refused_by(Learner{});
}

}  // namespace stage_laws_logistic_test
