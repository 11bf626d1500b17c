// SPDX-License-Identifier: Apache-2.0

// What is wrong with a text is said by place and remedy, whatever the type of the column and however the text comes.

#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>
#include <partita/comm/run.hpp>
#include <partita/io/csv.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/stat.h>

namespace csv_bad_input_test {

namespace pt = partita;

namespace {

struct Integers {
    std::int8_t a;
    std::int16_t b;
    std::int32_t c;
    std::int64_t d;
    std::uint8_t e;
    std::uint16_t f;
    std::uint32_t g;
    std::uint64_t h;
    bool i;
    pt::Vector<double, 2> j;
};
BOOST_DESCRIBE_STRUCT(Integers, (), (a, b, c, d, e, f, g, h, i, j))

struct Widths {
    pt::Vector<float> y;
};
BOOST_DESCRIBE_STRUCT(Widths, (), (y))

struct Number {
    std::int64_t number;
};
BOOST_DESCRIBE_STRUCT(Number, (), (number))

struct MaybeNumber {
    std::optional<float> number;
};
BOOST_DESCRIBE_STRUCT(MaybeNumber, (), (number))

const std::string header = "a,b,c,d,e,f,g,h,i,j_0,j_1\n";
const std::string least = "-128,-32768,-2147483648,-9223372036854775808,0,0,0,0,false,0.5,-1\n";
const std::string most =
    "127,32767,2147483647,9223372036854775807,255,65535,4294967295,18446744073709551615,true,1e+300,2\n";

void write(const std::string& path, const std::string& bytes) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
    std::fclose(file);
}
std::string contents(const std::string& path) {
    std::string text;
    std::FILE* file = std::fopen(path.c_str(), "rb");
    REQUIRE(file != nullptr);
    for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
    std::fclose(file);
    return text;
}
bool has(const pt::Error& error, std::string_view part) {
    INFO(error.what());
    CHECK(std::string_view(error.what()).find(part) != std::string_view::npos);
    return true;
}

template <class Error, class Act>
Error error_of(const Act& act) {
    try {
        act();
    } catch (const Error& error) {
        return error;
    }
    FAIL("no such error");
    return Error("");
}

/// The error of a second record that has `value` in its field of that index, among good ones.
pt::BadValue bad_field(std::size_t field, const std::string& value) {
    std::string record = least;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < field; ++i) begin = record.find(',', begin) + 1;
    record.replace(begin, record.find_first_of(",\n", begin) - begin, value);
    pt::LocalSession session({.threads = 1});
    const auto error =
        error_of<pt::BadValue>([&] { pt::read_csv_text<Integers>(session, header + most + record + most); });
    CHECK(error.place().file == "text");
    CHECK(error.place().line == 3);
    CHECK(error.place().position == static_cast<std::int64_t>(begin) + 1);
    CHECK(error.place().row == 1);
    has(error, "text:3:" + std::to_string(begin + 1) + ": column \"" + error.place().column + "\": \"" + value + "\"");
    has(error, "; correct the file, or leave such records out with on_bad_record = BadRecords::skip");
    return error;
}

}  // namespace

TEST_CASE("integers of every width keep their limits, and what is beyond is out of range", "[csv]") {
    pt::LocalSession session({.threads = 1});
    const std::string text = header + least + most;
    pt::write_csv(pt::read_csv_text<Integers>(session, text), "csv_integers.csv");
    CHECK(contents("csv_integers.csv") == text);
    std::remove("csv_integers.csv");

    const char* beyond[] = {"128", "-32769", "2147483648", "9223372036854775808",
                            "256", "65536",  "4294967296", "18446744073709551616"};
    const char* names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (std::size_t field = 0; field < 8; ++field) {
        const auto error = bad_field(field, beyond[field]);
        CHECK(error.place().column == names[field]);
        has(error, " is out of the range of ");
        has(bad_field(field, "1.5"), " is no ");
        has(bad_field(field, " +-1"), " is no ");
    }
    for (std::size_t field = 4; field < 8; ++field) {
        has(bad_field(field, "-5"), " is out of the range of ");
        has(bad_field(field, " -5 "), " is out of the range of ");
        has(bad_field(field, "-x"), " is no ");
    }
    std::string zeros = least;
    zeros.replace(zeros.find(",0,0,0,0,"), 9, ",-0, -0 ,+0,-000,");
    const auto read = pt::read_csv_text<Integers>(session, header + zeros);
    CHECK(read.state().chunks[0]->column(4).values.as<std::uint8_t>()[0] == 0);
    CHECK(read.state().chunks[0]->column(5).values.as<std::uint16_t>()[0] == 0);
    CHECK(read.state().chunks[0]->column(7).values.as<std::uint64_t>()[0] == 0);
}

TEST_CASE("what is no bool and no number in a vector is refused", "[csv]") {
    for (const char* value : {"maybe", "2", "truest", "tru"}) CHECK(bad_field(8, value).place().column == "i");
    CHECK(bad_field(9, "one").place().column == "j");
    has(bad_field(10, "1e999"), " is out of the range of ");
}

