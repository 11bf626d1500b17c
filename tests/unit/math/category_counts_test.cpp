// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/category_counts.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

namespace category_counts_test {

using namespace partita;

static_assert(ExactAccumulator<CategoryCounts> && CategoryCounts::keyed);

namespace {

using Expected = std::vector<std::pair<std::string, double>>;

Expected result(const CategoryCounts& counts) {
    Expected all;
    for (const auto& category : counts.sorted()) all.push_back({std::string(category.text), category.weight});
    return all;
}

}  // namespace

TEST_CASE("distinct texts get distinct ids", "[math]") {
    TextIndex index;
    std::map<std::string, std::uint32_t> wanted;
    std::mt19937_64 generator(1);
    REQUIRE(index.find("") == TextIndex::none);
    for (int i = 0; i < 20000; ++i) {
        std::string text(generator() % 20, '\0');
        for (char& letter : text) letter = static_cast<char>(generator() % 3);
        const auto [at, fresh] = wanted.insert({text, static_cast<std::uint32_t>(wanted.size())});
        if (fresh) REQUIRE(index.find(text) == TextIndex::none);
        if (index.insert(text) != at->second) FAIL(i);
    }
    REQUIRE(index.size() == wanted.size());
    for (const auto& [text, id] : wanted) {
        if (index.find(text) != id || index.text(id) != text) FAIL(id);
    }
}

TEST_CASE("categories are sorted by weight, then by bytes", "[math]") {
    CategoryCounts counts;
    counts.add("b");
    counts.add("a");
    counts.add("c", 3);
    counts.add("");
    counts.add("\xc3\xa4");
    counts.add("zero", 0);
    counts.add_weight("nothing", 0.0);
    counts.add_weight("b", 0.5);
    REQUIRE(result(counts) == Expected{{"c", 3}, {"b", 1.5}, {"", 1}, {"a", 1}, {"\xc3\xa4", 1}});
    REQUIRE(counts.weight("b") == 1.5);
    REQUIRE(counts.weight("zero") == 0);
    REQUIRE(counts.total() == 7.5);
}

TEST_CASE("the number of categories is bounded", "[math]") {
    CategoryCounts counts(3), others(3);
    for (const char* text : {"a", "b", "c", "a"}) counts.add(text);
    REQUIRE_THROWS_AS(counts.add("d"), TooManyCategories);
    others.add("e");
    auto merged = counts;
    REQUIRE_THROWS_AS(merged.merge(others), TooManyCategories);
    // On all workers alike, though none of them has too many by itself.
    std::string keys;
    CategoryCounts mine(3), theirs(3);
    for (const char* text : {"a", "b"}) mine.add(text);
    for (const char* text : {"c", "d"}) theirs.add(text);
    mine.offer_keys(keys);
    REQUIRE_THROWS_AS(theirs.adopt_keys(keys), TooManyCategories);
    keys.clear();
    CategoryCounts again(3);
    for (const char* text : {"c", "d"}) again.add(text);
    again.offer_keys(keys);
    REQUIRE_THROWS_AS(mine.adopt_keys(keys), TooManyCategories);
    REQUIRE(CategoryCounts().maximum_categories() == CategoryCounts::default_maximum_categories);
}

TEST_CASE("the order of rows and merges does not matter, and what was merged can be withdrawn", "[math]") {
    std::mt19937_64 generator(2);
    std::vector<std::pair<std::string, double>> rows;
    for (int i = 0; i < 300; ++i) {
        rows.push_back({"text " + std::to_string(generator() % 40), static_cast<double>(generator() % 4) / 3});
    }
    CategoryCounts wanted;
    for (const auto& [text, weight] : rows) wanted.add_weight(text, weight);
    const auto sorted = result(wanted);
    for (int trial = 0; trial < 100; ++trial) {
        std::shuffle(rows.begin(), rows.end(), generator);
        std::vector<CategoryCounts> parts(3);
        for (const auto& [text, weight] : rows) parts[generator() % 3].add_weight(text, weight);
        CategoryCounts total = parts[2];
        total.merge(parts[0]);
        total.merge(parts[1]);
        REQUIRE(total == wanted);
        REQUIRE(result(total) == sorted);
        total.withdraw(parts[0]);
        REQUIRE_FALSE(total == wanted);
        CategoryCounts rest = parts[1];
        rest.merge(parts[2]);
        REQUIRE(total == rest);
        REQUIRE(result(total) == result(rest));
    }
}

TEST_CASE("a weight of k is k rows of a category", "[math]") {
    CategoryCounts weighted, copied;
    weighted.add_weight("a", 3);
    weighted.add_weight("b", 1);
    weighted.add_weight("c", 0);
    copied.add("b");
    copied.add("a", 3);
    REQUIRE(weighted == copied);
    copied.add("d");
    REQUIRE_FALSE(weighted == copied);
}

TEST_CASE("categories reduced over workers equal merged ones", "[math]") {
    for (std::size_t workers : {1U, 2U, 3U, 5U}) {
        for (bool fractional : {false, true}) {
            std::vector<CategoryCounts> states(workers);
            CategoryCounts wanted;
            for (std::size_t i = 0; i < 60; ++i) {
                const std::string text(i % 13, static_cast<char>(i % 3));
                const double weight = fractional && i >= 40 ? 0.1 : 1.0;
                states[i * (workers == 5 ? 4 : workers) / 60].add_weight(text, weight);
                wanted.add_weight(text, weight);
            }
            test::reduce(states);
            for (const auto& state : states) {
                REQUIRE(state == wanted);
                REQUIRE(result(state) == result(wanted));
            }
        }
    }
}

}  // namespace category_counts_test
