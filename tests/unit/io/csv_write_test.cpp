// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>
#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>
#include <partita/io/csv.hpp>

#include <bit>
#include <cstdio>
#include <optional>
#include <string>

namespace csv_write_test {

namespace pt = partita;

namespace {

struct Record {
    std::optional<bool> flag;
    std::int8_t small;
    std::optional<std::uint64_t> large;
    float single;
    std::optional<double> wide;
    std::optional<pt::Timestamp> time;
    std::optional<pt::Category> kind;
    std::optional<pt::Text> note;
    pt::Vector<float, 2> point;
};
BOOST_DESCRIBE_STRUCT(Record, (), (flag, small, large, single, wide, time, kind, note, point))

std::string read_file(const char* path) {
    std::string text;
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return text;
    for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
    std::fclose(file);
    return text;
}

pt::ColumnData numbers(pt::ColumnType type, const std::vector<std::uint64_t>& bits, std::size_t width = 1) {
    pt::ColumnData column;
    const std::size_t bytes = pt::width_bytes(type.kind);
    column.type = type;
    column.rows = bits.size() / width;
    column.width = width == 1 ? 0 : width;
    column.values = pt::Buffer::allocate(bits.size() * bytes);
    for (std::size_t i = 0; i < bits.size(); ++i)
        std::memcpy(column.values.mutable_as<char>() + i * bytes, &bits[i], bytes);
    return column;
}

/// A random table, as a chunk.
std::shared_ptr<const pt::Chunk> random_rows() {
    const auto rows = *rc::gen::inRange<std::size_t>(0, 20);
    const auto bits = [&](std::size_t count, auto make) {
        std::vector<std::uint64_t> result;
        for (std::size_t i = 0; i < count; ++i) result.push_back(make());
        return result;
    };
    const auto any = [] { return *rc::gen::arbitrary<std::uint64_t>(); };
    const auto finite32 = [] {
        const auto value = *rc::gen::suchThat(rc::gen::arbitrary<std::uint32_t>(),
                                              [](std::uint32_t b) { return (b >> 23 & 0xFF) != 0xFF; });
        return std::uint64_t{value};
    };
    const auto finite64 = [] {
        return *rc::gen::suchThat(rc::gen::arbitrary<std::uint64_t>(),
                                  [](std::uint64_t b) { return (b >> 52 & 0x7FF) != 0x7FF; });
    };
    // Years 1 to 9999.
    const auto time = [] {
        return static_cast<std::uint64_t>(*rc::gen::inRange<std::int64_t>(-62135596800000000, 253402300800000000));
    };
    const auto texts = [&](pt::ColumnType type) {
        std::vector<std::string> values;
        for (std::size_t i = 0; i < rows; ++i)
            values.push_back(*rc::gen::weightedOneOf<std::string>(
                {{1, rc::gen::arbitrary<std::string>()},
                 {3, rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r', ' ', '1'))},
                 {1, rc::gen::element<std::string>("NA", "", "nan", "\xEF\xBB\xBFx")}}));
        pt::ColumnData column;
        column.type = type;
        column.rows = rows;
        if (type.kind == pt::Kind::category) {
            std::vector<std::string_view> words(values.begin(), values.end());
            std::vector<std::int32_t> codes;
            for (std::size_t i = 0; i < rows; ++i) codes.push_back(static_cast<std::int32_t>(i));
            column.values = pt::Buffer::copy_of(codes);
            column.dictionary = std::make_shared<const pt::Dictionary>(words);
        } else {
            std::vector<char> bytes;
            std::vector<std::int64_t> offsets{0};
            for (const std::string& value : values) {
                bytes.insert(bytes.end(), value.begin(), value.end());
                offsets.push_back(static_cast<std::int64_t>(bytes.size()));
            }
            column.values = pt::Buffer::copy_of(bytes);
            column.offsets = pt::Buffer::copy_of(offsets);
        }
        return column;
    };
    std::vector<pt::ColumnData> columns;
    for (const pt::ColumnInfo& info : pt::columns_of<Record>) {
        switch (info.type.kind) {
            case pt::Kind::boolean: columns.push_back(numbers(info.type, bits(rows, [&] { return any() & 1; }))); break;
            case pt::Kind::float32: columns.push_back(numbers(info.type, bits(rows, finite32))); break;
            case pt::Kind::float64: columns.push_back(numbers(info.type, bits(rows, finite64))); break;
            case pt::Kind::timestamp: columns.push_back(numbers(info.type, bits(rows, time))); break;
            case pt::Kind::vector_float32: columns.push_back(numbers(info.type, bits(rows * 2, finite32), 2)); break;
            case pt::Kind::text:
            case pt::Kind::category: columns.push_back(texts(info.type)); break;
            default: columns.push_back(numbers(info.type, bits(rows, any)));
        }
        if (info.type.nullable && rows != 0) {
            std::vector<std::uint8_t> validity;
            for (std::size_t i = 0; i < (rows + 7) / 8; ++i) validity.push_back(*rc::gen::arbitrary<std::uint8_t>());
            columns.back().validity = pt::Buffer::copy_of(validity);
        }
    }
    return std::make_shared<const pt::Chunk>(0, rows, std::move(columns));
}

bool same_value(const pt::ColumnSlice& a, const pt::ColumnSlice& b, std::size_t row) {
    if (a.valid(row) != b.valid(row)) return false;
    if (!a.valid(row)) return true;
    if (a.type.kind == pt::Kind::category)
        return pt::view_of<pt::Category>(a)[row] == pt::view_of<pt::Category>(b)[row];
    if (a.type.kind == pt::Kind::text) return pt::view_of<pt::Text>(a)[row] == pt::view_of<pt::Text>(b)[row];
    const std::size_t bytes = pt::width_bytes(a.type.kind) * (a.width == 0 ? 1 : a.width);
    return std::memcmp(a.as<char>() + row * bytes, b.as<char>() + row * bytes, bytes) == 0;
}

}  // namespace

TEST_CASE("what is written reads back the same", "[csv][write]") {
    pt::LocalSession session({.threads = 2});
    const bool holds = rc::check("write and read", [&] {
        const auto original = random_rows();
        const pt::CsvWriteSettings writing{.delimiter = *rc::gen::element(',', ';', '\t', ' ', ':', '.', '-', '1', 'e'),
                                           .crlf = *rc::gen::arbitrary<bool>()};
        std::vector<std::shared_ptr<const pt::Chunk>> chunks;
        if (original->rows() != 0) chunks.push_back(original);
        pt::write_csv(pt::detail::make_dataset<Record>(session, chunks), "csv_round_trip.csv", writing);
        const auto read =
            pt::read_csv<Record>(session, "csv_round_trip.csv", {.delimiter = writing.delimiter, .range_bytes = 64});
        RC_ASSERT(read.count() == static_cast<std::int64_t>(original->rows()));
        for (std::size_t column = 0; original->rows() != 0 && column < original->column_count(); ++column)
            for (std::size_t row = 0; row < original->rows(); ++row)
                RC_ASSERT(
                    same_value(original->column(column).all(), read.state().chunks[0]->column(column).all(), row));
    });
    CHECK(holds);
    std::remove("csv_round_trip.csv");
}

TEST_CASE("a table is written in RFC 4180's form", "[csv][write]") {
    pt::LocalSession session({.threads = 1});
    const std::string text =
        "flag,small,large,single,wide,time,kind,note,point_0,point_1\n"
        "true,-3,,0.1,1e+300,2024-02-29 00:00:00,\"a,b\",\"say \"\"so\"\"\",1,2\n"
        ",5,18446744073709551615,-0,,1969-12-31 23:59:59.999999,\"NA\",\"\",3.5,-4\n";
    pt::write_csv(pt::read_csv_text<Record>(session, text), "csv_form.csv");
    CHECK(read_file("csv_form.csv") == text);
    pt::write_csv(pt::read_csv_text<Record>(session, text).select<"small">(), "csv_form.csv",
                  {.header = false, .crlf = true});
    CHECK(read_file("csv_form.csv") == "-3\r\n5\r\n");
    CHECK_THROWS_AS(pt::write_csv(pt::read_csv_text<Record>(session, text), "csv_form.csv", {.quote = '\0'}),
                    pt::InvalidSetting);
    CHECK(read_file("csv_form.csv") == "-3\r\n5\r\n");  // the old file is whole
    CHECK_THROWS_AS(pt::write_csv(pt::read_csv_text<Record>(session, text), "no such folder/x.csv"), pt::FileError);
    std::remove("csv_form.csv");
}

}  // namespace csv_write_test
