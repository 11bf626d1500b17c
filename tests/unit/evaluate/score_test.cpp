// SPDX-License-Identifier: Apache-2.0
#include <partita/comm/format.hpp>
#include <partita/evaluate/score.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <type_traits>

namespace score_test {

using partita::Score;

static_assert(std::is_convertible_v<Score, double>);
static_assert(!std::is_convertible_v<double, Score>, "a number does not become a score by accident");

TEST_CASE("A score of a value is that value", "[evaluate][score]") {
    const Score score(0.25);
    const double number = score;
    CHECK(score.defined());
    CHECK(number == 0.25);
    CHECK(score.value_or(7) == 0.25);
    CHECK(score.reason().empty());
    CHECK(score == 0.25);
    CHECK(score < 0.5);
    CHECK(bool(score == Score(0.25)));
    CHECK_FALSE(bool(score == Score(0.5)));
}

TEST_CASE("An undefined score says why and is no number", "[evaluate][score]") {
    const Score score = Score::undefined("all rows are of one class");
    CHECK_FALSE(score.defined());
    CHECK(score.reason() == "all rows are of one class");
    CHECK(score.value_or(7) == 7);
    CHECK_THROWS_AS(score.value(), partita::UndefinedMetric);
    CHECK_THROWS_AS(static_cast<double>(score), partita::UndefinedMetric);
    CHECK_THROWS_WITH(score.value(), Catch::Contains("all rows are of one class"));
    CHECK(bool(score == Score::undefined("all rows are of one class")));
    CHECK_FALSE(bool(score == Score::undefined("there are no rows")));
    CHECK_FALSE(bool(score == Score(0.0)));
}

TEST_CASE("Scores as text", "[evaluate][score]") {
    CHECK(to_text(Score(0.1)) == "0.1");
    CHECK(to_text(Score(1.0 / 3)) == "0.3333333333333333");
    CHECK(to_text(Score::undefined("no rows")) == "undefined (no rows)");
    std::string text = "RMSE ";
    append_text(text, Score(2.34567), 3);
    CHECK(text == "RMSE 2.35");
    append_text(text, Score(1e300 / 3), 1000);  // more digits than fit are cut, not overrun
    CHECK(text.size() > 100);
}

TEST_CASE("Scores are printed as the numbers they are, or with their reason", "[evaluate][score]") {
    CHECK(partita::format("RMSE {:.2f} dollars", Score(2.345678)) == "RMSE 2.35 dollars");
    CHECK(partita::format("{}", Score(0.1)) == "0.1");
    CHECK(partita::format("ROC area {:.3f}", Score::undefined("no rows")) == "ROC area undefined (no rows)");
}

}  // namespace score_test
