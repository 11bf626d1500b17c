// SPDX-License-Identifier: Apache-2.0
#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>
#include <partita/io/csv.hpp>

#include "slow_csv.hpp"

#include <cstdio>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace csv_test {

namespace pt = partita;

namespace {

struct Trip {
    pt::Timestamp pickup;
    float distance;
    pt::Category zone;
    std::optional<float> passengers;
    std::optional<std::int32_t> stops;
    pt::Text note;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (pickup, distance, zone, passengers, stops, note))

struct Word {
    std::optional<pt::Text> word;
};
BOOST_DESCRIBE_STRUCT(Word, (), (word))

struct Wide {
    int label;
    pt::Vector<float, 2> x;
    pt::Vector<double> y;
};
BOOST_DESCRIBE_STRUCT(Wide, (), (label, x, y))

static_assert(pt::detail::can_be_member(pt::column_type<std::optional<pt::Timestamp>>));
static_assert(pt::detail::can_be_member(pt::column_type<pt::Vector<float>>));
static_assert(!pt::detail::can_be_member(pt::column_type<std::optional<pt::Vector<float, 2>>>));
static_assert(!pt::detail::can_be_member(pt::column_type<pt::SparseVector<float>>));
static_assert(!pt::detail::can_be_member(pt::column_type<pt::OneHot>));

/// The rows as text: id|<value><value>, <> for a missing one; then the counts and the records left out.
template <class Row>
std::string rows(std::string_view text, pt::CsvSettings settings = {}, std::size_t threads = 2) {
    pt::LocalSession session({.threads = threads});
    pt::CsvReport report;
    settings.report = &report;
    const auto dataset = pt::read_csv_text<Row>(session, text, settings);
    return slow_csv::print(dataset.state().chunks, pt::columns_of<Row>, report);
}

template <class Row, class Error>
Error error_of(std::string_view text, const pt::CsvSettings& settings = {}) {
    pt::LocalSession session({.threads = 2});
    try {
        pt::read_csv_text<Row>(session, text, settings);
    } catch (const Error& error) {
        return error;
    }
    FAIL("no such error");
    return Error("");
}

const std::string header = "pickup,distance,zone,passengers,stops,note\n";

}  // namespace

TEST_CASE("quotes, line ends and byte order marks follow RFC 4180", "[csv]") {
    CHECK(rows<Word>("word\na\nb\n") == "0|<a>\n1|<b>\nrows 2 bad 0\n");
    CHECK(rows<Word>("word\na\nb") == "0|<a>\n1|<b>\nrows 2 bad 0\n");
    CHECK(rows<Word>("word\r\na\r\nb\r\n") == "0|<a>\n1|<b>\nrows 2 bad 0\n");
    CHECK(rows<Word>("\xEF\xBB\xBFword\r\na") == "0|<a>\nrows 1 bad 0\n");
    CHECK(rows<Word>("word\n\"a,b\"\n\"say \"\"so\"\"\"\n\"two\r\nlines\"\r\n\"\"\"\"") ==
          "0|<a,b>\n1|<say \"so\">\n2|<two\r\nlines>\n3|<\">\nrows 4 bad 0\n");
    CHECK(rows<Word>("\"word\"\n a \n") == "0|< a >\nrows 1 bad 0\n");
    CHECK(rows<Word>(" word ,other\na,b\n") == "0|<a>\nrows 1 bad 0\n");
    CHECK(rows<Word>("other;word\n1;'it''s'\n", {.delimiter = ';', .quote = '\''}) == "0|<it's>\nrows 1 bad 0\n");
    CHECK(rows<Word>("word\na\"b\n", {.quote = '\0'}) == "0|<a\"b>\nrows 1 bad 0\n");
    CHECK(rows<Word>(std::string_view("word\na\0b\n", 9)) == std::string("0|<a") + '\0' + "b>\nrows 1 bad 0\n");
    CHECK(rows<Word>("word\n") == "rows 0 bad 0\n");
    CHECK(rows<Word>("word") == "rows 0 bad 0\n");
}

