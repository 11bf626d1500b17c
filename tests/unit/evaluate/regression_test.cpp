// SPDX-License-Identifier: Apache-2.0
#include "unit/evaluate/oracle_rows.hpp"

#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/r_squared.hpp>
#include <partita/evaluate/rmse.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace regression_test {

using namespace partita;
using namespace partita_tests;

namespace {

template <class M>
constexpr bool is_metric = Metric<M> && exact_state<typename M::Summary> && std::is_empty_v<M>;
static_assert(is_metric<Rmse<"fare">> && is_metric<Mae<"fare", "guess">> && is_metric<RSquared<"fare">>);
static_assert(Rmse<"fare">::Inputs::inputs[0].name == "fare" && Rmse<"fare">::Inputs::inputs[1].name == "prediction");
static_assert(Mae<"fare", "guess">::Inputs::inputs[1].name == "guess");
static_assert(Rmse<"fare">::Inputs::inputs[0].takes(column_type<bool>) &&
              !Rmse<"fare">::Inputs::inputs[0].takes(column_type<Text>));
static_assert(!Rmse<"fare">::Inputs::inputs[1].takes(column_type<std::optional<double>>),
              "missing values are not judged");

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Relative, as the library promises against scikit-learn.
void check_near(double value, double expected) { CHECK(std::abs(value - expected) <= 1e-12 * std::abs(expected)); }

}  // namespace

TEST_CASE("Regression metrics equal scikit-learn's", "[evaluate][regression]") {
    const OracleRows rows;
    const auto &y = rows.target, &p = rows.prediction;
    const double* w = rows.weight.data();
    check_near(score_of<Rmse<"y">>(y, p), 0.28675136475631074);
    check_near(score_of<Mae<"y">>(y, p), 0.24810620489120483);
    check_near(score_of<RSquared<"y">>(y, p), 0.989975367106355);
    check_near(score_of<Rmse<"y">>(y, p, w), 0.28674846885221145);
    check_near(score_of<Mae<"y">>(y, p, w), 0.24828260627042276);
    check_near(score_of<RSquared<"y">>(y, p, w), 0.9900518330992836);
}

TEMPLATE_TEST_CASE("Any order and grouping of blocks gives the same bits", "[evaluate][regression]", (Rmse<"y">),
                   (Mae<"y">), (RSquared<"y">)) {
    const OracleRows rows;
    std::vector<double> y, p, w;
    for (int copy = 0; copy < 5; ++copy) {  // six blocks and a bit
        for (std::size_t i = 0; i < OracleRows::rows; ++i) {
            y.push_back(rows.target[i] * (1 + copy));
            p.push_back(rows.prediction[i]);
            w.push_back(rows.weight[i]);
        }
    }
    for (const double* weights : {static_cast<const double*>(nullptr), static_cast<const double*>(w.data())}) {
        auto blocks = block_summaries<TestType>(y, p, weights);
        const double expected = TestType{}.finish(merged(blocks));
        for (std::size_t workers : {1u, 2u, 3u, 5u, 9u}) {
            for (const auto& state : reduced(blocks, workers)) CHECK(TestType{}.finish(state) == expected);
        }
        std::reverse(blocks.begin(), blocks.end());
        CHECK(TestType{}.finish(merged(blocks)) == expected);
        typename TestType::Summary whole;  // longer than a block: cut at the same borders
        whole.update(std::span<const double>(y), std::span<const double>(p), weights ? Weights(weights) : Weights());
        CHECK(TestType{}.finish(whole) == expected);
    }
}

TEMPLATE_TEST_CASE("A weight of k is k copies, and a weight of 0 is none", "[evaluate][regression]", (Rmse<"y">),
                   (Mae<"y">), (RSquared<"y">)) {
    const OracleRows rows;
    std::vector<double> y = rows.target, p = rows.prediction, w, copied_y, copied_p;
    for (std::size_t i = 0; i < y.size(); ++i) {
        w.push_back(static_cast<double>(i % 4));
        for (std::size_t k = 0; k < i % 4; ++k) {
            copied_y.push_back(y[i]);
            copied_p.push_back(p[i]);
        }
        if (i % 8 == 0) y[i] = not_a_number;  // absent rows may hold anything
        if (i % 8 == 4) p[i] = infinity;
    }
    // The rows fall into other blocks, so sums within blocks round differently.
    check_near(score_of<TestType>(y, p, w.data()), score_of<TestType>(copied_y, copied_p));
}

