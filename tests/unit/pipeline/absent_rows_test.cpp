// SPDX-License-Identifier: Apache-2.0
#include "absent_rows.hpp"

#include <partita/pipeline/online_fit.hpp>

#include <catch2/catch.hpp>

namespace absent_rows_test {

namespace pt = partita;
using namespace absent_rows;

TEST_CASE("without the weight 0 nothing is stored anew, and with it ids and blocks stay", "[pipeline][weights]") {
    pt::LocalSession session(rides::quiet());
    auto rows = make();
    const auto all = pt::dataset(session, rows).repartition(1);
    CHECK(pt::detail::rows_that_count(all.state()).chunks == all.state().chunks);  // no weights
    const auto left = pt::detail::rows_that_count(all.weigh_by<"weight">().state()).chunks;
    REQUIRE(left.size() == 2);
    CHECK((left[0]->block_id(0) == 0 && left[1]->block_id(0) == 2));
    CHECK((left[0]->row_id(2) == 2 && left[0]->row_id(3) == 4));
    for (Weighed& row : rows) row.weight = 0.5;
    rows[8'999].weight = 0;
    const auto one = pt::dataset(session, rows).repartition(1).weigh_by<"weight">();
    const auto kept = pt::detail::rows_that_count(one.state()).chunks;
    CHECK((kept[0] == one.state().chunks[0] && kept[1] == one.state().chunks[1]));
    CHECK(kept[2]->rows() + 1 == one.state().chunks[2]->rows());
}

TEST_CASE("weights that are none are refused beside absent rows", "[pipeline][weights]") {
    pt::LocalSession session(rides::quiet());
    for (const double bad : {-1.0, std::nan("")}) {
        auto rows = make();
        rows[8'500].weight = bad;
        rows[8'500].tip = 1.0f;
        const auto data = pt::as_train(pt::dataset(session, rows).weigh_by<"weight">());
        const std::string said = outcome([&] { pipeline().fit(data); });
        CHECK(said.starts_with(bad < 0 ? "negative_weight" : "non_finite_value"));
        CHECK(said.find("in Impute<\"tip\">, block 2, row 8500: ") != std::string::npos);
    }
}

TEST_CASE("weights that are computed leave rows out too", "[pipeline][weights]") {
    pt::LocalSession session(rides::quiet());
    const auto all = pt::as_train(pt::dataset(session, make()));
    const auto halves = pt::pipeline(pt::map<"weight", "half">([](double weight) { return weight / 2; })).fit(all);
    const auto weighed = halves.transform(all).weigh_by<"half">();
    CHECK(numbers_of(pipeline().fit(weighed)) == numbers_of(pipeline().fit(weighed.filter<"weight">(counts))));

    // A weight that cannot be computed is the error of the pass that wants it.
    const auto refuses = pt::pipeline(pt::map<"weight", "half">([](double weight) {
                             if (weight == 0) throw pt::NonFiniteValue("no half of nothing");
                             return weight / 2;
                         })).fit(all);
    const auto broken = refuses.transform(all).weigh_by<"half">();
    CHECK(outcome([&] { pipeline().fit(broken); }).find("no half of nothing") != std::string::npos);
}

TEST_CASE("an online fit leaves rows of weight 0 out as a fit does", "[pipeline][weights][online]") {
    pt::LocalSession session(rides::quiet());
    const auto all = pt::as_train(pt::dataset(session, make()).weigh_by<"weight">());
    pt::OnlineFit<pt::StandardScale<"km">, Weighed> online;
    online.partial_fit(all);
    const auto model = pt::pipeline(pt::StandardScale<"km">{}).fit(all);
    CHECK(pt::to_bytes(online.model()) == pt::to_bytes(model));
}

}  // namespace absent_rows_test
