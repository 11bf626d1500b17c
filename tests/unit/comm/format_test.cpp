// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/format.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <string_view>

namespace format_test {

namespace pt = partita;

namespace {

struct Metric {
    std::string to_text() const { return "undefined: one class"; }
};
struct Dollars {
    double amount;
    explicit operator double() const { return amount; }
};

}  // namespace

static_assert(std::is_constructible_v<pt::FormatPattern<int>, pt::FormatPattern<int>>);
static_assert(pt::detail::format_kind<bool>() == pt::detail::FormatKind::boolean);
static_assert(pt::detail::format_kind<char>() == pt::detail::FormatKind::character);
static_assert(pt::detail::format_kind<unsigned char>() == pt::detail::FormatKind::integer);
static_assert(pt::detail::format_kind<std::string_view>() == pt::detail::FormatKind::text);
static_assert(pt::detail::format_kind<char[4]>() == pt::detail::FormatKind::text);
static_assert(!pt::detail::spec_fits({.precision = 3}, pt::detail::FormatKind::integer));
static_assert(!pt::detail::spec_fits({.type = 'd'}, pt::detail::FormatKind::real));
static_assert(!pt::detail::spec_fits({.type = 'q'}, pt::detail::FormatKind::text));
static_assert(!pt::detail::spec_fits({.width = 300}, pt::detail::FormatKind::text));

TEST_CASE("values in their plain form", "[comm]") {
    CHECK(pt::format("nothing") == "nothing");
    CHECK(pt::format("{} {} {} {}", 1, -7L, 18446744073709551615ULL, static_cast<signed char>(-3)) ==
          "1 -7 18446744073709551615 -3");
    CHECK(pt::format("{} {} {}", 0.1, 0.1F, 1e300) ==
          "0.1 0.1 1e+300");  // the shortest text that reads back as the same number
    CHECK(pt::format("{} {}", true, 'x') == "true x");
    CHECK(pt::format("[{}] [{}] [{}]", "abc", std::string("def"), std::string_view("ghi")) == "[abc] [def] [ghi]");
    CHECK(pt::format("{}; {}", Metric{}, Dollars{2.5}) == "undefined: one class; 2.5");
    CHECK(pt::format("{{{}}} }}{{", 5) == "{5} }{");
}

TEST_CASE("values in the form that is asked for", "[comm]") {
    CHECK(pt::format("{:.3f}|{:.0f}|{:f}", 2.0 / 3, 2.5, 1.0) == "0.667|2|1.000000");
    CHECK(pt::format("{:.2e}|{:g}|{:.3}", 12345.678, 0.0001, 3.14159) == "1.23e+04|0.0001|3.14");
    CHECK(pt::format("{:8}|{:<8}|{:>8}|{:^8}|", 42, 42, "ab", "ab") == "      42|42      |      ab|   ab   |");
    CHECK(pt::format("{:10.2f}|{:2}", -1.005, "long") == "     -1.00|long");
    CHECK(pt::format("{:5d}|{:s}", 7, "text") == "    7|text");
    CHECK(pt::format("{:.64f}", -std::numeric_limits<double>::max()).size() == 1 + 309 + 1 + 64);
    CHECK(pt::format("{} {:.1f}", std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()) ==
          "inf -inf");
}

}  // namespace format_test
