// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for those that learn nothing.
#include <partita/feature/assemble.hpp>
#include <partita/feature/hash_features.hpp>
#include <partita/feature/map.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

namespace stage_laws_transformers_test {

using namespace partita;

namespace {

void keeps_the_laws(const StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace

TEST_CASE("map keeps the laws of stages", "[feature][laws]") {
    constexpr auto speed =
        map<"km", "hours", "speed">([](float km, double hours) { return km / static_cast<float>(hours); });
    keeps_the_laws(
        check_stage<std::remove_const_t<decltype(speed)>, Schema<Column<"km", float>, Column<"hours", double>>>());
    constexpr auto known =
        map<"x", "x">([](std::optional<float> x) { return x ? std::optional<float>(*x * 2) : std::nullopt; });
    keeps_the_laws(check_stage<std::remove_const_t<decltype(known)>, Schema<Column<"x", std::optional<float>>>>());
}

TEST_CASE("Assemble keeps the laws of stages, dense and sparse", "[feature][laws]") {
    using Table = Schema<Column<"a", float>, Column<"b", OneHot>, Column<"c", Vector<float>>, Column<"d", std::int8_t>>;
    keeps_the_laws(check_stage<Assemble<"a", "b", "c", "d", "features">, Table>());
    keeps_the_laws(check_stage<AssembleSparse<"a", "b", "c", "d", "features">, Table>());
}

TEST_CASE("HashFeatures keeps the laws of stages", "[feature][laws]") {
    using Table =
        Schema<Column<"a", float>, Column<"b", Category>, Column<"c", std::optional<Text>>, Column<"d", bool>>;
    using Stage = HashFeatures<"a", "b", "c", "d", "features">;
    keeps_the_laws(check_stage<Stage, Table>({.stage = {.dimensions = 1 << 20}, .refused = {{.dimensions = 0}}}));
}

}  // namespace stage_laws_transformers_test
