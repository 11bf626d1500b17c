// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for those that prepare features.
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("Impute keeps the laws of stages", "[feature][laws]") {
    for (const Imputation strategy : {Imputation::mean, Imputation::median, Imputation::mode, Imputation::constant})
        keeps_the_laws(check_stage<Impute<"x">>({.stage = {.strategy = strategy, .constant = 1.5}, .refused = {{.strategy = Imputation::constant}}}));
    keeps_the_laws(check_stage<Impute<"x">, Schema<Column<"x", std::optional<Category>>>>({.stage = {.strategy = Imputation::mode}}));
}

TEST_CASE("StandardScale keeps the laws of stages", "[feature][laws]") {
    keeps_the_laws(check_stage<StandardScale<"x">>());
    keeps_the_laws(check_stage<StandardScale<"x">, Schema<Column<"x", Vector<float>>>>());
}

TEST_CASE("OneHotEncode keeps the laws of stages", "[feature][laws]") {
    keeps_the_laws(check_stage<OneHotEncode<"x", Unseen::all_zero>>({.stage = {.drop_last = true}, .refused = {{.min_count = -1}}}));
    keeps_the_laws(check_stage<OneHotEncode<"x", Unseen::own_column>>({.stage = {.max_categories = 3}}));
    keeps_the_laws(check_stage<OneHotEncode<"x", Unseen::error>>());
}
