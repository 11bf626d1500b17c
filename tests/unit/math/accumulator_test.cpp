// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/category_counts.hpp>
#include <partita/math/count.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/quantiles.hpp>

#include "workers.hpp"

#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>

namespace accumulator_test {

using namespace partita;

namespace {

struct Range {
    Min<float> low;
    Max<double> high;
};
BOOST_DESCRIBE_STRUCT(Range, (), (low, high))

class Counted {
  public:
    Count& count() { return count_; }
    const Count& count() const { return count_; }

  private:
    Count count_;
    BOOST_DESCRIBE_CLASS(Counted, (), (), (), (count_))
};

// Everything at once: a base, private members, nesting, sequences, keys.
struct Summary : Counted {
    Range range;
    CategoryCounts zones;
    std::array<ExactSum, 2> moments;
    std::vector<CategoryCounts> more = std::vector<CategoryCounts>(2);
    ExactSums columns;
    Histogram hours;
    Quantiles<float> quantiles{{0.5}};
};
BOOST_DESCRIBE_STRUCT(Summary, (Counted), (range, zones, moments, more, columns, hours, quantiles))

struct WithPlainNumber {
    Count count;
    double sum;
};
BOOST_DESCRIBE_STRUCT(WithPlainNumber, (), (count, sum))
struct NotDescribed {
    Count count;
};
struct Empty {};
BOOST_DESCRIBE_STRUCT(Empty, (), ())

static_assert(exact_state<Summary> && exact_state<Range> && exact_state<std::vector<Range>>);
static_assert(!exact_state<WithPlainNumber> && !exact_state<NotDescribed> && !exact_state<Empty>);
static_assert(!exact_state<double> && !exact_state<std::vector<double>>);
static_assert(ExactAccumulator<Count> && ExactAccumulator<Min<int>> && ExactAccumulator<Max<double>>);
static_assert(ExactAccumulator<Histogram> && ExactAccumulator<CategoryCounts> && !ExactAccumulator<Summary>);
static_assert(state_is_keyed<Summary>() && !state_is_keyed<Range>() && state_is_keyed<std::array<CategoryCounts, 1>>());

void observe(Summary& state, int row) {
    const double x = 0.1 * row - 3;
    state.count().add(row % 4 == 0 ? 0.3 : 1.0);
    state.range.low.add(static_cast<float>(x));
    state.range.high.add(x);
    state.zones.add("zone " + std::to_string(row % 7));
    state.moments[0].add(x);
    state.moments[1].add(x * x);
    state.more[static_cast<std::size_t>(row % 2)].add_weight(row % 3 ? "" : "ä\0b", 0.7);
    state.columns.resize(3);
    state.columns.add(static_cast<std::size_t>(row % 3), 1e30 / row);
    state.hours.resize(static_cast<std::size_t>(row % 5 + 1));
    state.hours.add_weight(static_cast<std::size_t>(row % 5), row % 11 ? 1.0 : 0.1);
    const float value = static_cast<float>(x);
    state.quantiles.update(std::span(&value, 1));
}

void require_equal(const Summary& a, const Summary& b) {
    REQUIRE(a.count() == b.count());
    REQUIRE(a.range.low == b.range.low);
    REQUIRE(a.range.high == b.range.high);
    REQUIRE(a.zones == b.zones);
    REQUIRE(a.moments == b.moments);
    REQUIRE(a.more == b.more);
    REQUIRE(a.columns == b.columns);
    REQUIRE(a.hours == b.hours);
    REQUIRE(a.quantiles == b.quantiles);
}

}  // namespace

TEST_CASE("the members of a described struct are visited in order, bases first", "[math]") {
    Summary state;
    int visited = 0;
    for_each_accumulator(state, [&](auto& accumulator) {
        if (visited == 0) REQUIRE(static_cast<const void*>(&accumulator) == &state.count());
        if (visited == 5) REQUIRE(static_cast<const void*>(&accumulator) == &state.moments[1]);
        ++visited;
    });
    REQUIRE(visited == 11);
}

TEST_CASE("a whole state merges, and reduces over workers to the same", "[math]") {
    for (std::size_t workers : {1U, 2U, 3U, 5U}) {
        std::vector<Summary> states(workers);
        Summary merged, alone;
        for (int row = 1; row <= 200; ++row) {
            // With five, the last sees nothing.
            observe(states[static_cast<std::size_t>(row) % (workers == 5 ? 4 : workers)], row);
            observe(alone, row);
        }
        for (const auto& state : states) merge_state(merged, state);
        require_equal(merged, alone);
        test::reduce(states);
        for (const auto& state : states) require_equal(state, alone);
    }
}

TEST_CASE("sequences of different lengths are refused", "[math]") {
    std::vector<Count> two(2), three(3);
    REQUIRE_THROWS_AS(merge_state(two, three), CollectiveMismatch);
    Summary state;
    std::string keys;
    detail::offer_list_keys(test::accumulators_of(state), keys);
    keys.resize(keys.size() - 1);
    REQUIRE_THROWS_AS(detail::adopt_list_keys(test::accumulators_of(state), keys), CollectiveMismatch);
    state.zones.add("a");
    keys.clear();
    detail::offer_list_keys(test::accumulators_of(state), keys);
    keys.pop_back();
    REQUIRE_THROWS_AS(detail::adopt_list_keys(test::accumulators_of(state), keys), CollectiveMismatch);
}

TEST_CASE("what was merged can be withdrawn from a state whose accumulators allow it", "[math]") {
    std::array<ExactSum, 2> window, part;
    window[0].add(1e300);
    part[0].add(0.1);
    part[1].add(-5);
    const auto before = window;
    merge_state(window, part);
    REQUIRE_FALSE(window == before);
    withdraw_state(window, part);
    REQUIRE(window == before);
}

}  // namespace accumulator_test
