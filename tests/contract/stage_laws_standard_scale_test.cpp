// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for StandardScale on columns of all its kinds.
#include <partita/feature/standard_scale.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

namespace stage_laws_standard_scale_test {

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("StandardScale keeps the laws of stages", "[feature][laws]") {
    keeps_the_laws(check_stage<StandardScale<"x">>());
    keeps_the_laws(check_stage<StandardScale<"x">, Schema<Column<"x", Vector<float>>>>());
}

TEST_CASE("StandardScale keeps the laws of stages on sparse and on selected columns", "[feature][laws]") {
    keeps_the_laws(
        check_stage<StandardScale<"x">, Schema<Column<"x", SparseVector<double>>>>({.stage = {.center = false}}));
    keeps_the_laws(
        check_stage<StandardScale<all<double>>, Schema<Column<"a", double>, Column<"b", double>, Column<"c", int>>>());
}

}  // namespace stage_laws_standard_scale_test
