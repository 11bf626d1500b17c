// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <partita/persist/value.hpp>

#include <boost/describe/class.hpp>

#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "unit/persist/save_and_load.hpp"

namespace value_property_test {

using sample::comes_back, sample::loaded, sample::saved;

namespace {

struct Pair {
    std::string text;
    std::optional<std::int64_t> number;
    friend bool operator==(const Pair&, const Pair&) = default;
};
BOOST_DESCRIBE_STRUCT(Pair, (), (text, number))

template <class T>
void check_property() {
    CHECK(rc::check([](const T& value) { RC_ASSERT(comes_back(value)); }));
}

}  // namespace

TEST_CASE("any number, text and list of them comes back", "[persist]") {
    check_property<std::int8_t>();
    check_property<std::vector<std::uint16_t>>();
    check_property<std::vector<bool>>();
    check_property<std::string>();
    check_property<std::vector<std::string>>();
    check_property<std::vector<std::vector<std::int64_t>>>();
    check_property<std::vector<std::vector<std::string>>>();
}

TEST_CASE("any list of structs comes back", "[persist]") {
    CHECK(rc::check([](const std::vector<std::string>& texts, const std::vector<std::int64_t>& numbers) {
        std::vector<std::vector<Pair>> lists(1);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            Pair pair{texts[i], {}};
            if (i < numbers.size()) pair.number = numbers[i];
            if (i % 3 == 0) lists.emplace_back();
            lists.back().push_back(pair);
        }
        RC_ASSERT(comes_back(lists));
        RC_ASSERT(comes_back(lists.back()));
    }));
}

TEST_CASE("any bits of doubles come back", "[persist]") {
    const auto bits = [](std::uint64_t pattern) { return std::bit_cast<double>(pattern); };
    CHECK(rc::check([&](const std::vector<std::uint64_t>& patterns) {
        std::vector<double> numbers;
        for (const std::uint64_t pattern : patterns) numbers.push_back(bits(pattern));
        const auto result = loaded<std::vector<double>>(saved(numbers));
        RC_ASSERT(result.size() == patterns.size());
        for (std::size_t i = 0; i < patterns.size(); ++i)
            RC_ASSERT(std::bit_cast<std::uint64_t>(result[i]) == patterns[i]);
    }));
}

}  // namespace value_property_test
