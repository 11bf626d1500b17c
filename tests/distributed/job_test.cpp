// SPDX-License-Identifier: Apache-2.0
// A whole job under every policy: read, filter, split, fit, judge.

#include "every_policy.hpp"
#include "level.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/io/csv.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>

namespace job_test {

namespace pt = partita;

namespace {

struct Parcel {
    pt::Timestamp sent;
    pt::Category from;
    std::optional<float> height;
    float weight = 0;
    double price = 0;
};
BOOST_DESCRIBE_STRUCT(Parcel, (), (sent, from, height, weight, price))

std::string table(std::size_t rows) {
    std::string text = "sent,from,height,weight,price\n";
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t day = 1 + i * 7 % 28;
        text += "2024-02-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + " 10:00:00,town " +
                std::to_string(i * i % 11) + ",";
        if (i % 7 != 0) text += std::to_string(i % 90) + ".5";
        text += "," + std::to_string(1 + i % 31) + "," +
                std::to_string(3.25 + static_cast<double>(i % 31) * 0.7 + std::sin(static_cast<double>(i))) + "\n";
    }
    return text;
}

auto price_pipeline() {
    return pt::Impute<"height">{.strategy = pt::Imputation::median} |
           pt::OneHotEncode<"from", pt::Unseen::own_column>{} | Level<"weight">{} |
           pt::Assemble<"height", "level", "from", "features">{} | pt::StandardScale<"features">{} |
           pt::LinearRegression<"features", "price">{.l2 = 1e-3};
}
using PriceModel = pt::Fitted<decltype(price_pipeline()), Parcel>;

}  // namespace

TEST_CASE("a job gives the same model and the same score under every policy", "[job]") {
    const std::string text = table(20'000);
    const auto result = every_policy::gives_the_same([&](pt::Session& session) {
        const auto all = pt::read_csv_text<Parcel>(session, text, {.chunk_blocks = 1, .range_bytes = 16 << 10});
        const auto light = all.filter<"weight">([](float weight) { return weight < 29; });
        const auto [train, validation, test] =
            pt::split_by_time<"sent">(light, pt::TrainValidationTest{.train = 0.6, .validation = 0.2});
        const PriceModel model = price_pipeline().fit(train);
        const PriceModel last = price_pipeline().fit(pt::refit_rows(train, validation));
        const auto score = pt::evaluate(last.transform(test), pt::Rmse<"price">{});
        return std::tuple(all.count(), light.count(), pt::to_bytes(model), pt::to_bytes(last), score.value());
    });
    CHECK(std::get<0>(result) == 20'000);
    CHECK(std::get<2>(result) != std::get<3>(result));
    CHECK(std::get<4>(result) == Approx(std::sqrt(0.5)).epsilon(0.05));  // what a sine leaves
}

TEST_CASE("sums in floating point do not depend on who holds which block", "[job]") {
    std::vector<Parcel> rows(40'000);
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].weight = static_cast<float>(std::exp(10 * std::sin(static_cast<double>(i))));
    const double mean = every_policy::gives_the_same([&](pt::Session& session) {
        const auto train = pt::as_train(pt::dataset(session, rows)).repartition(2);
        const auto model = pt::pipeline(Level<"weight">{}).fit(train);
        return model.stage<1>().mean;
    });
    CHECK(mean > 0);
}

TEST_CASE("what moves rows about gives the same rows under every policy", "[job]") {
    const std::string text = table(9'500);
    every_policy::gives_the_same([&](pt::Session& session) {
        const auto all = pt::read_csv_text<Parcel>(session, text);
        const auto some = all.sample({.fraction = 0.3, .seed = 5}).weigh_by<"weight">();
        const auto twice = pt::concat(some, some.filter<"weight">([](float weight) { return weight > 15; }));
        const auto frame = twice.repartition(1).materialize({.renumber = true}).collect();
        const auto first = twice.head(300);
        std::string result = std::to_string(twice.count()) + " " + std::to_string(first.row_id(299));
        for (std::size_t row = 0; row < frame.rows(); ++row) {
            result += "\n" + std::to_string(frame.row_id(row)) + " " + std::string(frame.column<"from">()[row]) + " ";
            result += frame.column<"height">().valid(row) ? std::to_string(frame.column<"height">().values()[row])
                                                          : "missing";
        }
        return result;
    });
}

}  // namespace job_test
