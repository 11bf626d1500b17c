// SPDX-License-Identifier: Apache-2.0
#include "unit/evaluate/oracle_rows.hpp"

#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/log_loss.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace classification_test {

using namespace partita;
using namespace partita_tests;

namespace {

template <class M>
constexpr bool is_metric = Metric<M> && exact_state<typename M::Summary>;
static_assert(is_metric<Accuracy<"late">> && is_metric<LogLoss<"late">> &&
              is_metric<LogLoss<"late", "probability", "yes">>);
static_assert(LogLoss<"late">::Inputs::inputs[1].name == "probability");
static_assert(LogLoss<"late">::Inputs::inputs[0].takes(column_type<bool>) &&
              !LogLoss<"late">::Inputs::inputs[0].takes(column_type<Category>));
static_assert(LogLoss<"late", "p", "yes">::Inputs::inputs[0].takes(column_type<Category>));
static_assert(Accuracy<"late">::Inputs::inputs[0].takes(column_type<Text>) &&
              Accuracy<"late">::Inputs::inputs[1].takes(column_type<float>));

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

void check_near(double value, double expected) { CHECK(std::abs(value - expected) <= 1e-12 * std::abs(expected)); }

/// A view of texts as a block of a column of categories gives it.
struct Categories {
    std::vector<std::string_view> dictionary;
    std::vector<std::int32_t> codes;
    CategoryView view() const { return {codes.data(), codes.size(), dictionary.data(), dictionary.size()}; }
};

template <class M, class Y, class P>
Score of_views(const Y& y, const P& p, Weights weights = {}) {
    typename M::Summary summary;
    summary.update(y, p, weights);
    return M{}.finish(summary);
}

}  // namespace

TEST_CASE("Log loss and accuracy equal scikit-learn's", "[evaluate][classification]") {
    const OracleRows rows;
    const double* w = rows.weight.data();
    check_near(score_of<LogLoss<"y">>(rows.label, rows.score), 0.5011804757350298);
    check_near(score_of<LogLoss<"y">>(rows.label, rows.score, w), 0.5071047422628311);
    check_near(score_of<Accuracy<"y">>(rows.label, rows.predicted), 0.7464);
    check_near(score_of<Accuracy<"y">>(rows.label, rows.predicted, w), 0.7447037557031727);
}

TEST_CASE("Any order, grouping and spread of blocks gives the same bits", "[evaluate][classification]") {
    const OracleRows rows;
    std::vector<double> p, w;
    std::vector<std::uint8_t> y, guess;
    for (int copy = 0; copy < 5; ++copy) {
        p.insert(p.end(), rows.score.begin(), rows.score.end());
        w.insert(w.end(), rows.weight.begin(), rows.weight.end());
        y.insert(y.end(), rows.label.begin(), rows.label.end());
        guess.insert(guess.end(), rows.predicted.begin(), rows.predicted.end());
    }
    const auto check = [](auto metric, auto blocks) {
        const double expected = metric.finish(merged(blocks));
        for (std::size_t workers : {1u, 2u, 3u, 5u}) {
            for (const auto& state : reduced(blocks, workers)) CHECK(metric.finish(state) == expected);
        }
        std::reverse(blocks.begin(), blocks.end());
        CHECK(metric.finish(merged(blocks)) == expected);
    };
    check(LogLoss<"y">{}, block_summaries<LogLoss<"y">>(y, p));
    check(LogLoss<"y">{}, block_summaries<LogLoss<"y">>(y, p, w.data()));
    check(Accuracy<"y">{}, block_summaries<Accuracy<"y">>(y, guess));
    check(Accuracy<"y">{}, block_summaries<Accuracy<"y">>(y, guess, w.data()));
}

TEST_CASE("Weights count rows in log loss and accuracy", "[evaluate][classification]") {
    const OracleRows rows;
    std::vector<double> w, p = rows.score, copied_p;
    std::vector<int> y(rows.label.begin(), rows.label.end()), copied_y,
        guess(rows.predicted.begin(), rows.predicted.end()), copied_guess;
    for (std::size_t i = 0; i < y.size(); ++i) {
        w.push_back(static_cast<double>(i % 3));
        for (std::size_t k = 0; k < i % 3; ++k) {
            copied_y.push_back(y[i]);
            copied_p.push_back(p[i]);
            copied_guess.push_back(guess[i]);
        }
        if (i % 3 == 0) {  // absent rows may hold anything
            y[i] = 17;
            p[i] = not_a_number;
        }
    }
    check_near(score_of<LogLoss<"y">>(y, p, w.data()), score_of<LogLoss<"y">>(copied_y, copied_p));
    for (std::size_t i = 0; i < y.size(); i += 3) guess[i] = 17;
    CHECK(score_of<Accuracy<"y">>(y, guess, w.data()) == score_of<Accuracy<"y">>(copied_y, copied_guess));
}

TEST_CASE("Log loss cuts certain predictions at the resolution of their type", "[evaluate][classification]") {
    const std::vector<int> y{1, 0};
    CHECK(score_of<LogLoss<"y">>(y, std::vector<double>{0, 1}) == Approx(52 * std::log(2.0)).epsilon(1e-15));
    CHECK(score_of<LogLoss<"y">>(y, std::vector<float>{0, 1}) == Approx(23 * std::log(2.0)).epsilon(1e-15));
    CHECK(score_of<LogLoss<"y">>(y, std::vector<double>{1, 0}) == Approx(0x1p-52).epsilon(1e-9));
    CHECK(score_of<LogLoss<"y">>(y, std::vector<double>{0.5, 0.5}) == Approx(std::log(2.0)).epsilon(1e-15));
}

