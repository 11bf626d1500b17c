// SPDX-License-Identifier: Apache-2.0
#include "sales.hpp"

#include <partita/data/rename.hpp>
#include <partita/math/count.hpp>
#include <partita/math/exact_sum.hpp>

#include <catch2/catch.hpp>

namespace dataset_test {

namespace pt = partita;
using namespace sales;

namespace {

struct Takings {
    pt::Count rows;
    pt::ExactSum sum;
};
BOOST_DESCRIBE_STRUCT(Takings, (), (rows, sum))

template <class Data>
Takings takings(const Data& data) {
    return data.template aggregate<"price">(Takings{},
                                            [](Takings& state, std::span<const double> prices, pt::Weights weights) {
                                                state.rows.update(prices.size(), weights);
                                                for (double price : prices) state.sum.add(price);
                                            });
}

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t end) {
    std::vector<std::int64_t> result;
    for (; first < end; ++first) result.push_back(first);
    return result;
}

const auto odd = [](int pieces) { return pieces % 2 == 1; };

}  // namespace

// ---- types --------------------------------------------------------------------------------------------------------------
using Selected = decltype(std::declval<pt::Dataset<Sale>>().select<"price", "shop">());
static_assert(
    std::is_same_v<Selected::row_type, pt::Schema<pt::Column<"price", double>, pt::Column<"shop", pt::Category>>>);
static_assert(std::is_same_v<pt::Dataset<Sale>::role_type, pt::Unsplit>);
static_assert(std::is_same_v<decltype(std::declval<const pt::Frame<Sale>&>().column<"rebate">()),
                             pt::ColumnView<std::optional<float>>>);
template <class FrameType>
constexpr bool gives_a_column =
    requires(FrameType&& frame) { std::forward<FrameType>(frame).template column<"shop">(); };
static_assert(gives_a_column<pt::Frame<Sale>&> && !gives_a_column<pt::Frame<Sale>>, "a view may not outlive its frame");

TEST_CASE("rows from memory come back as they were", "[data][dataset]") {
    const auto rows = make(9'000);
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        return contents(pt::dataset(session, rows).repartition(chunk_blocks));
    });
    REQUIRE(results.size() == 1);
    std::string expected;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Sale& row = rows[i];
        expected += std::to_string(i) + " " + std::to_string(row.when.microseconds) + " " + std::string(row.shop.text) +
                    "|" + std::string(row.note.text) + "|" + (row.rebate ? std::to_string(*row.rebate) : "missing") +
                    " " + std::to_string(row.price) + " " + std::to_string(row.pieces) +
                    (row.online ? " yes " : " no ") + std::to_string(row.place[0]) + "\n";
    }
    CHECK((results[0] == expected));  // too long to print
}