TEST_CASE("an empty line is a missing value in a file of one column, and no record at the end of others", "[csv]") {
    CHECK(rows<Word>("word\n\na\n\n") == "0|<>\n1|<a>\n2|<>\nrows 3 bad 0\n");
    CHECK(rows<Word>("word,n\na,1\n\n\r\n\n") == "0|<a>\nrows 1 bad 0\n");
    CHECK(error_of<Word, pt::WrongColumnCount>("word,n\na,1\n\nb,2\n").place().line == 3);
}

TEST_CASE("columns are matched by name in any order, and others are passed over", "[csv]") {
    CHECK(rows<Trip>("note,unused,stops,passengers,zone,distance,pickup\nn,\"x,y\",3,2,JFK,1.5,1970-01-02\n") ==
          "0|<86400000000><1069547520><JFK><1073741824><3><n>\nrows 1 bad 0\n");
    CHECK(rows<Word>("w\na\n", {.columns = {{"word", {"w"}}}}) == "0|<a>\nrows 1 bad 0\n");
    CHECK(rows<Word>("a,b\n", {.column_names = {"other", "word"}}) == "0|<b>\nrows 1 bad 0\n");

    pt::LocalSession session({.threads = 1});
    const auto wide = pt::read_csv_text<Wide>(session, "y_1,x_1,label,y_2,x_0,y_0\n1,2,3,4,5,6\n7,8,9,10,11,12\n");
    const pt::Chunk& chunk = *wide.state().chunks[0];
    CHECK(chunk.column(1).width == 2);
    CHECK(chunk.column(2).width == 3);
    const float* x = chunk.column(1).values.as<float>();
    const double* y = chunk.column(2).values.as<double>();
    CHECK((x[0] == 5 && x[1] == 2 && x[2] == 11 && x[3] == 8));
    CHECK((y[0] == 6 && y[1] == 1 && y[2] == 4 && y[3] == 12 && y[4] == 7 && y[5] == 10));
    CHECK_THROWS_AS((pt::read_csv_text<Wide>(session, "label,x_0,x_1,y_0\n1,2,,4\n")), pt::BadValue);
}

TEST_CASE("header columns that are missing or twice there are refused by name", "[csv]") {
    const auto missing = error_of<Trip, pt::MissingHeaderColumn>("pickup,distanse,zone,passengers,stops,note\n");
    CHECK(missing.place().column == "distance");
    CHECK(missing.place().line == 1);
    CHECK(std::string(missing.what()).find("did you mean \"distanse\"?") != std::string::npos);
    CHECK(std::string(error_of<Word, pt::MissingHeaderColumn>("a;b;c\n").what()).find("delimiter") !=
          std::string::npos);
    CHECK(error_of<Word, pt::MissingHeaderColumn>("").place().file == "text");
    CHECK(error_of<Word, pt::DuplicateHeaderColumn>("word,word\n").place().column == "word");
    CHECK(rows<Word>("word,x,x\na,1,2\n") == "0|<a>\nrows 1 bad 0\n");  // nobody asks for x
    CHECK(error_of<Word, pt::BadQuote>("wo\"rd\n").place().line == 1);
}