TEST_CASE("Labels of two classes in every type", "[evaluate][classification]") {
    const std::vector<double> p{0.25, 0.5, 0.875};
    const double expected = score_of<LogLoss<"y">>(std::vector<int>{0, 1, 1}, p);
    CHECK(expected == Approx(-(std::log(0.75) + std::log(0.5) + std::log(0.875)) / 3).epsilon(1e-15));
    CHECK(score_of<LogLoss<"y">>(std::vector<int>{-1, 1, 1}, p) == expected);
    CHECK(score_of<LogLoss<"y">>(std::vector<float>{0, 1, 1}, p) == expected);
    CHECK(score_of<LogLoss<"y">>(std::vector<std::uint64_t>{0, 1, 1}, p) == expected);
    const bool flags[] = {false, true, true};
    CHECK(of_views<LogLoss<"y">>(std::span<const bool>(flags), std::span<const double>(p)) == expected);
    const Categories names{{"yes", "no", "never"}, {2, 0, 0}};
    CHECK(of_views<LogLoss<"y", "p", "yes">>(names.view(), std::span<const double>(p)) == expected);
    CHECK(of_views<LogLoss<"y", "p", "no">>(names.view(), std::span<const double>(p)) != expected);
}

TEST_CASE("Log loss names what it refuses", "[evaluate][classification]") {
    const std::vector<int> y(50, 1);
    const auto refuses = [&](auto error, std::vector<double> p, std::vector<double> labels, std::string_view column) {
        try {
            score_of<LogLoss<"y">>(labels, p);
            FAIL("accepted");
        } catch (const decltype(error)& caught) {
            CHECK(caught.place().row == 30);
            CHECK(caught.place().column == column);
        }
    };
    const auto with = [](double value, double at_30) {
        std::vector<double> values(50, value);
        values[30] = at_30;
        return values;
    };
    refuses(NonFiniteValue("", {}), with(0.5, not_a_number), with(1, 0), "probability");
    refuses(InvalidSetting("", {}), with(0.5, 1.0000001), with(1, 0), "probability");
    refuses(InvalidSetting("", {}), with(0.5, -1e-300), with(1, 0), "probability");
    refuses(WrongClassCount("", {}), with(0.5, 0.5), with(1, 2), "y");
    refuses(WrongClassCount("", {}), with(0.5, 0.5), with(1, 0.5), "y");
    refuses(WrongClassCount("", {}), with(0.5, 0.5), with(1, not_a_number), "y");
}

TEST_CASE("Classification metrics without rows are undefined", "[evaluate][classification]") {
    CHECK(LogLoss<"y">{}.finish({}).reason() == detail::no_rows);
    CHECK(Accuracy<"y">{}.finish({}).reason() == detail::no_rows);
    const std::vector<double> zeros{0, 0}, half{0.5, 0.5};
    CHECK(score_of<LogLoss<"y">>(zeros, half, zeros.data()).reason() == detail::no_rows);
    CHECK(score_of<Accuracy<"y">>(zeros, half, zeros.data()).reason() == detail::no_rows);
}

TEST_CASE("Accuracy compares labels by what they mean", "[evaluate][classification]") {
    const std::vector<std::int64_t> whole{1, (std::int64_t{1} << 53) + 1, -3, INT64_MAX};
    CHECK(score_of<Accuracy<"y">>(whole, std::vector<double>{1, 0x1p53, -3, 0x1p63}) == 0.5);
    CHECK(score_of<Accuracy<"y">>(std::vector<double>{1, 0x1p53, -3, 0x1p63}, whole) == 0.5);
    CHECK(score_of<Accuracy<"y">>(std::vector<int>{-1, 2}, std::vector<unsigned>{0xffffffff, 2}) == 0.5);
    CHECK(score_of<Accuracy<"y">>(std::vector<float>{0.5f, 0.1f}, std::vector<double>{0.5, 0.1}) == 0.5);
    const bool flags[] = {true, false};
    const double numbers[] = {1, 1};
    CHECK(of_views<Accuracy<"y">>(std::span<const bool>(flags), std::span<const double>(numbers)) == 0.5);

    // The same texts under other codes, and the same codes for other texts.
    const Categories a{{"jfk", "lga"}, {0, 1, 1, 0}}, b{{"lga", "jfk", "ewr"}, {1, 0, 2, 0}};
    CHECK(of_views<Accuracy<"y">>(a.view(), b.view()) == 0.5);
    const char bytes[] = "jfkjfklgalga";
    const std::int64_t offsets[] = {0, 3, 6, 9, 12};
    CHECK(of_views<Accuracy<"y">>(TextView(bytes, offsets, 4), a.view()) == 0.5);
    const double w[] = {3, 0, 1, 4};
    CHECK(of_views<Accuracy<"y">>(TextView(bytes, offsets, 4), a.view(), Weights(w)) == 0.5);

    CHECK_THROWS_AS(score_of<Accuracy<"y">>(std::vector<double>{1, not_a_number}, std::vector<double>{1, 1}),
                    NonFiniteValue);
    CHECK_THROWS_AS(score_of<Accuracy<"y">>(std::vector<int>{1, 1}, std::vector<float>{1, INFINITY}), NonFiniteValue);
}

}  // namespace classification_test
