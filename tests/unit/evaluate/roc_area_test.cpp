// SPDX-License-Identifier: Apache-2.0
#include "unit/evaluate/oracle_rows.hpp"

#include <partita/evaluate/roc_area.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace roc_area_test {

using namespace partita;
using namespace partita_tests;

namespace {

template <class M>
constexpr bool is_metric = Metric<M> && exact_state<typename M::Summary>;
static_assert(is_metric<RocArea<"late">> && is_metric<RocArea<"late", "margin", "yes">>);
static_assert(RocArea<"late">::Inputs::inputs[0].takes(column_type<bool>) &&
              !RocArea<"late">::Inputs::inputs[0].takes(column_type<Text>));
static_assert(RocArea<"late", "margin", "yes">::Inputs::inputs[0].takes(column_type<Text>));
static_assert(RocArea<"late">::Inputs::inputs[1].takes(column_type<std::int32_t>) &&
              !RocArea<"late">::Inputs::inputs[1].takes(column_type<std::int64_t>));
static_assert(state_is_keyed<RocArea<"late">::Summary>());

using Labels = std::vector<std::uint8_t>;

void check_near(double value, double expected) { CHECK(std::abs(value - expected) <= 1e-12 * std::abs(expected)); }

template <class T>
Score area(const std::vector<T>& scores, const Labels& labels, const double* weights = nullptr,
           std::size_t threads = 1) {
    ThreadPool pool(threads);
    return roc_area(std::span<const T>(scores), std::span<const std::uint8_t>(labels),
                    weights ? Weights(weights) : Weights(), pool);
}

/// Every pair, by definition.
template <class T>
double every_pair(const std::vector<T>& scores, const Labels& labels, const double* weights = nullptr) {
    long double won = 0, pairs = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!labels[i]) continue;
        for (std::size_t j = 0; j < scores.size(); ++j) {
            if (labels[j]) continue;
            const long double weight = weights ? static_cast<long double>(weights[i]) * weights[j] : 1.0L;
            pairs += weight;
            won += weight * (scores[i] > scores[j] ? 1.0L : scores[i] == scores[j] ? 0.5L : 0.0L);
        }
    }
    return static_cast<double>(won / pairs);
}

/// Numbers without a pattern, the same everywhere.
struct Draws {
    std::uint64_t x;
    std::uint64_t next() {
        x = x * 6364136223846793005u + 1442695040888963407u;
        return x >> 20;
    }
    double fraction() { return static_cast<double>(next()) / 0x1p44; }
};

/// Scores of many shapes; labels that go with them.
template <class T>
struct Shape {
    const char* name;
    std::vector<T> scores;
    Labels labels;
};
template <class T>
std::vector<Shape<T>> shapes(std::size_t rows) {
    std::vector<Shape<T>> all;
    const auto add = [&](const char* name, auto score) {
        Draws draws{rows};
        Shape<T> shape{name, {}, {}};
        for (std::size_t i = 0; i < rows; ++i) {
            const double u = draws.fraction();
            shape.scores.push_back(static_cast<T>(score(i, u, draws)));
            shape.labels.push_back(draws.fraction() < 0.2 + 0.6 * u);
        }
        all.push_back(std::move(shape));
    };
    add("even", [](std::size_t, double u, Draws&) { return u; });
    add("both signs", [](std::size_t, double u, Draws&) { return std::log(u + 1e-9) - std::log(1.001 - u); });
    add("few values", [](std::size_t, double u, Draws&) { return std::floor(u * 7) / 7; });
    add("one value", [](std::size_t, double, Draws&) { return 0.25; });
    add("zeros of both signs", [](std::size_t i, double u, Draws&) { return u < 0.7 ? (i % 2 ? 0.0 : -0.0) : u; });
    add("all magnitudes",
        [](std::size_t, double u, Draws& d) { return std::ldexp(u, -static_cast<int>(d.next() % 140)); });
    add("subnormal and huge", [](std::size_t i, double u, Draws&) {
        const double least = std::numeric_limits<T>::denorm_min(), most = std::numeric_limits<T>::max();
        return i % 3 == 0 ? least * std::floor(u * 9) : i % 3 == 1 ? most * u : -most * u;
    });
    add("dense beside an outlier",
        [](std::size_t i, double u, Draws&) { return i == 3 ? -1e30 : 1 + std::floor(u * 900) * 0x1p-20; });
    add("halving", [](std::size_t i, double, Draws&) { return std::ldexp(1.0, -static_cast<int>(i % 100)); });
    add("mostly one value", [](std::size_t, double u, Draws&) { return u < 0.95 ? 0.125 : u; });
    return all;
}

}  // namespace

