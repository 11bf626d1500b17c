// SPDX-License-Identifier: Apache-2.0
#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>
#include <partita/comm/run.hpp>
#include <partita/io/csv.hpp>

#include "slow_csv.hpp"

#include <atomic>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace csv_parallel_test {

namespace pt = partita;

namespace {

struct Item {
    std::int32_t number;
    std::optional<double> weight;
    std::optional<pt::Category> kind;
    pt::Text note;
};
BOOST_DESCRIBE_STRUCT(Item, (), (number, weight, kind, note))

/// 3 blocks and a bit, with line ends inside quotes everywhere; every `break_every`-th record is bad.
std::string many_items(std::size_t break_every = 0) {
    std::mt19937_64 random(11);
    std::string text = "note,number,weight,kind\n";
    for (std::size_t row = 0; row < 13000; ++row) {
        if (break_every != 0 && row % break_every == break_every - 1) {
            const char* bad[] = {"x,y,1,z\n", "1,2,3\n", "a\"b,1,2,c\n", "\"a\n\"b,1,2,c\n", "\"open,1,2,c\n"};
            text += bad[random() % 5];
            continue;
        }
        text += random() % 3 == 0 ? "\"a,\n\"\"b\"\"\n" + std::to_string(row) + "\"" : "plain";
        text += "," + std::to_string(row) + (random() % 7 == 0 ? "," : "," + std::to_string(random() % 1000) + ".25");
        text += ",kind " + std::to_string(random() % 50) + "\n";
    }
    return text;
}

std::string everything(pt::Session& session, const std::string& text, pt::CsvSettings settings) {
    pt::CsvReport report;
    settings.report = &report;
    const auto dataset = pt::read_csv_text<Item>(session, text, settings);
    return slow_csv::print(dataset.state().chunks, pt::columns_of<Item>, report);
}

}  // namespace

TEST_CASE("rows do not depend on threads, chunks or ranges", "[csv]") {
    for (std::size_t break_every : std::initializer_list<std::size_t>{0, 1000, 7}) {
        const std::string text = many_items(break_every);
        pt::CsvSettings settings{.on_bad_record = pt::BadRecords::skip, .bad_record_limit = 5};
        const std::string expected = slow_csv::read(text, pt::columns_of<Item>, settings);
        for (std::size_t threads : std::initializer_list<std::size_t>{1, 2, 3, 8}) {
            pt::LocalSession session({.threads = threads});
            for (std::size_t chunk_blocks : std::initializer_list<std::size_t>{1, 2, 16}) {
                settings.chunk_blocks = chunk_blocks;
                settings.range_bytes = 1000 * threads + 7 * chunk_blocks;
                REQUIRE(everything(session, text, settings) == expected);
            }
        }
    }
}

TEST_CASE("the first error in file order wins", "[csv]") {
    std::string text = many_items();
    text += "late,x,1,a\n\"unclosed,1,1,a\n";
    const std::size_t early = text.find("plain,", text.size() / 2);
    text.replace(early, 6, "\"pl\"in,");
    const std::string expected = slow_csv::read(text, pt::columns_of<Item>, {});
    REQUIRE(expected.starts_with("bad_quote"));
    for (std::size_t threads : std::initializer_list<std::size_t>{1, 2, 3, 8}) {
        for (std::size_t chunk_blocks : std::initializer_list<std::size_t>{1, 16}) {
            pt::LocalSession session({.threads = threads});
            try {
                everything(session, text, {.chunk_blocks = chunk_blocks, .range_bytes = 5000});
                FAIL("no error");
            } catch (const pt::Error& error) {
                CHECK(slow_csv::print(error) == expected);
            }
        }
    }
}

TEST_CASE("the largest number stands for no limit", "[csv]") {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    pt::LocalSession session({.threads = 2});
    const std::string text = many_items(1000);
    const pt::BadRecords collect = pt::BadRecords::collect;
    CHECK(everything(session, text,
                     {.on_bad_record = collect,
                      .bad_record_limit = most,
                      .chunk_blocks = most,
                      .max_field_bytes = most,
                      .range_bytes = most}) ==
          everything(session, text, {.on_bad_record = collect, .bad_record_limit = 1000}));
}