TEST_CASE("a bad record is named by file, line, position and column", "[csv]") {
    const auto value =
        error_of<Trip, pt::BadValue>(header + "2024-01-01,1,a,,,\"x\ny\"\n2024-01-02,far,b,,,\n2024-01-02,x,b,,,\n");
    CHECK(value.place().file == "text");
    CHECK(value.place().line == 4);
    CHECK(value.place().position == 12);
    CHECK(value.place().column == "distance");
    CHECK(value.place().row == 1);
    CHECK(std::string(value.what()).find("text:4:12: column \"distance\": \"far\" is no float") == 0);

    const auto count = error_of<Trip, pt::WrongColumnCount>(header + "2024-01-01,1,a,,,\n2024-01-02,1,b,\n");
    CHECK(count.place().line == 3);
    CHECK(std::string(count.what()).find("the record has 4 fields, but the file has 6 columns") != std::string::npos);

    CHECK(error_of<Trip, pt::BadQuote>(header + "2024-01-01,1,a,,,it\"s\n").place().position == 20);
    CHECK(error_of<Trip, pt::BadQuote>(header + "2024-01-01,1,\"a\"b,,,\n").place().position == 17);
    CHECK(error_of<Trip, pt::BadQuote>(header + "2024-01-01,1,\"a,,,\n2024-01-01,1,a,,,\n").place().line == 2);
    CHECK(error_of<Trip, pt::BadValue>(header + "2024-01-01,,a,,,\n").place().column == "distance");
    CHECK(std::string(error_of<Trip, pt::BadValue>(header + "2024-01-01,NaN,a,,,\n").what()).find("missing") !=
          std::string::npos);
    CHECK(error_of<Trip, pt::BadValue>(header + "2024-01-01,1e39,a,,,\n").place().column == "distance");
    CHECK(error_of<Trip, pt::BadValue>(header + "2024-01-01,1,a,,2147483648,\n").place().column == "stops");
    CHECK(error_of<Trip, pt::BadValue>(header + "2023-02-29,1,a,,,\n").place().column == "pickup");
    CHECK(error_of<Word, pt::BadValue>("word\nlonger than that\n", {.max_field_bytes = 8}).place().line == 2);
}

TEST_CASE("settings are refused by name", "[csv]") {
    CHECK(error_of<Word, pt::InvalidSetting>("word\n", {.delimiter = '\n'}).place().setting == "delimiter");
    CHECK(error_of<Word, pt::InvalidSetting>("word\n", {.delimiter = '"'}).place().setting == "delimiter");
    CHECK(error_of<Word, pt::InvalidSetting>("word\n", {.on_bad_record = static_cast<pt::BadRecords>(3)})
              .place()
              .setting == "on_bad_record");
    CHECK(error_of<Word, pt::InvalidSetting>("word\n", {.chunk_blocks = 0}).place().setting == "chunk_blocks");
    CHECK(error_of<Word, pt::InvalidSetting>("word\n", {.columns = {{"wrod", {"word"}}}}).place().column == "wrod");
    CHECK(error_of<Wide, pt::InvalidSetting>("label,word\n", {.columns = {{"x", {"word"}}}}).place().setting ==
          "columns");
}

TEST_CASE("records that are left out are counted and listed, and their ids stay free", "[csv]") {
    const std::string text = "n,word\n1,a\nx\n\"2,b\n3,c\n4,\"d\"e\n5,f\n";
    const std::string listed =
        "0|<a>\n3|<c>\n5|<f>\nrows 3 bad 3\n1 wrong_column_count 3:1\n2 bad_quote 6:4\n4 bad_quote 6:6\n";
    for (std::size_t range : std::initializer_list<std::size_t>{1, 2, 5, 16, 1000}) {
        CHECK(rows<Word>(text, {.on_bad_record = pt::BadRecords::skip, .range_bytes = range}) == listed);
        CHECK(
            rows<Word>(text, {.on_bad_record = pt::BadRecords::collect, .bad_record_limit = 3, .range_bytes = range}) ==
            listed);
    }
    const auto many =
        error_of<Word, pt::TooManyBadRecords>(text, {.on_bad_record = pt::BadRecords::collect, .bad_record_limit = 2});
    for (const char* place : {"text:3:1", "text:6:4", "begins in line 4", "text:6:6"})
        CHECK(std::string(many.what()).find(place) != std::string::npos);
    CHECK(rows<Word>(text, {.on_bad_record = pt::BadRecords::skip, .bad_record_limit = 1}) ==
          "0|<a>\n3|<c>\n5|<f>\nrows 3 bad 3\n1 wrong_column_count 3:1\n");
}

