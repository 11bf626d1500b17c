// SPDX-License-Identifier: Apache-2.0
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/impute.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/online_fit.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace online_fit_test {

namespace pt = partita;

namespace {

using Regression = pt::LinearRegression<"features", "target">;
using Row = pt::MatrixRow<float, float>;
using Online = pt::OnlineFit<Regression, Row>;

struct Table {
    std::vector<float> x, y;
};

Table draw(std::size_t rows, std::uint64_t seed) {
    Table table;
    for (std::size_t row = 0; row < rows; ++row) {
        double target = 0.5;
        for (std::size_t column = 0; column < 3; ++column) {
            const double value = pt::uniform(seed, 11, 3 * row + column) - 0.5;
            table.x.push_back(static_cast<float>(value));
            target += static_cast<double>(column + 1) * value;
        }
        table.y.push_back(static_cast<float>(target + 0.1 * pt::uniform(seed, 12, row)));
    }
    return table;
}

auto train(pt::Session& session, const Table& table) {
    return pt::as_train(pt::dataset(session, pt::MatrixView<const float>(table.x.data(), table.y.size(), 3),
                                    std::span<const float>(table.y)));
}

Table joined(const Table& a, const Table& b) {
    Table all = a;
    all.x.insert(all.x.end(), b.x.begin(), b.x.end());
    all.y.insert(all.y.end(), b.y.begin(), b.y.end());
    return all;
}

}  // namespace

TEST_CASE("batches of whole blocks give the bits of one fit", "[pipeline][online]") {
    pt::LocalSession session;
    const Table a = draw(8192, 1), b = draw(5000, 2);
    Online online;
    online.partial_fit(train(session, a));
    online.partial_fit(train(session, b));
    const auto whole = pt::pipeline(Regression{}).fit(train(session, joined(a, b)));
    CHECK(pt::to_bytes(online.model()) == pt::to_bytes(whole));

    SECTION("merged from two") {
        Online first, second;
        first.partial_fit(train(session, b));
        second.partial_fit(train(session, a));
        first.merge(second);
        CHECK(pt::to_bytes(first.model()) == pt::to_bytes(whole));
    }
    SECTION("a window moves on by giving rows back") {
        online.withdraw(train(session, a));
        CHECK(online.rows() == 5000);
        CHECK(pt::to_bytes(online.model()) == pt::to_bytes(pt::pipeline(Regression{}).fit(train(session, b))));
    }
}

TEST_CASE("batches that cut blocks elsewhere agree up to a block's rounding", "[pipeline][online]") {
    pt::LocalSession session;
    const Table a = draw(1000, 3), b = draw(777, 4);
    Online online;
    online.partial_fit(train(session, a));
    online.partial_fit(train(session, b));
    const auto whole = pt::pipeline(Regression{}).fit(train(session, joined(a, b)));
    for (std::size_t i = 0; i < 3;
         ++i)  // sums of a block are correct to some 100 bits, the solution to the rounding of 3 x 3 steps
        CHECK(online.model().stage<1>().coefficients()[i] == Approx(whole.stage<1>().coefficients()[i]).epsilon(1e-13));
}

TEST_CASE("what an online fit cannot do it says", "[pipeline][online]") {
    pt::LocalSession session;
    CHECK_THROWS_AS(Online().model(), pt::EmptyDataset);
    CHECK_THROWS_AS(Online(Regression{.l2 = -1}), pt::InvalidSetting);

    using Missing = pt::Schema<pt::Column<"x", float>>;
    std::vector<float> values(100, 1.0f);
    pt::ColumnData column;
    column.type = pt::column_type<float>;
    column.rows = values.size();
    column.values = pt::Buffer::copy_of(values);
    const auto data = pt::as_train(pt::detail::make_dataset<Missing>(
        session, {std::make_shared<const pt::Chunk>(0, values.size(), std::vector<pt::ColumnData>{column})}));
    pt::OnlineFit<pt::Impute<"x">, Missing> median(pt::Impute<"x">{.strategy = pt::Imputation::median});
    median.partial_fit(data);
    CHECK_THROWS_AS(median.model(), pt::InvalidSetting);
    pt::OnlineFit<pt::Impute<"x">, Missing> mean(pt::Impute<"x">{.strategy = pt::Imputation::mean});
    mean.partial_fit(data);
    CHECK(mean.model().rows() == 100);
}

TEST_CASE("a batch that throws leaves nothing behind", "[pipeline][online]") {
    pt::LocalSession session;
    const Table good = draw(500, 5);
    Table bad = draw(500, 6);
    bad.x[3 * 400 + 1] = std::numeric_limits<float>::quiet_NaN();
    Online online;
    online.partial_fit(train(session, good));
    const std::string before = pt::to_bytes(online.model());
    CHECK_THROWS_AS(online.partial_fit(train(session, bad)), pt::NonFiniteValue);
    CHECK(pt::to_bytes(online.model()) == before);

    // A file of another width, say; also where another one holds it.
    Online wider;
    const auto wide = pt::as_train(pt::dataset(session, pt::MatrixView<const float>(good.x.data(), 300, 4),
                                               std::span<const float>(good.y.data(), 300)));
    CHECK_THROWS_AS(online.partial_fit(wide), pt::WrongWidth);
    wider.partial_fit(wide);
    CHECK_THROWS_AS(online.merge(wider), pt::WrongWidth);
    CHECK(online.rows() == 500);
    CHECK(pt::to_bytes(online.model()) == before);
}

}  // namespace online_fit_test