TEMPLATE_TEST_CASE("Regression metrics without rows are undefined", "[evaluate][regression]", (Rmse<"y">), (Mae<"y">),
                   (RSquared<"y">)) {
    const std::vector<double> none;
    CHECK(TestType{}.finish({}).reason() == detail::no_rows);
    CHECK(score_of<TestType>(none, none).reason() == detail::no_rows);
    const std::vector<double> y{1, 2}, w{0, 0};
    CHECK(score_of<TestType>(y, y, w.data()).reason() == detail::no_rows);
}

TEMPLATE_TEST_CASE("What is not finite is named with its row and column", "[evaluate][regression]", (Rmse<"y">),
                   (Mae<"y">), (RSquared<"y">)) {
    const std::vector<double> ones(100, 1.0);
    for (double bad : {not_a_number, infinity, -infinity}) {
        std::vector<double> values = ones;
        values[41] = values[77] = bad;
        try {
            score_of<TestType>(values, ones);
            FAIL("accepted");
        } catch (const NonFiniteValue& error) {
            CHECK(error.place().row == 41);
            CHECK(error.place().column == "y");
        }
        const std::vector<float> single(values.begin(), values.end());
        try {
            score_of<TestType>(ones, single, ones.data());
            FAIL("accepted");
        } catch (const NonFiniteValue& error) {
            CHECK(error.place().row == 41);
            CHECK(error.place().column == "prediction");
        }
    }
    const std::vector<double> huge(10, 1.7e308), opposite(10, -1.7e308);
    CHECK_THROWS_AS(score_of<TestType>(huge, opposite), NumericOverflow);
}

TEST_CASE("R squared of equal targets is undefined, however they round", "[evaluate][regression]") {
    for (double value : {0.0, 0.1, -1e9 / 3, 1e300}) {
        const std::vector<double> y(10001, value);
        std::vector<double> p = y;
        p[5] = 0.5 * value;
        const Score score = score_of<RSquared<"y">>(y, value == 1e300 ? y : p);
        REQUIRE_FALSE(score.defined());
        CHECK(score.reason() == "all targets are equal, so there is no variance to explain");
    }
}

TEST_CASE("R squared keeps its digits far from zero and across blocks of different means", "[evaluate][regression]") {
    const OracleRows rows;
    for (double offset : {0.0, 1e6, 1e9, -1e11}) {
        std::vector<double> y, p;
        for (std::size_t i = 0; i < OracleRows::rows; ++i) {
            y.push_back(offset + std::round(rows.target[i] * 256) / 256 + (i < 4096 ? 0 : 3));
            p.push_back(y.back() + std::round((rows.score[i] - 0.5) * 64) / 64);
        }
        // Deviations from a common origin are exact here, and few digits long, so plain sums of them are good to 1e-15.
        long double sum = 0, squares = 0, errors = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const long double d = static_cast<long double>(y[i]) - offset - 1000, e = y[i] - p[i];
            sum += d;
            squares += d * d;
            errors += e * e;
        }
        const long double total = squares - sum * sum / static_cast<long double>(y.size());
        check_near(score_of<RSquared<"y">>(y, p), static_cast<double>(1 - errors / total));
    }
}

TEST_CASE("Targets of other types are judged as the numbers they are", "[evaluate][regression]") {
    const std::vector<std::int64_t> whole{1, 2, 3, 4};
    const std::vector<std::uint8_t> small{1, 2, 3, 4};
    const std::vector<float> single{1, 2, 3, 4}, guess{1, 2, 3, 8};
    CHECK(score_of<Rmse<"y">>(whole, guess) == 2);
    CHECK(score_of<Rmse<"y">>(small, guess) == 2);
    CHECK(score_of<Mae<"y">>(single, guess) == 1);
    CHECK(score_of<RSquared<"y">>(single, guess) == 1 - 16.0 / 5);
    CHECK(score_of<RSquared<"y">>(single, single) == 1);
    Rmse<"y">::Summary flags;
    const bool yes[] = {true, false};
    const double p[] = {1, 1};
    flags.update(std::span<const bool>(yes), std::span<const double>(p), Weights());
    CHECK(Rmse<"y">{}.finish(flags) == std::sqrt(0.5));
}

}  // namespace regression_test
