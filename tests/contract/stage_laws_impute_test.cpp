// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for Impute.
#include <partita/feature/impute.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

namespace stage_laws_impute_test {

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("Impute keeps the laws of stages", "[feature][laws]") {
    for (const Imputation strategy : {Imputation::mean, Imputation::median, Imputation::mode, Imputation::constant})
        keeps_the_laws(check_stage<Impute<"x">>({.stage = {.strategy = strategy, .constant = 1.5},
                                                 .refused = {Impute<"x">{.strategy = Imputation::constant}}}));
    keeps_the_laws(check_stage<Impute<"x">, Schema<Column<"x", std::optional<Category>>>>(
        {.stage = {.strategy = Imputation::mode}}));
}

}  // namespace stage_laws_impute_test
