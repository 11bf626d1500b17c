// SPDX-License-Identifier: Apache-2.0
#include <partita/data/chunk.hpp>
#include <partita/data/column_builder.hpp>
#include <partita/data/column_view.hpp>

#include <catch2/catch.hpp>

#include <numeric>

namespace column_builder_test {

namespace pt = partita;

namespace {

template <class T>
pt::ColumnData numbers(const std::vector<T>& values) {
    pt::ColumnData column;
    column.type = pt::column_type<T>;
    column.rows = values.size();
    column.values = pt::Buffer::copy_of(values);
    return column;
}
pt::ColumnData maybe(const std::vector<float>& values, const std::vector<std::uint8_t>& bits) {
    pt::ColumnData column = numbers(values);
    column.type.nullable = true;
    column.validity = pt::Buffer::copy_of(bits);
    return column;
}
pt::ColumnData texts(const std::vector<std::string>& values) {
    std::vector<char> bytes;
    std::vector<std::int64_t> offsets{0};
    for (const std::string& value : values) {
        bytes.insert(bytes.end(), value.begin(), value.end());
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    pt::ColumnData column;
    column.type = pt::column_type<pt::Text>;
    column.rows = values.size();
    column.values = pt::Buffer::copy_of(bytes);
    column.offsets = pt::Buffer::copy_of(offsets);
    return column;
}
pt::ColumnData categories(const std::vector<std::int32_t>& codes, const std::vector<std::string_view>& words) {
    pt::ColumnData column;
    column.type = pt::column_type<pt::Category>;
    column.rows = codes.size();
    column.values = pt::Buffer::copy_of(codes);
    column.dictionary = std::make_shared<const pt::Dictionary>(words);
    return column;
}
template <class View>
std::vector<std::string> strings(const View& view) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < view.size(); ++i) result.emplace_back(view[i]);
    return result;
}
using Chosen = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("numbers of every width are gathered", "[data][column_builder]") {
    const auto gather = []<class T>(T) {
        std::vector<T> values(10);
        std::iota(values.begin(), values.end(), T{});
        const pt::ColumnData column = numbers(values);
        pt::ColumnBuilder builder(column.type);
        builder.append(column.slice(2, 3));
        builder.append(column.slice(0, 10), Chosen{9, 0, 0});
        CHECK(builder.rows() == 6);
        const pt::ColumnData made = builder.finish();
        const auto view = pt::view_of<T>(made.all());
        CHECK(std::vector<T>(view.begin(), view.end()) == std::vector<T>{2, 3, 4, 9, 0, 0});
        CHECK(reinterpret_cast<std::uintptr_t>(view.data()) % pt::Buffer::alignment_bytes == 0);
        CHECK(builder.rows() == 0);  // as new
        CHECK(builder.finish().rows == 0);
    };
    gather(std::int8_t{}), gather(std::uint16_t{}), gather(int{}), gather(float{}), gather(double{}),
        gather(std::int64_t{});
}

TEST_CASE("validity is gathered bit by bit, and absent where nothing is missing", "[data][column_builder]") {
    const pt::ColumnData column = maybe({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0b10110101, 0b01});
    pt::ColumnBuilder builder(column.type);
    builder.append(column.slice(3, 7));
    builder.append(column.slice(0, 10), Chosen{1, 0});
    const pt::ColumnData made = builder.finish();
    const auto view = pt::view_of<std::optional<float>>(made.all());
    std::vector<float> valid;
    for (std::size_t i = 0; i < view.size(); ++i)
        if (view.valid(i)) valid.push_back(view.values()[i]);
    CHECK(view.size() == 9);
    CHECK(valid == std::vector<float>{4, 5, 7, 8, 0});
    CHECK_FALSE(view.all_valid());

    builder.append(column.slice(0, 10), Chosen{0, 2, 4});
    CHECK(pt::view_of<std::optional<float>>(builder.finish().all()).all_valid());
}

TEST_CASE("texts keep their bytes, the empty ones too", "[data][column_builder]") {
    const pt::ColumnData column = texts({"a", "", std::string("n\0l", 3), "long text"});
    pt::ColumnBuilder builder(column.type);
    builder.append(column.slice(1, 2));
    builder.append(column.slice(0, 4), Chosen{3, 1, 0});
    CHECK(strings(pt::view_of<pt::Text>(builder.finish().all())) ==
          std::vector<std::string>{"", std::string("n\0l", 3), "long text", "", "a"});
}

TEST_CASE("categories of different dictionaries become one dictionary of the texts in use", "[data][column_builder]") {
    const pt::ColumnData first = categories({0, 1, 0}, {"x", "y", "unused"}), second = categories({1, 0}, {"y", "z"});
    pt::ColumnBuilder builder(first.type);
    builder.append(first.all());
    builder.append(second.all());
    builder.append(first.all(), Chosen{1});
    const pt::ColumnData made = builder.finish();
    const auto view = pt::view_of<pt::Category>(made.all());
    CHECK(strings(view) == std::vector<std::string>{"x", "y", "x", "z", "y", "y"});
    CHECK(view.dictionary().size() == 3);
}

TEST_CASE("a vector column has one width", "[data][column_builder]") {
    const auto matrix = [](std::size_t rows, std::size_t width) {
        std::vector<float> values(rows * width);
        std::iota(values.begin(), values.end(), 0.0f);
        pt::ColumnData column = numbers(values);
        column.type = pt::column_type<pt::Vector<float>>;
        column.rows = rows;
        column.width = width;
        return column;
    };
    pt::ColumnBuilder builder(pt::column_type<pt::Vector<float>>);
    builder.append(matrix(0, 9).all());  // no rows, no width
    builder.append(matrix(3, 2).all());
    builder.append(matrix(3, 2).all(), Chosen{2});
    CHECK_THROWS_AS(builder.append(matrix(1, 3).all()), pt::WrongWidth);
    const pt::ColumnData made = builder.finish();
    const auto view = pt::view_of<pt::Vector<float>>(made.all());
    REQUIRE(view.rows() == 4);
    CHECK((view[1][0] == 2 && view[1][1] == 3 && view[3][0] == 4 && view[3][1] == 5));
}

TEST_CASE("sparse rows are gathered entry by entry", "[data][column_builder]") {
    pt::ColumnData column = numbers(std::vector<float>{10, 20, 30});
    column.type = pt::column_type<pt::SparseVector<float>>;
    column.width = 8;
    column.offsets = pt::Buffer::copy_of(std::vector<std::int64_t>{0, 2, 2, 3});
    column.indices = pt::Buffer::copy_of(std::vector<std::int32_t>{1, 5, 7});
    pt::ColumnBuilder builder(column.type);
    builder.append(column.slice(1, 2));
    builder.append(column.slice(0, 3), Chosen{0});
    const pt::ColumnData made = builder.finish();
    const auto view = pt::view_of<pt::SparseVector<float>>(made.all());
    REQUIRE(view.rows == 3);
    CHECK(view.columns == 8);
    CHECK(std::vector<std::int64_t>(view.offsets, view.offsets + 4) == std::vector<std::int64_t>{0, 0, 1, 3});
    CHECK(std::vector<std::int32_t>(view.indices, view.indices + 3) == std::vector<std::int32_t>{7, 1, 5});
    CHECK(std::vector<float>(view.values, view.values + 3) == std::vector<float>{30, 10, 20});
}

TEST_CASE("blocks are runs of ids with one quotient by 4096", "[data][block_grid]") {
    const auto blocks = [](const pt::RowIds& ids) {
        std::vector<std::vector<std::int64_t>> result;
        for (std::size_t i = 0; i < ids.block_count(); ++i)
            result.push_back({ids.block_id(i), static_cast<std::int64_t>(ids.block_first(i)),
                              static_cast<std::int64_t>(ids.block_size(i))});
        return result;
    };
    using Expected = std::vector<std::vector<std::int64_t>>;
    CHECK(blocks(pt::RowIds(0, 0)).empty());
    CHECK(blocks(pt::RowIds(std::vector<std::int64_t>{})).empty());
    CHECK(blocks(pt::RowIds(0, 4096)) == Expected{{0, 0, 4096}});
    CHECK(blocks(pt::RowIds(8192, 5000)) == Expected{{2, 0, 4096}, {3, 4096, 904}});
    CHECK(blocks(pt::RowIds(std::vector<std::int64_t>{1, 4095, 4096, 20'000, 20'001})) ==
          Expected{{0, 0, 2}, {1, 2, 1}, {4, 3, 2}});
    const pt::RowIds run(std::vector<std::int64_t>{4095, 4096, 4097});
    CHECK((run.row_id(0) == 4095 && run.row_id(2) == 4097));
    CHECK(blocks(run) == Expected{{0, 0, 1}, {1, 1, 2}});
}

}  // namespace column_builder_test
