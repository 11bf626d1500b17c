// SPDX-License-Identifier: Apache-2.0
#include "sales.hpp"

#include <partita/data/split.hpp>

#include <catch2/catch.hpp>

#include <set>

namespace split_test {

namespace pt = partita;
using namespace sales;

namespace {

struct Event {
    pt::Timestamp when;
    int number;
};
BOOST_DESCRIBE_STRUCT(Event, (), (when, number))

/// Events at these seconds.
std::vector<Event> at(const std::vector<std::int64_t>& seconds) {
    std::vector<Event> rows;
    for (std::int64_t second : seconds)
        rows.push_back({pt::Timestamp{second * 1'000'000}, static_cast<int>(rows.size())});
    return rows;
}
std::vector<std::int64_t> seconds(std::int64_t count) {
    std::vector<std::int64_t> result;
    for (std::int64_t i = 0; i < count; ++i) result.push_back((i * 7919) % count);  // in no order
    return result;
}

std::string text(const std::vector<std::int64_t>& ids) {
    std::string result;
    for (std::int64_t id : ids) result += std::to_string(id) + ",";
    return result + ";";
}
template <class... Data>
std::string parts(const std::tuple<Data...>& split) {
    return std::apply([](const auto&... part) { return (text(ids(part)) + ...); }, split);
}
template <class... Data>
std::vector<std::int64_t> sizes(const std::tuple<Data...>& split) {
    return std::apply([](const auto&... part) { return std::vector<std::int64_t>{part.count()...}; }, split);
}
/// Whether every row is in exactly one part.
template <class... Data>
bool complete(const std::tuple<Data...>& split, std::int64_t rows) {
    std::multiset<std::int64_t> all;
    std::apply(
        [&](const auto&... part) {
            const auto add = [&](const std::vector<std::int64_t>& some) { all.insert(some.begin(), some.end()); };
            (add(ids(part)), ...);
        },
        split);
    std::int64_t expected = 0;
    for (std::int64_t id : all)
        if (id != expected++) return false;
    return expected == rows;
}

}  // namespace

// ---- types --------------------------------------------------------------------------------------------------------------
using Unsplit = pt::Dataset<Event>;
static_assert(std::is_same_v<decltype(pt::split_at_random(std::declval<Unsplit>())),
                             std::tuple<pt::Dataset<Event, pt::Train>, pt::Dataset<Event, pt::Test>>>);
static_assert(std::is_same_v<decltype(pt::split_by_time<"when">(std::declval<Unsplit>(), pt::TrainValidationTest{})),
                             std::tuple<pt::Dataset<Event, pt::Train>, pt::Dataset<Event, pt::Validation>,
                                        pt::Dataset<Event, pt::Test>>>);
static_assert(std::is_same_v<decltype(pt::refit_rows(std::declval<pt::Dataset<Event, pt::Train>>(),
                                                     std::declval<pt::Dataset<Event, pt::Validation>>())),
                             pt::Dataset<Event, pt::Train>>);

TEST_CASE("a split by time has exactly the share asked for where times differ", "[data][split]") {
    pt::LocalSession session(quiet());
    for (const std::int64_t rows : {10, 100, 997, 20'000}) {
        const auto data = pt::dataset(session, at(seconds(rows)));
        for (const std::int64_t percent : {1, 29, 50, 57, 70, 80, 90, 99}) {
            const std::int64_t wanted = percent * rows / 100;
            if (wanted == 0) continue;
            INFO(rows << " rows, " << percent << " %");
            const auto split =
                pt::split_by_time<"when">(data, pt::TrainTest{.train = static_cast<double>(percent) / 100});
            CHECK(sizes(split) == std::vector<std::int64_t>{wanted, rows - wanted});
            CHECK(complete(split, rows));
        }
        CHECK(sizes(pt::split_by_time<"when">(data, pt::TrainValidationTest{.train = 0.7, .validation = 0.1})) ==
              std::vector<std::int64_t>{rows * 7 / 10, rows * 8 / 10 - rows * 7 / 10, rows - rows * 8 / 10});
    }
}

TEST_CASE("the earliest rows train, and rows of one moment stay together", "[data][split]") {
    pt::LocalSession session(quiet());
    const auto split_at = [&](const std::vector<std::int64_t>& when, double share) {
        return parts(pt::split_by_time<"when">(pt::dataset(session, at(when)), pt::TrainTest{.train = share}));
    };
    CHECK(split_at({5, 1, 4, 2, 3}, 0.6) == "1,3,4,;0,2,;");
    CHECK(split_at({-5, -1, -4, 2, 0}, 0.4) == "0,2,;1,3,4,;");
    CHECK(split_at({1, 2, 2, 2, 3}, 0.6) == "0,;1,2,3,4,;");  // three would cut through the moment 2
    CHECK(split_at({1, 2, 2, 2, 3}, 0.8) == "0,1,2,3,;4,;");
    CHECK_THROWS_AS(split_at({7, 7, 7, 7}, 0.75), pt::EmptyDataset);  // one moment cannot be cut
    CHECK_THROWS_AS(split_at({1, 1, 1, 9}, 0.5), pt::EmptyDataset);
    const std::int64_t far = 9'000'000'000'000;
    CHECK(split_at({far, -far, 0, 1}, 0.5) == "1,2,;0,3,;");
}

TEST_CASE("splits by date cut where they are told", "[data][split]") {
    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, at({1, 2, 3, 4, 5}));
    const auto second = [](std::int64_t s) { return pt::Timestamp{s * 1'000'000}; };
    CHECK(parts(pt::split_by_time<"when">(data, pt::TrainTestDates{second(3)})) == "0,1,;2,3,4,;");
    CHECK(parts(pt::split_by_time<"when">(data, pt::TrainTestDates{second(9)})) == "0,1,2,3,4,;;");
    CHECK(parts(pt::split_by_time<"when">(data, pt::TrainValidationTestDates{second(2), second(5)})) ==
          "0,;1,2,3,;4,;");
    CHECK(parts(pt::split_by_time<"when">(data, pt::TrainValidationTestDates{second(2), second(2)})) ==
          "0,;;1,2,3,4,;");
    CHECK_THROWS_AS(pt::split_by_time<"when">(data, pt::TrainValidationTestDates{second(3), second(2)}),
                    pt::InvalidSetting);
}

TEST_CASE("the very last moment that a time can have belongs to the test", "[data][split]") {
    pt::LocalSession session(quiet());
    std::vector<Event> rows = at({0, 1});
    rows.push_back({pt::Timestamp{INT64_MAX}, 2});
    rows.push_back({pt::Timestamp{INT64_MIN}, 3});
    const auto data = pt::dataset(session, rows);
    CHECK(parts(pt::split_by_time<"when">(data, pt::TrainTestDates{pt::Timestamp{500'000}})) == "0,3,;1,2,;");
    CHECK(parts(pt::split_by_time<"when">(data, pt::TrainTest{.train = 0.75})) == "0,1,3,;2,;");
}

TEST_CASE("splits are the same for all threads, workers and chunks", "[data][split]") {
    const auto rows = at(seconds(20'000));
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        const auto data = pt::dataset(session, rows).repartition(chunk_blocks);
        return parts(pt::split_by_time<"when">(data, pt::TrainValidationTest{})) +
               parts(pt::split_at_random(data, pt::TrainValidationTest{.train = 0.5, .validation = 0.3, .seed = 11}));
    });
    CHECK(results.size() == 1);
}

TEST_CASE("random splits are disjoint, complete and a matter of the seed", "[data][split]") {
    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, at(seconds(20'000)));
    const auto two = pt::split_at_random(data, pt::TrainTest{.train = 0.8, .seed = 1});
    const auto three = pt::split_at_random(data, pt::TrainValidationTest{.train = 0.6, .validation = 0.2, .seed = 1});
    CHECK(complete(two, 20'000));
    CHECK(complete(three, 20'000));
    // Standard deviations: 57, 69 and 57 rows; six of them.
    CHECK(std::abs(static_cast<double>(sizes(two)[0]) - 16'000) < 342);
    CHECK(std::abs(static_cast<double>(sizes(three)[0]) - 12'000) < 416);
    CHECK(std::abs(static_cast<double>(sizes(three)[1]) - 4'000) < 342);
    CHECK(parts(two) == parts(pt::split_at_random(data, pt::TrainTest{.train = 0.8, .seed = 1})));
    CHECK(parts(two) != parts(pt::split_at_random(data, pt::TrainTest{.train = 0.8, .seed = 2})));
    // A split and a sample of one seed draw independently: a tenth of the sample's rows is no more than its share of the test.
    const auto sampled = data.sample({.fraction = 0.2, .seed = 1});
    CHECK(std::abs(static_cast<double>(
                       std::get<1>(pt::split_at_random(sampled, pt::TrainTest{.train = 0.8, .seed = 1})).count()) -
                   800) < 160);
}

TEST_CASE("shares that leave a part without rows are refused, and so are no rows", "[data][split]") {
    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, at({1, 2, 3}));
    for (const double share : {0.0, 1.0, -0.5, 1.5, std::nan("")}) {
        CHECK_THROWS_AS(pt::split_at_random(data, pt::TrainTest{.train = share}), pt::InvalidSetting);
        CHECK_THROWS_AS(pt::split_by_time<"when">(data, pt::TrainTest{.train = share}), pt::InvalidSetting);
        CHECK_THROWS_AS(pt::split_at_random(data, pt::TrainValidationTest{.train = 0.5, .validation = share / 2}),
                        pt::InvalidSetting);
    }
    CHECK_THROWS_AS(pt::split_by_time<"when">(data, pt::TrainValidationTest{.train = 0.8, .validation = 0.2}),
                    pt::InvalidSetting);
    CHECK_THROWS_AS(pt::split_by_time<"when">(pt::dataset(session, std::vector<Event>{}), pt::TrainTest{}),
                    pt::EmptyDataset);
    CHECK(parts(pt::split_at_random(pt::dataset(session, std::vector<Event>{}))) == ";;");
}

TEST_CASE("data that come already split are named, and joined for a last fit", "[data][split]") {
    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, at({3, 1, 2}));
    CHECK(ids(pt::as_train(data)) == ids(data));
    CHECK(ids(pt::as_validation(data)) == ids(pt::as_test(data)));
    CHECK(ids(pt::refit_rows(pt::as_train(data), pt::as_validation(data))) ==
          std::vector<std::int64_t>{0, 1, 2, 4096, 4097, 4098});
}

}  // namespace split_test
