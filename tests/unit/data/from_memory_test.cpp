// SPDX-License-Identifier: Apache-2.0
#include "sales.hpp"

#include <partita/data/from_eigen.hpp>
#include <partita/data/split.hpp>

#include <catch2/catch.hpp>

namespace from_memory_test {

namespace pt = partita;

namespace {

struct Tagged {
    std::string name;
    std::optional<pt::Category> colour;
    std::optional<int> size;
    std::optional<bool> checked;
    pt::Vector<double> values;
    std::uint8_t small = 0;
};
BOOST_DESCRIBE_STRUCT(Tagged, (), (name, colour, size, checked, values, small))

/// All workers throw the same WrongWidth, which names the column (none where a chunk is still made).
template <class Body>
void refused_on_all(std::size_t workers, std::string_view column, Body body) {
    std::vector<std::string> texts(workers);
    pt::run<pt::RingAllReduce<>>(sales::quiet(1, workers), [&](pt::Session& session) {
        try {
            body(session);
        } catch (const pt::WrongWidth& error) {
            texts[session.rank()] = error.place().column + ": " + error.what();
        }
    });
    CHECK(texts[0].substr(0, column.size() + 1) == std::string(column) + ":");
    CHECK(texts == std::vector<std::string>(workers, texts[0]));
}

}  // namespace

using MatrixData = decltype(pt::dataset(std::declval<pt::Session&>(), std::declval<pt::MatrixView<const float>>(),
                                        std::declval<std::span<const double>>()));
static_assert(std::is_same_v<MatrixData, pt::Dataset<pt::MatrixRow<float, double>>>);

TEST_CASE("structs of every kind of member become columns, and their texts are copied", "[data][from_memory]") {
    pt::LocalSession session(sales::quiet());
    const std::vector<double> pool{1, 2, 3, 4};
    const auto made = [&] {
        std::vector<Tagged> rows(3);
        std::string gone = "a name that is longer than what a string holds in itself";
        rows[0] = {gone, pt::Category("red"), 4, true, {pool.data(), 2}, 255};
        rows[1] = {"", std::nullopt, std::nullopt, false, {pool.data() + 1, 2}, 0};
        rows[2] = {"z", pt::Category(""), 0, std::nullopt, {pool.data() + 2, 2}, 7};
        return pt::dataset(session, rows);  // the rows are gone after this
    }();
    const auto frame = made.collect();
    REQUIRE(frame.rows() == 3);
    CHECK(frame.column<"name">()[0] == "a name that is longer than what a string holds in itself");
    CHECK(frame.column<"name">()[1].empty());
    const auto colours = frame.column<"colour">();
    CHECK((colours.valid(0) && !colours.valid(1) && colours.valid(2)));
    CHECK((colours.values()[0] == "red" && colours.values()[2].empty()));
    const auto sizes = frame.column<"size">();
    CHECK((sizes.values()[0] == 4 && !sizes.valid(1) && sizes.valid(2) && sizes.values()[2] == 0));
    const auto checked = frame.column<"checked">();
    CHECK((checked.values()[0] && checked.valid(1) && !checked.values()[1] && !checked.valid(2)));
    CHECK((frame.column<"values">()[2][0] == 3 && frame.column<"values">()[2][1] == 4));
    CHECK((frame.column<"small">()[0] == 255 && frame.column<"small">()[2] == 7));
}

TEST_CASE("a vector column of two widths is refused on all workers", "[data][from_memory]") {
    const std::vector<double> pool{1, 2, 3};
    std::vector<Tagged> rows(6'000);
    for (Tagged& row : rows) row.values = {pool.data(), 2};
    rows[5'500].values = {pool.data(), 3};
    refused_on_all(2, "", [&](pt::Session& session) { pt::dataset(session, rows); });
    const std::vector<double> zeros(10'000);
    refused_on_all(2, "features", [&](pt::Session& session) {
        const pt::MatrixView<const double> x(zeros.data(), 5'000, 1 + session.rank());
        pt::dataset(session, x, std::span(zeros).first(5'000));
    });
}

TEST_CASE("rows of two widths are not put together", "[data][from_memory]") {
    const std::vector<double> pool{1, 2, 3};
    const auto rows_of = [&](std::size_t width) {
        std::vector<Tagged> rows(4'000);
        for (Tagged& row : rows) row.values = {pool.data(), width};
        return rows;
    };
    const auto narrow = rows_of(2), wide = rows_of(3);
    for (const std::size_t workers : {1u, 2u, 3u}) {
        refused_on_all(workers, "values", [&](pt::Session& session) {
            pt::concat(pt::dataset(session, narrow), pt::dataset(session, wide));
        });
        refused_on_all(workers, "values", [&](pt::Session& session) {
            pt::refit_rows(pt::as_train(pt::dataset(session, wide)), pt::as_validation(pt::dataset(session, narrow)));
        });
    }
}

TEST_CASE("matrices are used where they lie, and with a stride they are copied", "[data][from_memory]") {
    pt::LocalSession session(sales::quiet());
    const std::size_t rows = 10'000, columns = 3, stride = 5;
    std::vector<float> dense(rows * columns), strided(rows * stride, -1.0f);
    std::vector<float> target(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        target[i] = static_cast<float>(i);
        for (std::size_t j = 0; j < columns; ++j)
            dense[i * columns + j] = strided[i * stride + j] = static_cast<float>(i * 10 + j);
    }
    const auto y = std::span<const float>(target);
    const auto plain = pt::dataset(session, pt::MatrixView<const float>(dense.data(), rows, columns), y);
    CHECK(plain.state().chunks[0]->column(0).values.as<float>() == dense.data());
    CHECK(plain.state().chunks[0]->column(1).values.as<float>() == target.data());
    const auto with_gaps = pt::dataset(session, pt::MatrixView<const float>(strided.data(), rows, columns, stride), y);
    for (const auto& data : {plain, with_gaps}) {
        const auto frame = data.collect();
        REQUIRE(frame.rows() == rows);
        CHECK((frame.column<"features">()[0][2] == 2 && frame.column<"features">()[9'999][1] == 99'991));
        CHECK(frame.column<"target">()[9'999] == 9'999);
    }
    CHECK_THROWS_AS(pt::dataset(session, pt::MatrixView<const float>(dense.data(), rows, columns), y.first(9)),
                    pt::WrongWidth);
    CHECK(pt::dataset(session, pt::MatrixView<const float>(dense.data(), 0, columns), y.first(0)).count() == 0);
}

}  // namespace from_memory_test
