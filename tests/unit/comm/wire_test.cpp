// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/wire.hpp>
#include <partita/data/column_type.hpp>

#include <boost/describe/class.hpp>
#include <catch2/catch.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wire_test {

namespace pt = partita;

namespace {

struct Point {
    double x, y;
    friend bool operator==(const Point&, const Point&) = default;
};
struct Named {
    std::string name;
    int value;
    friend bool operator==(const Named&, const Named&) = default;
};
struct Stuck {
    std::string text;
};

template <class T>
T there_and_back(const T& value) {
    pt::Bytes bytes;
    pt::ByteWriter writer(bytes);
    pt::Wire<T>::write(value, writer);
    pt::ByteReader reader(bytes);
    T back = pt::Wire<T>::read(reader);
    CHECK(reader.remaining() == 0);
    CHECK_FALSE(reader.failed());
    return back;
}

}  // namespace

}  // namespace wire_test

template <>
struct partita::Wire<wire_test::Named> {
    static void write(const wire_test::Named& value, partita::ByteWriter& writer) {
        Wire<std::string>::write(value.name, writer);
        Wire<int>::write(value.value, writer);
    }
    static wire_test::Named read(partita::ByteReader& reader) {
        std::string name = Wire<std::string>::read(reader);
        return {std::move(name), Wire<int>::read(reader)};
    }
};

namespace wire_test {

static_assert(pt::Travels<int> && pt::Travels<Point> && pt::Travels<std::array<Point, 3>>);
static_assert(pt::Travels<std::string> && pt::Travels<std::vector<std::vector<std::string>>>);
static_assert(pt::Travels<Named> && pt::Travels<std::vector<Named>>);
static_assert(!pt::Travels<std::variant<int, std::string_view>>);
static_assert(!pt::Travels<Stuck> && !pt::Travels<std::vector<Stuck>> && !pt::Travels<int*>);

namespace {

// Views would come to nothing where their memory is not.
struct Shop {
    pt::Category name;
    float price = 0;
};
BOOST_DESCRIBE_STRUCT(Shop, (), (name, price))
struct Chain {
    std::array<Shop, 2> shops;
};
BOOST_DESCRIBE_STRUCT(Chain, (), (shops))
struct Measured {
    pt::Vector<float, 3> values;
    pt::Timestamp when;
    std::optional<pt::OneHot> code;
};
BOOST_DESCRIBE_STRUCT(Measured, (), (values, when, code))

}  // namespace

static_assert(!pt::Travels<std::string_view> && !pt::Travels<std::span<const int>> && !pt::Travels<std::span<int, 3>>);
static_assert(!pt::Travels<std::pair<std::string_view, int>> && !pt::Travels<std::optional<std::string_view>>);
static_assert(!pt::Travels<std::vector<pt::Text>> && !pt::Travels<std::array<const char*, 2>>);
static_assert(!pt::Travels<pt::Category> && !pt::Travels<pt::Vector<float>> && !pt::Travels<pt::SparseVector<float>>);
static_assert(!pt::Travels<Shop> && !pt::Travels<Chain> && !pt::Travels<std::vector<Chain>>);
static_assert(pt::Travels<Measured> && pt::Travels<std::optional<int>> && pt::Travels<pt::Vector<double, 2>>);

TEST_CASE("values arrive as they left", "[comm]") {
    CHECK(there_and_back(-7) == -7);
    CHECK(there_and_back(Point{1.5, -0.0}) == Point{1.5, -0.0});
    CHECK(there_and_back(std::string()) == "");
    CHECK(there_and_back(std::string("a\0b", 3)) == std::string("a\0b", 3));
    const std::vector<std::vector<std::string>> nested{{"a", ""}, {}, {"long enough to be allocated on the heap"}};
    CHECK(there_and_back(nested) == nested);
    CHECK(there_and_back(std::vector<Named>{{"x", 1}, {"y", 2}}) == std::vector<Named>{{"x", 1}, {"y", 2}});
    CHECK(there_and_back(std::optional<std::string>{}) == std::nullopt);
    CHECK(there_and_back(std::optional<std::string>{"z"}) == "z");
    CHECK(there_and_back(std::pair<std::string, double>{"w", 2.5}) == std::pair<std::string, double>{"w", 2.5});
    CHECK(there_and_back(std::vector<bool>{true, false, true}) == std::vector<bool>{true, false, true});
}

TEST_CASE("a reader that runs out says so and reads nothing beyond", "[comm]") {
    pt::Bytes bytes;
    pt::ByteWriter(bytes).write_sized("hello");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        pt::ByteReader reader{std::span<const std::byte>(bytes).first(size)};
        CHECK(reader.read_text().empty());
        CHECK(reader.failed());
        CHECK(reader.read<int>() == 0);
    }
    pt::Bytes huge;
    pt::ByteWriter(huge).write(~std::uint64_t{0});
    pt::ByteReader reader(huge);
    CHECK(pt::Wire<std::vector<int>>::read(reader).size() <= 1);  // stops at the first value that is not there
}

}  // namespace wire_test