TEST_CASE("The ROC area of small sets is what every pair says", "[evaluate][roc_area]") {
    check_near(area(std::vector<float>{0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1}), 0.75);
    CHECK(area(std::vector<float>{1, 2, 3}, {0, 0, 1}) == 1);
    CHECK(area(std::vector<double>{3, 2, 1}, {0, 0, 1}) == 0);
    CHECK(area(std::vector<double>{2, 2, 2}, {0, 0, 1}) == 0.5);
    CHECK(area(std::vector<double>{-0.0, 0.0}, {0, 1}) == 0.5);
    Draws draws{7};
    for (int round = 0; round < 300; ++round) {
        const std::size_t rows = 2 + draws.next() % 60, values = 1 + draws.next() % 30;
        std::vector<double> scores, weights;
        Labels labels;
        for (std::size_t i = 0; i < rows; ++i) {
            scores.push_back(static_cast<double>(draws.next() % values) / 3 - 2);
            labels.push_back(i == 0 || (i > 1 && draws.next() % 2));
            weights.push_back(i > 1 && draws.next() % 4 == 0 ? 0 : draws.fraction() + 0.01);
        }
        check_near(area(scores, labels), every_pair(scores, labels));
        check_near(area(scores, labels, weights.data()), every_pair(scores, labels, weights.data()));
    }
}

TEMPLATE_TEST_CASE("The ROC area of every shape of scores is what every pair says", "[evaluate][roc_area]", float,
                   double) {
    for (std::size_t rows : {200u, 1500u}) {
        for (const auto& shape : shapes<TestType>(rows)) {
            INFO(shape.name << ", " << rows << " rows");
            std::vector<double> weights;
            for (std::size_t i = 0; i < rows; ++i) weights.push_back(0.1 * static_cast<double>(i % 6));
            check_near(area(shape.scores, shape.labels), every_pair(shape.scores, shape.labels));
            check_near(area(shape.scores, shape.labels, weights.data()),
                       every_pair(shape.scores, shape.labels, weights.data()));
        }
    }
}

TEMPLATE_TEST_CASE("Neither threads nor the order of the rows change a bit", "[evaluate][roc_area]", float, double) {
    for (auto& shape : shapes<TestType>(70000)) {
        INFO(shape.name);
        std::vector<double> weights;
        for (std::size_t i = 0; i < shape.scores.size(); ++i) weights.push_back(1.0 / static_cast<double>(1 + i % 97));
        const double expected = area(shape.scores, shape.labels),
                     weighted = area(shape.scores, shape.labels, weights.data());
        for (std::size_t threads : {2u, 3u}) {
            CHECK(area(shape.scores, shape.labels, nullptr, threads) == expected);
            CHECK(area(shape.scores, shape.labels, weights.data(), threads) == weighted);
        }
        Labels flipped;
        for (std::uint8_t label : shape.labels) flipped.push_back(!label);
        CHECK(area(shape.scores, flipped) == Approx(1 - expected).epsilon(1e-15));

        std::reverse(shape.scores.begin(), shape.scores.end());
        std::reverse(shape.labels.begin(), shape.labels.end());
        std::reverse(weights.begin(), weights.end());
        CHECK(area(shape.scores, shape.labels) == expected);
        CHECK(area(shape.scores, shape.labels, weights.data()) == weighted);
        // Weights are a matter of proportion.
        for (double& weight : weights) weight *= 0x1p-900;
        CHECK(area(shape.scores, shape.labels, weights.data()) == weighted);
        // Only the ranks matter. (The largest have no doubles in range.)
        if (std::string_view(shape.name) == "subnormal and huge") continue;
        for (TestType& score : shape.scores) score = score * TestType(2);
        CHECK(area(shape.scores, shape.labels) == expected);
    }
}

TEST_CASE("The ROC area equals scikit-learn's", "[evaluate][roc_area]") {
    const OracleRows rows;
    const double* w = rows.weight.data();
    const auto check = [&](const auto& scores, const double* weights, double expected) {
        check_near(area(scores, rows.label, weights), expected);
        check_near(score_of<RocArea<"y">>(rows.label, scores, weights), expected);
    };
    const std::vector<float> narrow(rows.score.begin(), rows.score.end());  // 24 bits: the same numbers
    check(rows.score, nullptr, 0.831589172683345);
    check(rows.tied, nullptr, 0.8303262342850734);
    check(rows.score, w, 0.827696444856043);
    check(rows.tied, w, 0.8266711570356038);
    check(narrow, nullptr, 0.831589172683345);
    check(narrow, w, 0.827696444856043);
}