TEST_CASE("missing values are what the settings say, and in texts only without quotes", "[csv]") {
    CHECK(rows<Word>("word\nNA\n\"NA\"\n\"\"\nnone\n") == "0|<>\n1|<NA>\n2|<>\n3|<none>\nrows 4 bad 0\n");
    CHECK(rows<Word>("word\nNA\nnone\n", {.missing = {"none"}}) == "0|<NA>\n1|<>\nrows 2 bad 0\n");
    pt::LocalSession session({.threads = 1});
    const auto words = pt::read_csv_text<Word>(session, "word\n\"\"\n\n");
    const auto slice = words.state().chunks[0]->column(0).all();
    CHECK(slice.valid(0));
    CHECK(!slice.valid(1));
    // A number or a time can stand for a missing value, too.
    CHECK(rows<Trip>(header + "2024-01-01 00:00:00,1,a,-999,999,n\n", {.missing = {"-999", "999"}}) ==
          "0|<1704067200000000><1065353216><a><><><n>\nrows 1 bad 0\n");
    CHECK(rows<Trip>(header + "2024-01-01 00:00:00,1,a,999,0,n\n", {.missing = {"-999", "0"}}) ==
          "0|<1704067200000000><1065353216><a><1148829696><><n>\nrows 1 bad 0\n");
    const std::string times = "2024-01-01 00:00:00,1,a,,,n\n2024-01-01 00:00:01,1,a,,,n\n";
    CHECK(error_of<Trip, pt::BadValue>(header + times, {.missing = {"", "2024-01-01 00:00:01"}}).place().row == 1);
}

TEST_CASE("times of one day are read alike, whatever form the first had", "[csv]") {
    const auto microseconds = [](const std::string& time) {
        pt::LocalSession session({.threads = 1});
        const std::string text = header + "2024-02-29,1,a,,,n\n2024-02-29" + time + ",1,a,,,n\n";
        const auto trips = pt::read_csv_text<Trip>(session, text);
        const auto* values = trips.state().chunks[0]->column(0).values.as<std::int64_t>();
        return values[1] - values[0];
    };
    for (const std::int64_t second : {0, 1, 59, 60, 3599, 3600, 35999, 36000, 43200, 86399}) {
        char time[16];
        std::snprintf(time, sizeof time, "%02d:%02d:%02d", static_cast<int>(second / 3600),
                      static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
        CHECK(microseconds(std::string(" ") + time) == second * 1'000'000);
        CHECK(microseconds(std::string("T") + time) == second * 1'000'000);
        CHECK(microseconds(std::string("T") + time + ".25Z") == second * 1'000'000 + 250'000);
    }
    for (const char* wrong : {"x00:00:00", " 24:00:00", " 00:60:00", " 00:00:60", " 0a:00:00", " 00-00:00", " 00:00.00",
                              " 00:00:0:", " 00:00:0/", "T00:00: 0", " 99:99:99"})
        CHECK(error_of<Trip, pt::BadValue>(header + "2024-02-29,1,a,,,n\n2024-02-29" + wrong + ",1,a,,,n\n")
                  .place()
                  .row == 1);
}

TEST_CASE("categories are told apart by all their bytes", "[csv]") {
    std::string text = header;
    std::vector<std::string> words;
    for (const std::string end : {"", "x", "xyz"})
        for (const std::string word :
             {"", "0", "00", "a", "b", "aaaaaaa", "aaaaaaaa", "baaaaaaa", "aaaaaaab", "aaaaaaaaa", "aaaaaaaaaaaaaaaa",
              "aaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaabaaaaaaaaaaa"})
            words.push_back(word + end);
    words.push_back(std::string(1, '\0'));
    words.push_back(std::string("a\0", 2));
    for (int i = 0; i < 1000; ++i) words.push_back(std::to_string(i * 7919 % 1000));
    const std::vector<std::string> again = words;
    words.insert(words.end(), again.begin(), again.end());
    for (const std::string& word : words) text += "2024-01-01,1," + word + ",,,n\n";
    pt::LocalSession session({.threads = 1});
    const auto trips = pt::read_csv_text<Trip>(session, text).select<"zone">().collect();
    const auto zones = trips.column<"zone">();
    bool same = true;
    for (std::size_t row = 0; row < words.size(); ++row) same = same && zones[row] == words[row];
    CHECK(same);
    const std::set<std::string> distinct(words.begin(), words.end());
    CHECK(zones.dictionary().size() == distinct.size());
}

}  // namespace csv_test
