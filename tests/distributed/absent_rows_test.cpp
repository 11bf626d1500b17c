// SPDX-License-Identifier: Apache-2.0
// Rows of weight 0 are absent, also where a stage before the learner would refuse what they hold.
#include "unit/pipeline/absent_rows.hpp"
#include "every_policy.hpp"

#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/linear/logistic_regression.hpp>

#include <catch2/catch.hpp>

#include <utility>

namespace absent_rows_test {

namespace pt = partita;
using namespace absent_rows;

TEST_CASE("a row of weight 0 is absent behind stages that refuse it, on any workers", "[pipeline][weights]") {
    const auto rows = make();
    const auto [of_all, of_some] = every_policy::gives_the_same([&](pt::Session& session) {
        const auto all = pt::dataset(session, rows).repartition(1).weigh_by<"weight">();
        const auto some = all.filter<"weight">(counts);
        const auto result = [](const auto& data) {
            const auto model = pipeline().fit(pt::as_train(data));
            return std::pair(numbers_of(model),
                             pt::evaluate(model.transform(pt::as_test(data)), pt::Rmse<"fare">{}).value());
        };
        return std::pair(result(all), result(some));
    });
    CHECK(of_all == of_some);
}

TEST_CASE("rows of weight 0 alone are no rows to fit", "[pipeline][weights][in_process]") {
    auto rows = make();
    for (Weighed& row : rows) row.weight = 0;
    const auto lines = every_policy::outcomes(3, [&](pt::Session& session) {
        pipeline().fit(pt::as_train(pt::dataset(session, rows).weigh_by<"weight">()));
    });
    for (const std::string& line : lines) CHECK(line.starts_with("empty_dataset"));
    const auto classes = every_policy::outcomes(2, [&](pt::Session& session) {
        const auto data = pt::as_train(pt::dataset(session, rows).weigh_by<"weight">());
        (pt::Assemble<"km", "features">{} | pt::LogisticRegression<"features", "far">{.l2 = 1}).fit(data);
    });
    for (const std::string& line : classes) CHECK(line.starts_with("empty_dataset"));
}

}  // namespace absent_rows_test