TEST_CASE("A weight of k is k copies in a ROC area", "[evaluate][roc_area]") {
    const OracleRows rows;
    std::vector<double> weights, copies;
    std::vector<double> scores = rows.tied;
    Labels copied_labels;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        weights.push_back(static_cast<double>(i % 4));
        copies.insert(copies.end(), i % 4, scores[i]);
        copied_labels.insert(copied_labels.end(), i % 4, rows.label[i]);
        if (i % 4 == 0) scores[i] = std::numeric_limits<double>::quiet_NaN();  // absent rows may hold anything
    }
    CHECK(area(scores, rows.label, weights.data()) == area(copies, copied_labels));
    CHECK(score_of<RocArea<"y">>(rows.label, scores, weights.data()) == area(copies, copied_labels));
}

TEST_CASE("Weights of one class do not drown those of the other", "[evaluate][roc_area]") {
    const std::vector<double> scores{1, 2, 3, 4};
    const std::vector<double> weights{1e300, 1e-300, 3e300, 3e-300};
    check_near(area(scores, {0, 1, 0, 1}, weights.data()), (0.25 * 0.25 + 0.75));
    const std::vector<double> largest(4, std::numeric_limits<double>::max());
    check_near(area(scores, {0, 1, 0, 1}, largest.data()), 0.75);
    const std::vector<double> least(4, std::numeric_limits<double>::denorm_min());
    CHECK(area(scores, {0, 1, 0, 1}, least.data()) == 0.75);
}

TEST_CASE("Blocks in any order and on any workers give the same ROC area", "[evaluate][roc_area]") {
    for (const auto& shape : shapes<float>(30000)) {
        INFO(shape.name);
        std::vector<double> weights;
        for (std::size_t i = 0; i < shape.scores.size(); ++i) weights.push_back(0.1 * static_cast<double>(i % 7));
        const std::vector<double> wide(shape.scores.begin(), shape.scores.end());
        for (const double* w : {static_cast<const double*>(nullptr), static_cast<const double*>(weights.data())}) {
            const double expected = area(shape.scores, shape.labels, w);
            auto blocks = block_summaries<RocArea<"y">>(shape.labels, shape.scores, w);
            CHECK(RocArea<"y">{}.finish(merged(blocks)) == expected);
            for (std::size_t workers : {1u, 2u, 5u, 9u}) {
                for (const auto& state : reduced(blocks, workers)) {
                    ThreadPool pool(2);
                    CHECK(RocArea<"y">{}.finish(state, pool) == expected);
                }
            }
            std::reverse(blocks.begin(), blocks.end());
            CHECK(RocArea<"y">{}.finish(merged(blocks)) == expected);
            CHECK(score_of<RocArea<"y">>(shape.labels, wide, w) == expected);
        }
    }
}

TEST_CASE("Equal rows travel as one with their number", "[evaluate][roc_area]") {
    const OracleRows rows;
    const auto bytes_sent = [&](const std::vector<double>& scores, const double* weights) {
        auto state = merged(block_summaries<RocArea<"y">>(rows.label, scores, weights));
        std::string bytes;
        detail::offer_list_keys(test::accumulators_of(state), bytes);
        return bytes.size();
    };
    CHECK(bytes_sent(rows.tied, nullptr) < 32 * 17 + 64);
    CHECK(bytes_sent(rows.score, nullptr) < 5000 * 9 + 64);
    // Counted, plain and weighted rows meet: the plain ones count once.
    using Area = RocArea<"y">;
    const std::vector<double> ones(5000, 1.0);
    auto tied = block_summaries<Area>(rows.label, rows.tied);
    const auto plain = block_summaries<Area>(rows.label, rows.score);
    const auto weighted = block_summaries<Area>(rows.label, rows.score, rows.weight.data());
    auto counted = reduced(tied, 2)[0];
    for (const auto& more : {plain, weighted}) merge_state(counted, merged(more));
    auto uncounted = merged(block_summaries<Area>(rows.label, rows.tied, ones.data()));
    for (const auto& more : {plain, weighted}) merge_state(uncounted, merged(more));
    const double expected = Area{}.finish(uncounted);
    CHECK(Area{}.finish(counted) == expected);
    CHECK(Area{}.finish(reduced(std::vector{counted, uncounted}, 2)[0]) == Approx(expected).epsilon(1e-14));

    detail::RankedRows broken;
    CHECK_THROWS_AS(broken.adopt_keys("short"), CollectiveMismatch);
    CHECK_THROWS_AS(broken.adopt_keys(std::string(100, '\x7f')), CollectiveMismatch);
}