TEST_CASE("a header without the column and without a near name is listed", "[csv]") {
    pt::LocalSession session({.threads = 1});
    const auto missing = [&](const std::string& text) {
        const auto error = error_of<pt::MissingHeaderColumn>([&] { pt::read_csv_text<Number>(session, text); });
        CHECK(error.place().column == "number");
        CHECK(error.place().file == "text");
        CHECK(error.place().line == 1);
        has(error, "the column in the file, or say which one it is in CsvSettings::columns");
        return error;
    };
    has(missing("x,yy\n1,2\n"), "it has \"x\", \"yy\". Rename");
    has(missing("\x01,\"" + std::string(50, 'z') + "\"\n"), "it has \"?\", \"" + std::string(40, 'z') + "…\". Rename");
    std::string many = "c0";
    for (int i = 1; i < 13; ++i) many += ",c" + std::to_string(i);
    has(missing(many + "\n"), "\"c10\", \"c11\", …. Rename");
}

TEST_CASE("files whose vectors differ in width are not one table", "[csv]") {
    write("csv_narrow.csv", "y_0,y_1\n1,2\n");
    write("csv_broad.csv", "y_0,y_1,y_2\n1,2,3\n");
    pt::LocalSession session({.threads = 2});
    const auto error = error_of<pt::WrongWidth>([&] {
        pt::read_csv<Widths>(session, std::vector<std::string>{"csv_narrow.csv", "csv_narrow.csv", "csv_broad.csv"});
    });
    CHECK(error.place().file == "csv_broad.csv");
    has(error,
        "csv_broad.csv: the header has another number of columns for a Vector member than csv_narrow.csv; "
        "read files of one shape together");
    std::remove("csv_narrow.csv");
    std::remove("csv_broad.csv");
}

