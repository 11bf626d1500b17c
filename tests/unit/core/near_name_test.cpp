// SPDX-License-Identifier: Apache-2.0
#include <partita/core/near_name.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <string>

namespace near_name_test {

using partita::detail::name_distance;
using partita::detail::near_name;

namespace {

constexpr std::array<std::string_view, 5> columns{"pickup", "distance_km", "zone", "Fare", "x"};
constexpr int near(std::string_view wanted) {
    return near_name(wanted, 5, [](int i) { return columns[static_cast<std::size_t>(i)]; });
}

}  // namespace

static_assert(name_distance("", "") == 0);
static_assert(name_distance("fare", "FARE") == 0);
static_assert(name_distance("kitten", "sitting") == 3);
static_assert(name_distance("", "abc") == 3 && name_distance("abc", "") == 3);
static_assert(name_distance("abc", "acb") == 2);

static_assert(near("distnce_km") == 1);
static_assert(near("fare") == 3);
static_assert(near("zones") == 2);
static_assert(near("passengers") == -1);
static_assert(near("y") == -1, "every other letter would do for a name of one");
static_assert(near("X") == 4);
static_assert(near_name("ab", 2, [](int i) { return i == 0 ? "ax" : "ay"; }) == 0, "the first of two as near");

TEST_CASE("Names too long to compare are near to none", "[core]") {
    const std::string wanted(64, 'a');
    CHECK(name_distance(wanted, wanted) == 64);
    CHECK(near_name(wanted, 1, [&](int) -> std::string_view { return wanted; }) == -1);
}

}  // namespace near_name_test
