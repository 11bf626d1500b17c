// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for OneHotEncode and its policies.
#include <partita/feature/one_hot_encode.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

namespace stage_laws_one_hot_encode_test {

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("OneHotEncode keeps the laws of stages", "[feature][laws]") {
    keeps_the_laws(check_stage<OneHotEncode<"x", Unseen::all_zero>>(
        {.stage = {.drop_last = true}, .refused = {{.min_count = -1}}}));
    keeps_the_laws(check_stage<OneHotEncode<"x", Unseen::own_column>>({.stage = {.max_categories = 3}}));
    keeps_the_laws(check_stage<OneHotEncode<"x", Unseen::error>>());
}

}  // namespace stage_laws_one_hot_encode_test