TEST_CASE("each worker holds its share of whole blocks, and all agree on errors and on the report", "[csv]") {
    for (std::size_t break_every : std::initializer_list<std::size_t>{0, 1000}) {
        const std::string text = many_items(break_every);
        const std::string expected =
            slow_csv::read(text, pt::columns_of<Item>, {.on_bad_record = pt::BadRecords::skip, .bad_record_limit = 5});
        for (std::size_t workers : std::initializer_list<std::size_t>{1, 2, 3, 5}) {
            std::vector<std::string> parts(workers);
            pt::CsvReport report;
            pt::run<pt::TreeAggregate<>>({.threads = 1, .workers = workers}, [&](pt::Session& session) {
                const auto dataset = pt::read_csv_text<Item>(session, text,
                                                             {.on_bad_record = pt::BadRecords::skip,
                                                              .bad_record_limit = 5,
                                                              .report = &report,
                                                              .range_bytes = 3000});
                const auto& chunks = dataset.state().chunks;
                const pt::Share share = pt::share_of(4, session.rank(), session.size());
                for (const auto& chunk : chunks)
                    for (std::size_t block = 0; block < chunk->block_count(); ++block)
                        if (static_cast<std::size_t>(chunk->block_id(block)) - share.first >= share.count)
                            throw pt::InvalidSetting("not its share");
                parts[session.rank()] = slow_csv::print(chunks, pt::columns_of<Item>, {});
            });
            std::string all;
            for (const std::string& part : parts) all += part.substr(0, part.find("rows "));
            REQUIRE(all + slow_csv::print({}, pt::columns_of<Item>, report) == expected);
        }
    }
    pt::run<pt::TreeAggregate<>>(
        {.threads = 1, .workers = 3}, [&](pt::Session& session) {  // a report of each worker's own
            pt::CsvReport report;
            pt::read_csv_text<Item>(session, many_items(1000),
                                    {.on_bad_record = pt::BadRecords::skip, .report = &report});
            if (report.rows == 0 || report.bad_records == 0 ||
                report.first_bad.size() != static_cast<std::size_t>(report.bad_records))
                throw pt::InvalidSetting("an empty report");
        });
    const std::string text = many_items() + "late,x,1,a\n";
    std::mutex mutex;
    std::vector<std::string> errors;
    CHECK_THROWS_AS(pt::run<pt::TreeAggregate<>>({.threads = 1, .workers = 3},
                                                 [&](pt::Session& session) {
                                                     try {
                                                         pt::read_csv_text<Item>(session, text, {});
                                                     } catch (const pt::Error& error) {
                                                         const std::lock_guard lock(mutex);
                                                         errors.push_back(slow_csv::print(error));
                                                         throw;
                                                     }
                                                 }),
                    pt::BadValue);
    CHECK(errors == std::vector<std::string>(3, slow_csv::read(text, pt::columns_of<Item>, {})));
}

TEST_CASE("all workers refuse a file that one of them sees otherwise", "[csv]") {
    const std::string text = many_items();
    std::atomic<int> refused = 0;
    CHECK_THROWS_WITH(pt::run<pt::TreeAggregate<>>({.threads = 1, .workers = 3},
                                                   [&](pt::Session& session) {
                                                       try {
                                                           pt::read_csv_text<Item>(
                                                               session, session.rank() == 1 ? text + text : text, {});
                                                       } catch (const pt::CollectiveMismatch&) {
                                                           ++refused;
                                                           throw;
                                                       }
                                                   }),
                      Catch::Contains("bytes of records and process 1 sees"));
    CHECK(refused == 3);
}

TEST_CASE("several files are one table, each with its own header", "[csv]") {
    const auto write = [](const char* path, const std::string& text) {
        std::FILE* file = std::fopen(path, "wb");
        REQUIRE(file != nullptr);
        std::fwrite(text.data(), 1, text.size(), file);
        std::fclose(file);
    };
    std::string first = "number,weight,kind,note\n", second = "note,kind,weight,number\n";
    for (int row = 0; row < 5000; ++row) first += std::to_string(row) + ",1,a,n\n";
    for (int row = 5000; row < 9000; ++row) second += "n,b,2," + std::to_string(row) + "\n";
    write("csv_first.csv", first);
    write("csv_second.csv", second);
    write("csv_bad.csv", "note,kind,weight,number\nn,b,2,1\nn,b,2,one\n");
    pt::LocalSession session({.threads = 3});
    const auto dataset =
        pt::read_csv<Item>(session, std::vector<std::string>{"csv_first.csv", "csv_second.csv"}, {.chunk_blocks = 1});
    CHECK(dataset.count() == 9000);
    std::int64_t next = 0;
    for (const auto& chunk : dataset.state().chunks)
        for (std::size_t row = 0; row < chunk->rows(); ++row, ++next) {
            REQUIRE(chunk->row_id(row) == next);
            REQUIRE(chunk->column(0).values.as<std::int32_t>()[row] == next);
            REQUIRE(pt::view_of<pt::Category>(chunk->column(2).all())[row] == (next < 5000 ? "a" : "b"));
        }
    try {
        pt::read_csv<Item>(session, std::vector<std::string>{"csv_first.csv", "csv_bad.csv"});
        FAIL("no error");
    } catch (const pt::BadValue& error) {
        CHECK(error.place().file == "csv_bad.csv");
        CHECK(error.place().line == 3);
        CHECK(error.place().row == 5001);
    }
    CHECK_THROWS_AS(pt::read_csv<Item>(session, "csv_that_is_not_there.csv"), pt::FileError);
    CHECK_THROWS_AS(pt::read_csv<Item>(session, PARTITA_SOURCE_DIR "/cmake"), pt::FileError);  // no table in it
    for (const char* path : {"csv_first.csv", "csv_second.csv", "csv_bad.csv"}) std::remove(path);
}

}  // namespace csv_parallel_test
