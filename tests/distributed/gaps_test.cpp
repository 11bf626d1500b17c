// SPDX-License-Identifier: Apache-2.0
// Rows spread so that workers and blocks have none, or none of a class, a category or a weight.

#include "every_policy.hpp"
#include "level.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>

namespace gaps_test {

namespace pt = partita;

namespace {

struct Visit {
    std::int32_t row = 0;
    pt::Category ward;
    float size = 0;
    double weight = 0;
    bool late = false;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (row, ward, size, weight, late))

/// Ward 9 is in block 4 alone, block 1 has one class, block 2 has no weight, and many sizes are tied.
std::vector<Visit> visits() {
    static constexpr const char* wards[] = {"w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9"};
    std::vector<Visit> rows(7 * 4096 + 77);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::size_t block = i / 4096;
        rows[i].row = static_cast<std::int32_t>(i);
        rows[i].ward = wards[block == 4 && i % 5 == 0 ? 9 : i * i % 9];
        rows[i].size = static_cast<float>(std::exp(8 * std::sin(static_cast<double>(i % 900))));
        rows[i].weight = block == 2 ? 0 : 0.1 * static_cast<double>(i % 4);
        rows[i].late = block != 1 && i * i % 9 + i % 7 > 7;
    }
    return rows;
}

bool has_gaps(std::int32_t row) {
    const std::int32_t block = row / 4096;
    return block == 1 || block == 2 || block == 4 || (block == 6 && row % 500 == 7);
}

/// All rows; those of a few blocks; these weighted; and three rows, fewer than workers.
template <class Body>
auto of_each(pt::Session& session, const std::vector<Visit>& rows, std::size_t chunk_blocks, Body body) {
    const auto all = pt::dataset(session, rows).repartition(chunk_blocks);
    const auto some = all.filter<"row">(has_gaps);
    const auto few = all.filter<"row">([](std::int32_t row) { return row % 12'000 == 4'000; });
    return std::vector{body(all), body(some), body(some.weigh_by<"weight">()), body(few)};
}

}  // namespace

TEST_CASE("a merge in floating point has one order where blocks and workers are empty", "[gaps]") {
    const auto rows = visits();
    const auto result = every_policy::gives_the_same([&](pt::Session& session) {
        // Workers hold chunks, so other chunks are another distribution of the same blocks.
        const auto mean = [](const auto& data) {
            return pt::pipeline(Level<"size">{}).fit(pt::as_train(data)).template stage<1>().mean;
        };
        auto means = of_each(session, rows, 1, mean);
        if (of_each(session, rows, 3, mean) != means) means.clear();
        return means;
    });
    REQUIRE(result.size() == 4);
    for (const double mean : result) CHECK(mean > 0);
}

TEST_CASE("categories, classes and scores do not depend on who holds which rows", "[gaps]") {
    const auto rows = visits();
    const auto result = every_policy::gives_the_same([&](pt::Session& session) {
        return of_each(session, rows, 1, [](const auto& data) {
            const auto pipeline = pt::OneHotEncode<"ward", pt::Unseen::all_zero>{} |
                                  pt::LogisticRegression<"ward", "late">{.l2 = 1e-2, .tolerance = 1e-6};
            const auto model = pipeline.fit(pt::as_train(data));
            const auto [area, loss, share] = pt::evaluate(model.transform(pt::as_test(data)), pt::RocArea<"late">{},
                                                          pt::LogLoss<"late">{}, pt::Accuracy<"late">{});
            return std::tuple(pt::to_bytes(model), area.value(), loss.value(), share.value());
        });
    });
    for (const auto& [file, area, loss, share] : result) {
        CHECK(area > 0.5);
        CHECK(loss < std::log(2.0));
        CHECK(share > 0.5);
    }
    CHECK(std::get<0>(result[0]) != std::get<0>(result[1]));
}

}  // namespace gaps_test
