// SPDX-License-Identifier: Apache-2.0
#include "sales.hpp"

#include <partita/math/count.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace weights_test {

namespace pt = partita;

namespace {

struct Weighted {
    float share = 1;
    double mass = 1;
    int copies = 1;
    std::int64_t many = 1;
};
BOOST_DESCRIBE_STRUCT(Weighted, (), (share, mass, copies, many))

template <class Data>
double total(const Data& data) {
    return data
        .template aggregate<"copies">(pt::Count{}, [](pt::Count& count, std::span<const int> rows,
                                                      pt::Weights weights) { count.update(rows.size(), weights); })
        .weight();
}

std::vector<Weighted> rows_with(std::size_t at, Weighted odd_one) {
    std::vector<Weighted> rows(10'000);
    rows[at] = odd_one;
    return rows;
}

}  // namespace

TEST_CASE("weights of every type count rows", "[data][weights]") {
    pt::LocalSession session(sales::quiet());
    std::vector<Weighted> rows(5'000);
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = {0.5f, 0.25, static_cast<int>(i % 3), static_cast<std::int64_t>(i % 2)};
    const auto data = pt::dataset(session, rows);
    CHECK(total(data) == 5'000);
    CHECK(total(data.weigh_by<"share">()) == 2'500);
    CHECK(total(data.weigh_by<"mass">()) == 1'250);
    CHECK(total(data.weigh_by<"copies">()) == 4'999);  // 0 + 1 + 2, 1666 times, then 0 and 1
    CHECK(total(data.weigh_by<"many">()) == 2'500);
    CHECK(total(data.weigh_by<"share">().weigh_by<"mass">()) == 1'250);  // the last one counts
}

TEST_CASE("weights stay in force through everything that keeps rows", "[data][weights]") {
    pt::LocalSession session(sales::quiet());
    std::vector<Weighted> rows(5'000);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].mass = i % 2 == 0 ? 3 : 0;
    const auto data = pt::dataset(session, rows).weigh_by<"mass">();
    CHECK(total(data) == 7'500);
    CHECK(total(data.select<"copies">()) == 7'500);
    CHECK(total(data.select<"copies">().materialize()) == 7'500);
    CHECK(total(data.select<"copies">().materialize({.renumber = true})) == 7'500);
    CHECK(total(data.repartition(1)) == 7'500);
    CHECK(total(pt::concat(data, data)) == 15'000);
    CHECK(total(data.filter<"mass">([](double mass) { return mass > 0; })) == 7'500);
}

TEST_CASE("negative and non-finite weights are refused, with their row", "[data][weights]") {
    const auto place_of = []<class Cause>(Cause*, const std::vector<Weighted>& rows, auto weigh) {
        pt::LocalSession session(sales::quiet());
        try {
            total(weigh(pt::dataset(session, rows)));
        } catch (const Cause& error) {
            CHECK(std::string(error.what()).find("row " + std::to_string(error.place().row)) != std::string::npos);
            return error.place();
        }
        FAIL("the weight was taken");
        return pt::Place{};
    };
    const auto by_mass = [](const auto& data) { return data.template weigh_by<"mass">(); };
    const auto by_share = [](const auto& data) { return data.template weigh_by<"share">(); };
    const auto by_copies = [](const auto& data) { return data.template weigh_by<"copies">(); };
    const auto negative = static_cast<pt::NegativeWeight*>(nullptr);
    const auto not_finite = static_cast<pt::NonFiniteValue*>(nullptr);

    pt::Place place = place_of(negative, rows_with(7'000, {.mass = -1e-300}), by_mass);
    CHECK((place.row == 7'000 && place.block == 1 && place.column == "mass"));
    place = place_of(negative, rows_with(12, {.copies = -1}), by_copies);
    CHECK((place.row == 12 && place.block == 0 && place.column == "copies"));
    place = place_of(negative, rows_with(0, {.mass = -std::numeric_limits<double>::infinity()}), by_mass);
    CHECK(place.row == 0);
    place = place_of(not_finite, rows_with(9'999, {.mass = std::nan("")}), by_mass);
    CHECK((place.row == 9'999 && place.block == 2));
    place = place_of(not_finite, rows_with(4'096, {.share = std::numeric_limits<float>::infinity()}), by_share);
    CHECK((place.row == 4'096 && place.column == "share"));

    // A weight that is not in force may be anything.
    pt::LocalSession session(sales::quiet());
    CHECK(total(pt::dataset(session, rows_with(3, {.mass = -1}))) == 10'000);
    CHECK(total(pt::dataset(session, rows_with(3, {.mass = -0.0})).weigh_by<"mass">()) == 9'999);
}

TEST_CASE("of several workers' bad weights the lowest row's is thrown everywhere", "[data][weights]") {
    auto rows = rows_with(11'000 - 1'002, {.mass = -1});
    rows[5'000].mass = std::nan("");
    std::vector<std::int64_t> seen(3, -1);
    pt::run<pt::ParameterServer<>>(sales::quiet(1, 3), [&](pt::Session& session) {
        try {
            total(pt::dataset(session, rows).weigh_by<"mass">());
        } catch (const pt::NonFiniteValue& error) {
            seen[session.rank()] = error.place().row;
        }
    });
    CHECK(seen == std::vector<std::int64_t>(3, 5'000));
}

}  // namespace weights_test
