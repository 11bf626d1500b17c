// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for linear models.
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

#include "widths.hpp"

namespace stage_laws_linear_test {

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("LinearRegression keeps the laws of stages", "[linear][laws]") {
    using Learner = LinearRegression<"features", "target">;
    keeps_the_laws(check_stage<Learner>({.refused = {{.l2 = -1}}}));
    keeps_the_laws(check_stage<Learner>({.stage = {.l2 = 0.1, .fit_intercept = false}}));
    using Sparse = Schema<Column<"features", SparseVector<float>>, Column<"target", double>>;
    keeps_the_laws(check_stage<Learner, Sparse>());
    widths::are_refused_by(Learner{.fit_intercept = false});
    widths::are_refused_by<Learner, Sparse>({});
}

}  // namespace stage_laws_linear_test
