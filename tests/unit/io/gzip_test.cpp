// SPDX-License-Identifier: Apache-2.0
#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>
#include <partita/io/csv.hpp>

#include <cstdio>
#include <string>

namespace gzip_test {

namespace pt = partita;

namespace {

struct Line {
    int number;
    pt::Text word;
};
BOOST_DESCRIBE_STRUCT(Line, (), (number, word))

void write_file(const char* path, const std::string& bytes) {
    std::FILE* file = std::fopen(path, "wb");
    REQUIRE(file != nullptr);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
}

}  // namespace

#ifdef PARTITA_HAS_GZIP

namespace {

std::string gzip(const std::string& text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string result(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

}  // namespace

TEST_CASE("compressed files are read, and damaged ones refused", "[csv][gzip]") {
    pt::LocalSession session({.threads = 2});
    std::string text = "number,word\n";
    for (int row = 0; row < 300000; ++row) text += std::to_string(row) + ",word\n";  // more than the first buffer holds
    const std::string half = text.substr(0, text.size() / 2), rest = text.substr(text.size() / 2);
    const std::string whole = gzip(text);
    const auto count = [&](const std::string& bytes) {
        write_file("csv_gzip.csv.gz", bytes);
        return pt::read_csv<Line>(session, "csv_gzip.csv.gz").count();
    };
    CHECK(count(whole) == 300000);
    CHECK(count(gzip(half) + gzip(rest)) == 300000);         // two members
    CHECK(count(whole + std::string(512, '\0')) == 300000);  // padded
    CHECK(count(gzip("number,word\n")) == 0);
    for (std::size_t size : {std::size_t{0}, std::size_t{5}, whole.size() / 2, whole.size() - 1})
        CHECK_THROWS_AS(count(whole.substr(0, size)), pt::BadCompression);
    CHECK_THROWS_AS(count(gzip(half) + gzip(rest).substr(0, 40)), pt::BadCompression);
    CHECK_THROWS_AS(count(whole + "x"), pt::BadCompression);
    CHECK_THROWS_AS(count("number,word\n1,plain text\n"), pt::BadCompression);
    std::string damaged = whole;
    damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // of the checksum
    CHECK_THROWS_AS(count(damaged), pt::BadCompression);
    std::remove("csv_gzip.csv.gz");
}

#else

TEST_CASE("compressed files need the component partita::gzip", "[csv][gzip]") {
    pt::LocalSession session({.threads = 1});
    write_file("csv_gzip.csv.gz", "anything");
    try {
        pt::read_csv<Line>(session, "csv_gzip.csv.gz");
        FAIL("no error");
    } catch (const pt::MissingComponent& error) {
        CHECK(std::string(error.what()).find("partita::gzip") != std::string::npos);
    }
    std::remove("csv_gzip.csv.gz");
}

#endif

}  // namespace gzip_test