TEST_CASE("the tables of a folder are one, in the order of their names' bytes", "[csv]") {
    const std::string folder = "csv_folder";
    ::mkdir(folder.c_str(), 0700);
    ::mkdir((folder + "/not a table.csv").c_str(), 0700);
    const std::vector<std::string> names = {"B.csv", "a.csv", "a2.csv"};
    for (std::size_t i : {2, 0, 1}) write(folder + "/" + names[i], "number\n" + std::to_string(i) + "\n");
    write(folder + "/c.csv.txt", "number\n3\n");
    pt::LocalSession session({.threads = 2});
    for (const std::string& path : {folder, folder + "/"}) {
        const auto numbers = pt::read_csv<Number>(session, path).collect();
        REQUIRE(numbers.rows() == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK(numbers.column<"number">()[i] == static_cast<std::int64_t>(i));
    }
    for (const std::string& name : names) std::remove((folder + "/" + name).c_str());
    has(error_of<pt::FileError>([&] { pt::read_csv<Number>(session, folder); }), "no file whose name ends in .csv");
    std::remove((folder + "/c.csv.txt").c_str());
    std::remove((folder + "/not a table.csv").c_str());
    std::remove(folder.c_str());
}

TEST_CASE("a pipe is read to its end", "[csv]") {
    std::string text = "number\n";
    for (int i = 0; i < 100000; ++i) text += std::to_string(i) + "\n";  // more than the first two buffers hold
    std::remove("csv_pipe");
    REQUIRE(::mkfifo("csv_pipe", 0600) == 0);
    std::jthread writer([&] { write("csv_pipe", text); });
    pt::LocalSession session({.threads = 2});
    const auto numbers = pt::read_csv<Number>(session, "csv_pipe");
    CHECK(numbers.count() == 100000);
    const pt::Chunk& last = *numbers.state().chunks.back();
    CHECK(last.column(0).values.as<std::int64_t>()[last.rows() - 1] == 99999);
    std::remove("csv_pipe");
}

TEST_CASE("quotes that mislead in several files cost no row of the others", "[csv]") {
    // The second file begins within a block, and records are found one by one in both.
    std::string first = "number\n", second = "number\n";
    for (int i = 0; i < 5000; ++i) first += i == 100 ? "\"1\n" : std::to_string(i) + "\n";
    for (int i = 5000; i < 15000; ++i) second += i == 9000 ? "\"1\n" : std::to_string(i) + "\n";
    write("csv_misled_1.csv", first);
    write("csv_misled_2.csv", second);
    pt::LocalSession session({.threads = 2});
    pt::CsvReport report;
    const auto numbers =
        pt::read_csv<Number>(session, std::vector<std::string>{"csv_misled_1.csv", "csv_misled_2.csv"},
                             {.on_bad_record = pt::BadRecords::skip, .report = &report, .chunk_blocks = 1});
    CHECK(report.rows == 14998);
    REQUIRE(report.first_bad.size() == 2);
    CHECK(report.first_bad[0].row == 100);
    CHECK(report.first_bad[1].row == 9000);
    CHECK(report.first_bad[1].file == "csv_misled_2.csv");
    CHECK(report.first_bad[1].line == 4002);
    std::int64_t rows = 0;
    for (const auto& chunk : numbers.state().chunks)
        for (std::size_t row = 0; row < chunk->rows(); ++row, ++rows)
            REQUIRE(chunk->column(0).values.as<std::int64_t>()[row] == chunk->row_id(row));
    CHECK(rows == 14998);
    std::remove("csv_misled_1.csv");
    std::remove("csv_misled_2.csv");
}

TEST_CASE("several workers write the file that one writes, and throw what worker 0 cannot write", "[csv][write]") {
    std::string text = "number\n";
    for (int i = 0; i < 13000; ++i) text += std::to_string(i) + "\n";
    int refused = 0;
    pt::run<pt::TreeAggregate<>>({.threads = 1, .workers = 3}, [&](pt::Session& session) {
        const auto numbers = pt::read_csv_text<Number>(session, text);
        pt::write_csv(numbers, "csv_workers.csv");
        try {
            pt::write_csv(numbers, "no such folder/x.csv");
        } catch (const pt::FileError& error) {
            if (session.primary()) refused += error.place().file == "no such folder/x.csv" ? 1 : 100;
        }
    });
    CHECK(contents("csv_workers.csv") == text);
    CHECK(refused == 1);
    std::remove("csv_workers.csv");
}

TEST_CASE("a member that is named twice, a gap in a vector and no paths are refused", "[csv]") {
    pt::LocalSession session({.threads = 1});
    const auto twice = error_of<pt::InvalidSetting>(
        [&] { pt::read_csv_text<Number>(session, "a,b\n1,2\n", {.columns = {{"number", {"a"}}, {"number", {"b"}}}}); });
    CHECK(twice.place().setting == "columns");
    CHECK(twice.place().column == "number");
    has(twice, "the member is named twice");

    const auto missing_element = [&](const std::string& names) {
        const auto error = error_of<pt::MissingHeaderColumn>(
            [&] { pt::read_csv_text<Widths>(session, names + "\n" + std::string(names.size() / 4, ',') + "\n"); });
        return error.place().column;
    };
    CHECK(missing_element("y_0,y_2") == "y_1");
    CHECK(missing_element("y_3,y_1,y_0") == "y_2");
    CHECK(missing_element("y_1") == "y_0");
    CHECK(missing_element("z") == "y_0");
    // What is no number of an element, in the form in which it would be looked for, is another column.
    const auto narrow = pt::read_csv_text<Widths>(session, "y_0,y_1,y_03,y_x,y_,y_-4,y_5_,yy_6\n1,2,,,,,,\n");
    CHECK(narrow.state().chunks[0]->column(0).width == 2);

    const auto none = error_of<pt::InvalidSetting>([&] { pt::read_csv<Number>(session, std::vector<std::string>{}); });
    CHECK(none.place().setting == "paths");
    has(error_of<pt::FileError>([&] { pt::read_csv<Number>(session, ""); }), "its path is empty");
}

TEST_CASE("lines that end with lone CRs are called so", "[csv]") {
    pt::LocalSession session({.threads = 1});
    for (const char* text : {"number\r1\r2\r", "a,number\r1,2", "\"a\",\"number\"\r1,2\r"}) {
        const std::string given = text;
        try {
            pt::read_csv_text<Number>(session, given);
            FAIL("read");
        } catch (const pt::TableError& error) {
            has(error, "the file ends its lines with lone CRs, so all of it is one line; convert the line ends to LF");
        }
    }
    CHECK(pt::read_csv_text<Number>(session, "number\r\n1\r\n2").count() == 2);
    CHECK(pt::read_csv_text<Number>(session, "number\r").count() == 0);
    const auto error = error_of<pt::MissingHeaderColumn>([&] { pt::read_csv_text<Number>(session, "a\r"); });
    CHECK(std::string_view(error.what()).find("lone") == std::string_view::npos);
}

TEST_CASE("a missing value's spelling may have a quote in it", "[csv]") {
    pt::LocalSession session({.threads = 1});
    pt::CsvReport report;
    const auto read = pt::read_csv_text<MaybeNumber>(session, "number\n1\n'don''t know'\n'2'\n",
                                                     {.quote = '\'', .missing = {"don't know"}, .report = &report});
    CHECK(report.rows == 3);
    const auto frame = read.collect();
    const auto numbers = frame.column<"number">();
    REQUIRE(numbers.size() == 3);
    CHECK(numbers.values()[0] == 1.0f);
    CHECK(!numbers.valid(1));
    CHECK(numbers.values()[2] == 2.0f);
}

TEST_CASE("what no table can be written with is refused", "[csv][write]") {
    pt::LocalSession session({.threads = 1});
    const auto data = pt::read_csv_text<MaybeNumber>(session, "number\n1\n");
    for (const char* missing : {"n,a", "n\"a", "n\na"})
        CHECK(error_of<pt::InvalidSetting>([&] { pt::write_csv(data, "csv_refused.csv", {.missing = missing}); })
                  .place()
                  .setting == "missing");
}

}  // namespace csv_bad_input_test