TEST_CASE("rows of fewer blocks than workers leave workers without any", "[data][dataset]") {
    const auto rows = make(5'000);
    pt::run<pt::RingAllReduce<>>(quiet(1, 5), [&](pt::Session& session) {
        const auto data = pt::dataset(session, rows);
        const auto counted = data.count();
        const std::int64_t mine = pt::detail::local_rows(data.state());
        std::int64_t without = mine == 0 ? 1 : 0, all = mine;
        session.communicator().all_reduce(std::span(&without, 1));
        session.communicator().all_reduce(std::span(&all, 1));
        if (session.rank() != 0) return;
        CHECK(counted == 5'000);
        CHECK(all == 5'000);
        CHECK(without == 3);
    });
}

TEST_CASE("ids stay through filter, sample, select, materialize and repartition", "[data][dataset][ids]") {
    pt::LocalSession session(quiet());
    const auto rows = make(10'000);
    const auto data = pt::dataset(session, rows);
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (odd(rows[i].pieces)) kept.push_back(static_cast<std::int64_t>(i));
    const auto filtered = data.filter<"pieces">(odd);
    CHECK(ids(filtered) == kept);
    CHECK(ids(filtered.select<"price">()) == kept);
    CHECK(ids(filtered.materialize()) == kept);
    CHECK(ids(filtered.repartition(1)) == kept);
    CHECK(ids(filtered.materialize({.renumber = true})) == numbers(0, static_cast<std::int64_t>(kept.size())));
    CHECK(chunk_rows(filtered.repartition(1)).size() == 3);
    CHECK(filtered.repartition(1).state().chunks[1]->block_id(0) == 1);
    CHECK_THROWS_AS(filtered.repartition(0), pt::InvalidSetting);
    CHECK(chunk_rows(filtered.repartition(~std::size_t{0})).size() == 1);
    CHECK(ids(filtered.repartition(~std::size_t{0})) == kept);

    std::vector<std::int64_t> twice;
    for (std::int64_t id : ids(data.filter<"online">([](bool online) { return online; })))
        if (odd(rows[static_cast<std::size_t>(id)].pieces)) twice.push_back(id);
    CHECK(ids(filtered.filter<"online">([](bool online) { return online; })) == twice);

    // The values went along with their ids.
    const auto frame = filtered.collect();
    for (std::size_t row = 0; row < frame.rows(); row += 97)
        CHECK(frame.column<"price">()[row] == rows[static_cast<std::size_t>(frame.row_id(row))].price);
}

TEST_CASE("chunks that a filter leaves whole are shared, and others keep their values", "[data][dataset]") {
    pt::LocalSession session(quiet());
    const auto rows = make(20'000);
    const auto data = pt::dataset(session, rows).repartition(1);
    const auto later = data.filter<"when">([](pt::Timestamp when) { return when.microseconds >= 800'000'000; });
    CHECK(later.state().chunks.size() == 4);
    CHECK(later.state().chunks[1] == data.state().chunks[2]);
    const auto all = later.collect();
    REQUIRE(all.rows() == 20'000 - 8050);
    const auto odd_ones = later.filter<"pieces">(odd).collect();
    std::size_t checked = 0;
    for (const auto& frame : {all, odd_ones}) {
        const auto rebates = frame.column<"rebate">();
        for (std::size_t row = 0; row < frame.rows(); ++row) {
            const Sale& sale = rows[static_cast<std::size_t>(frame.row_id(row))];
            const bool same =
                frame.column<"shop">()[row] == sale.shop.text && frame.column<"note">()[row] == sale.note.text &&
                rebates.valid(row) == sale.rebate.has_value() &&
                (!sale.rebate || rebates.values()[row] == *sale.rebate) &&
                frame.column<"online">()[row] == sale.online && frame.column<"place">()[row][0] == sale.place[0];
            checked += same ? 1 : 0;
        }
    }
    CHECK(checked == all.rows() + odd_ones.rows());
}

TEST_CASE("borrowed memory is copied by what stores rows", "[data][dataset]") {
    pt::LocalSession session(quiet());
    std::vector<float> x(100, 1.0f);
    const std::vector<float> y(100, 2.0f);
    const auto data = pt::dataset(session, pt::MatrixView<const float>(x.data(), 100, 1), std::span<const float>(y));
    const auto stored = data.materialize();
    x[7] = 3.0f;
    const auto borrowed = data.collect(), copied = stored.collect();
    CHECK(borrowed.column<"features">()[7][0] == 3.0f);
    CHECK(copied.column<"features">()[7][0] == 1.0f);
}

TEST_CASE("renumbering moves rows to new blocks, the same ones everywhere", "[data][dataset][ids]") {
    const auto rows = make(30'000);
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        return contents(pt::dataset(session, rows)
                            .filter<"pieces">(odd)
                            .materialize({.renumber = true, .chunk_blocks = chunk_blocks}));
    });
    REQUIRE(results.size() == 1);
    pt::LocalSession session(quiet());
    const auto renumbered =
        pt::dataset(session, rows).filter<"pieces">(odd).materialize({.renumber = true, .chunk_blocks = 2});
    const auto sizes = chunk_rows(renumbered);
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) CHECK(sizes[i] == 8192);
}

TEST_CASE("repartition makes chunks of so many blocks of the grid", "[data][dataset]") {
    pt::LocalSession session(quiet());
    const auto rows = make(5 * 4096 + 17);
    const auto data = pt::dataset(session, rows);
    CHECK(chunk_rows(data) == std::vector<std::size_t>{5 * 4096 + 17});
    CHECK(chunk_rows(data.repartition(1)) == std::vector<std::size_t>{4096, 4096, 4096, 4096, 4096, 17});
    CHECK(chunk_rows(data.repartition(1).repartition(4)) == std::vector<std::size_t>{4 * 4096, 4096 + 17});
    CHECK((contents(data) == contents(data.repartition(3))));
}

TEST_CASE("concat starts its second operand at the next block border", "[data][dataset][ids]") {
    const auto rows = make(5'000);
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        const auto data = pt::dataset(session, rows).repartition(chunk_blocks);
        return contents(pt::concat(data, data.filter<"pieces">(odd)));
    });
    CHECK(results.size() == 1);

    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, rows);
    const auto joined = ids(pt::concat(data, data));
    auto expected = numbers(0, 5'000);
    for (std::int64_t id : numbers(8'192, 13'192)) expected.push_back(id);
    CHECK(joined == expected);
    const auto none = data.filter<"pieces">([](int) { return false; });
    CHECK(ids(pt::concat(none, data)) == numbers(0, 5'000));
    CHECK(ids(pt::concat(data, none)) == numbers(0, 5'000));
    CHECK(takings(pt::concat(data, data)).rows.rows() == 10'000);
    CHECK_THROWS_AS(pt::concat(data, data.weigh_by<"pieces">()), pt::InvalidSetting);
    CHECK_THROWS_WITH(pt::concat(data.weigh_by<"price">(), data.weigh_by<"pieces">()),
                      Catch::Contains("double") && Catch::Contains("int32"));
}

TEST_CASE("concat takes tables of the same columns that came from different ones", "[data][dataset]") {
    using Old = pt::Schema<pt::ComputedColumn<"amount", double, "net", "tax">, pt::Column<"pieces", int>>;
    using New = pt::Schema<pt::ComputedColumn<"price", double, "tax", "list">, pt::Column<"pieces", int>>;
    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, make(10)).select<"price", "pieces">();
    const pt::Dataset<New> now(std::make_shared<pt::DatasetState>(data.state()), data.slots());
    const pt::Dataset<Old> then(std::make_shared<pt::DatasetState>(data.state()), data.slots());
    const auto both = pt::concat(pt::rename<"amount", "price">(then), now);
    using Price = pt::ComputedColumn<"price", double, "net", "tax", "list">;
    STATIC_REQUIRE(std::is_same_v<decltype(both)::row_type,
                                  pt::Schema<pt::RenamedColumn<Price, "amount">, pt::Column<"pieces", int>>>);
    const auto frame = both.collect();
    REQUIRE(frame.rows() == 20);
    const auto prices = frame.column<"price">();
    CHECK(std::equal(prices.begin(), prices.begin() + 10, prices.begin() + 10));
    STATIC_REQUIRE(std::is_same_v<decltype(pt::concat(now, now)), pt::Dataset<New>>);
}

TEST_CASE("head gives the first rows of all workers", "[data][dataset]") {
    const auto rows = make(9'000);
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        const auto data = pt::dataset(session, rows).repartition(chunk_blocks).filter<"pieces">([](int pieces) {
            return pieces == 12;
        });
        std::string text;
        for (const std::size_t wanted : {0u, 3u, 10u, 400u, 100'000u}) {
            const auto frame = data.head(wanted);
            text += std::to_string(frame.rows()) + ":";
            for (std::size_t row = 0; row < frame.rows(); ++row) text += std::to_string(frame.row_id(row)) + ",";
        }
        return text;
    });
    REQUIRE(results.size() == 1);
    CHECK(results[0].substr(0, 17) == "0:3:12,25,38,10:1");
    CHECK(results[0].find("692:") != std::string::npos);
}

TEST_CASE("sums do not depend on threads, workers and chunks", "[data][dataset]") {
    const auto rows = make(40'000);
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        const auto all = takings(pt::dataset(session, rows).repartition(chunk_blocks).filter<"pieces">(odd));
        return std::to_string(all.rows.rows()) + " " + std::to_string(std::bit_cast<std::uint64_t>(all.sum.value()));
    });
    CHECK(results.size() == 1);
}

TEST_CASE("samples draw each row by its id and the seed", "[data][dataset]") {
    const auto rows = make(20'000);
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        return contents(pt::dataset(session, rows).repartition(chunk_blocks).sample({.fraction = 0.1, .seed = 3}));
    });
    CHECK(results.size() == 1);

    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, rows);
    const auto tenth = ids(data.sample({.fraction = 0.1, .seed = 3}));
    // 2000 expected, standard deviation 42: six of them.
    CHECK(std::abs(static_cast<double>(tenth.size()) - 2000) < 255);
    CHECK(ids(data.sample({.fraction = 0.1, .seed = 4})) != tenth);
    CHECK(data.sample({.fraction = 0}).count() == 0);
    CHECK(data.sample({.fraction = 1}).count() == 20'000);
    // A larger fraction of the same seed keeps what a smaller one has.
    const auto fifth = ids(data.sample({.fraction = 0.2, .seed = 3}));
    CHECK(std::includes(fifth.begin(), fifth.end(), tenth.begin(), tenth.end()));
    for (const double wrong : {-0.1, 1.5, std::nan("")})
        CHECK_THROWS_AS(data.sample({.fraction = wrong}), pt::InvalidSetting);
}

TEST_CASE("a dataset without rows", "[data][dataset]") {
    const std::vector<Sale> none;
    const auto results = distinct_results([&](pt::Session& session, std::size_t chunk_blocks) {
        const auto empty = pt::dataset(session, none);
        const auto emptied = pt::dataset(session, make(100)).filter<"pieces">([](int) { return false; });
        std::string text;
        for (const auto& data : {empty, emptied, empty.repartition(chunk_blocks), empty.materialize({.renumber = true}),
                                 pt::concat(empty, emptied)}) {
            text += std::to_string(data.count()) + std::to_string(data.head().rows()) +
                    std::to_string(data.collect().rows());
            const auto frame = data.collect();
            text += std::to_string(takings(data).rows.rows()) + contents(data) +
                    std::to_string(frame.column<"shop">().size());
        }
        return text;
    });
    CHECK(results == std::vector<std::string>{std::string(25, '0')});
}

TEST_CASE("an empty chunk between others changes nothing", "[data][dataset]") {
    pt::LocalSession session(quiet());
    const auto data = pt::dataset(session, make(9'000)).repartition(1);
    auto chunks = data.state().chunks;
    std::vector<pt::ColumnData> columns;
    for (std::size_t c = 0; c < chunks[0]->column_count(); ++c)
        columns.push_back(pt::ColumnBuilder(chunks[0]->column(c).type).finish());
    chunks.insert(chunks.begin() + 1, std::make_shared<const pt::Chunk>(4096, 0, std::move(columns)));
    const auto with = pt::detail::make_dataset<Sale>(session, chunks);
    CHECK((contents(with) == contents(data)));
    CHECK(with.count() == 9'000);
    CHECK(with.head(5'000).rows() == 5'000);
    CHECK((contents(with.repartition(2)) == contents(data)));
    CHECK((contents(with.filter<"pieces">(odd)) == contents(data.filter<"pieces">(odd))));
    CHECK(std::bit_cast<std::uint64_t>(takings(with).sum.value()) ==
          std::bit_cast<std::uint64_t>(takings(data).sum.value()));
}

TEST_CASE("an error of one worker's rows is thrown on all, with its row", "[data][dataset]") {
    const auto rows = make(30'000);
    for (const std::size_t workers : {1u, 2u, 5u}) {
        std::vector<std::string> lines(workers);
        pt::run<pt::TreeAggregate<>>(quiet(2, workers), [&](pt::Session& session) {
            try {
                pt::dataset(session, rows)
                    .aggregate<"pieces">(pt::Count{}, [](pt::Count&, std::span<const int> pieces, pt::Weights) {
                        for (std::size_t row = 0; row < pieces.size(); ++row)
                            if (pieces[row] == 12)
                                throw pt::NonFiniteValue("a dozen", pt::Place{.row = static_cast<std::int64_t>(row)});
                    });
            } catch (const pt::NonFiniteValue& error) {
                lines[session.rank()] =
                    std::to_string(error.place().row) + " " + std::to_string(error.place().block) + " " + error.what();
            }
        });
        for (const std::string& line : lines) CHECK(line == "12 0 a dozen (row 12)");
    }
}

}  // namespace dataset_test