TEST_CASE("A ROC area of one class or of nothing is undefined", "[evaluate][roc_area]") {
    const std::vector<double> scores{0.1, 0.2, 0.3}, only_first{1, 0, 0}, none{0, 0, 0};
    CHECK(area(std::vector<double>{}, {}).reason() == detail::no_rows);
    CHECK(area(scores, {0, 1, 0}, none.data()).reason() == detail::no_rows);
    CHECK(area(scores, {0, 0, 0}).reason() == "all rows are of the negative class");
    CHECK(area(scores, {1, 1, 1}).reason() == "all rows are of the positive class");
    CHECK(area(scores, {1, 0, 0}, only_first.data()).reason() == "all rows are of the positive class");
    CHECK(RocArea<"y">{}.finish({}).reason() == detail::no_rows);
    const auto empty = reduced(std::vector<RocArea<"y">::Summary>{}, 3);
    CHECK(RocArea<"y">{}.finish(empty[0]).reason() == detail::no_rows);
}

TEST_CASE("What has no rank is named with its row", "[evaluate][roc_area]") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
        std::vector<float> scores(40000, 0.5f);
        Labels labels(40000, 1);
        labels[0] = 0;
        scores[33333] = bad;
        const auto names_row = [](auto&& action, std::int64_t row) {
            try {
                action();
                FAIL("accepted");
            } catch (const NonFiniteValue& error) {
                CHECK(error.place().row == row);
            }
        };
        names_row([&] { area(scores, labels); }, 33333);
        names_row([&] { score_of<RocArea<"y">>(labels, scores); },
                  33333 % 4096);  // rows of a block count from its first
        const std::vector<double> wide(scores.begin(), scores.end()), ones(40000, 1.0);
        names_row([&] { area(wide, labels, ones.data()); }, 33333);
        names_row([&] { score_of<RocArea<"y">>(labels, wide); }, 33333 % 4096);
    }
    const std::vector<double> scores{1, 2}, negative{1, -1}, unbounded{1, INFINITY};
    CHECK_THROWS_AS(area(scores, {0, 1}, negative.data()), NegativeWeight);
    CHECK_THROWS_AS(area(scores, {0, 1}, unbounded.data()), NonFiniteValue);
    CHECK_THROWS_AS(area(scores, {0, 1, 1}), WrongWidth);
    CHECK_THROWS_AS(score_of<RocArea<"y">>(std::vector<int>{0, 3}, scores), WrongClassCount);
}

TEST_CASE("A category names its positive class", "[evaluate][roc_area]") {
    const std::string_view dictionary[] = {"no", "yes", "maybe"};
    const std::int32_t codes[] = {0, 2, 1, 1};
    const std::vector<std::int32_t> scores{1, 2, 2, 3};
    RocArea<"y", "score", "yes">::Summary summary;
    summary.update(CategoryView(codes, 4, dictionary, 3), std::span<const std::int32_t>(scores), Weights());
    CHECK(RocArea<"y", "score", "yes">{}.finish(summary) == 0.875);
}

TEST_CASE("Sums of 256 bits round once, to nearest", "[evaluate][roc_area]") {
    detail::PairSum sum;
    CHECK(sum.rounded() == 0);
    sum.add((detail::PairCount{1} << 53) + 1);
    CHECK(sum.rounded() == 0x1p53);  // a tie goes to even
    sum = {};
    const detail::PairCount big = (detail::PairCount{1} << 127) + (detail::PairCount{1} << 74);
    sum.add_product(big, detail::PairCount{1} << 100);
    CHECK(sum.rounded() == 0x1p227);
    sum.add(1);  // above the tie, however little
    CHECK(sum.rounded() == 0x1p227 + 0x1p175);
    detail::PairSum carried;
    carried.add(~detail::PairCount{0});
    carried.add(1);
    CHECK(carried.rounded() == 0x1p128);
    CHECK(carried.limb[2] == 1);
}

}  // namespace roc_area_test
