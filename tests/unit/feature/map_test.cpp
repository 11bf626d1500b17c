// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <partita/feature/map.hpp>
#include <partita/persist/value.hpp>

#include <boost/describe/class.hpp>

#include <catch2/catch.hpp>

namespace map_test {

namespace pt = partita;
using pt::Category;
using pt::Column;
using pt::Columns;

namespace {

constexpr auto twice = pt::map<"a", "b">([](float a) { return 2 * a; });
using Twice = std::remove_const_t<decltype(twice)>;
static_assert(pt::Stage<Twice> && std::is_empty_v<Twice> && Twice::id == "map");
static_assert(Twice::Inputs::size == 1 && Twice::Inputs::inputs[0].name == "a");
static_assert(std::is_same_v<Twice::OutputsFor<float>, Columns<Column<"b", float>>>);
static_assert(std::is_same_v<Twice::OutputsFor<short>, Columns<Column<"b", float>>>);

template <class F, class... Values>
using Result = typename pt::Map<F, "a", "b", "out">::template ResultFor<Values...>;
inline constexpr auto number = [](float, int) { return 1LL; };
inline constexpr auto flag = [](float, int) { return true; };
inline constexpr auto maybe = [](std::optional<float> a, int) { return a; };
inline constexpr auto word = [](Category a, int) { return a; };
inline constexpr auto literal = [](float, int) { return "word"; };
inline constexpr auto when = [](pt::Timestamp a, int) { return a; };
inline constexpr auto pair = [](pt::Vector<float> a, int) { return pt::Vector<double, 2>{{a[0], a[1]}}; };
static_assert(std::is_same_v<Result<decltype(number), float, int>, std::int64_t>);
static_assert(std::is_same_v<Result<decltype(flag), float, int>, bool>);
static_assert(std::is_same_v<Result<decltype(maybe), std::optional<float>, int>, std::optional<float>>);
static_assert(std::is_same_v<Result<decltype(word), Category, int>, Category>);
static_assert(std::is_same_v<Result<decltype(literal), float, int>, Category>);
static_assert(std::is_same_v<Result<decltype(when), pt::Timestamp, int>, pt::Timestamp>);
static_assert(std::is_same_v<Result<decltype(pair), pt::Vector<float, 2>, int>, pt::Vector<double, 2>>);

struct Shift {
    static constexpr std::string_view id = "Shift";
    double by = 0;
    double operator()(double x) const { return x + by; }
};
BOOST_DESCRIBE_STRUCT(Shift, (), (by))
using ShiftStage = pt::Map<Shift, "a", "b">;
static_assert(ShiftStage::id == "Shift" && pt::Persistable<ShiftStage> && pt::Persistable<Twice>);

struct Unnamed {
    static constexpr std::string_view id = "Unnamed";
    double by = 0;
};
static_assert(pt::detail::NamedFunction<Shift> && !pt::detail::NamedFunction<Unnamed>);

}  // namespace

TEST_CASE("a function of numbers", "[feature]") {
    const std::vector<float> a{1, 2, 3};
    const std::vector<int> b{10, 20, 30};
    std::vector<double> out(3);
    const auto stage = pt::map<"a", "b", "out">([](float x, int y) { return static_cast<double>(x) * y; });
    stage(columns::view(a), columns::view(b), std::span(out));
    CHECK(out == std::vector<double>{10, 40, 90});
}

TEST_CASE("missing values go in and out as optionals", "[feature]") {
    const columns::Optional<float> a({1.0f, {}, 3.0f});
    std::vector<float> values(3);
    std::uint8_t bits = 0;
    const auto stage = pt::map<"a", "a">(
        [](std::optional<float> x) { return x && *x < 2 ? std::optional<float>(*x / 2) : std::nullopt; });
    stage(a.view(), pt::NullableOutput<float>(values.data(), &bits, 3));
    CHECK(bits == 1);
    CHECK(values[0] == 0.5f);
    std::vector<float> filled(3);
    pt::map<"a", "b">([](std::optional<float> x) { return x.value_or(-1.0f); })(a.view(), std::span(filled));
    CHECK(filled == std::vector<float>{1, -1, 3});
}

TEST_CASE("texts and categories", "[feature]") {
    const columns::Categories zones({"north-1", "south-2"});
    const columns::Texts texts({"a", "bc"});
    std::vector<std::string_view> out(2);
    pt::map<"zone", "region">([](Category zone) { return std::string_view(zone).substr(0, 5); })(
        zones.view(), pt::CategoryOutput(out.data(), 2));
    CHECK(out == std::vector<std::string_view>{"north", "south"});
    pt::map<"zone", "text", "zone">([](Category zone, pt::Text text) {
        return text.text == "a" ? zone : Category("other");
    })(zones.view(), texts.view(), pt::CategoryOutput(out.data(), 2));
    CHECK(out == std::vector<std::string_view>{"north-1", "other"});
    std::vector<int> lengths(2);
    pt::map<"text", "length">([](std::string_view text) { return static_cast<int>(text.size()); })(texts.view(),
                                                                                                   std::span(lengths));
    CHECK(lengths == std::vector<int>{1, 2});
    const columns::Categories some({"x", std::nullopt});
    pt::map<"zone", "length">([](std::optional<Category> zone) { return zone ? 1 : 0; })(some.nullable(),
                                                                                         std::span(lengths));
    CHECK(lengths == std::vector<int>{1, 0});
}

TEST_CASE("an interned row keeps its id", "[feature]") {
    const std::int32_t zero = 0;
    const std::string_view text = "x";
    int id = -1;
    pt::map<"zone", "id">([](Category zone) { return zone.id; })(pt::CategoryView(&zero, &text, 5), std::span(&id, 1));
    CHECK(id == 5);
}

TEST_CASE("vectors", "[feature]") {
    const std::vector<float> rows{1, 2, 3, 4, 5, 6};
    const columns::Sparse<float> sparse(4, {{{1, 2.0f}}, {}});
    std::vector<double> out(4);
    const pt::MatrixView<const float> view(rows.data(), 2, 3);
    const auto stage =
        pt::map<"v", "ends">([](pt::Vector<float> v) { return pt::Vector<double, 2>{{v[0], v[v.size() - 1]}}; });
    CHECK(stage.output_width(view) == 2);
    stage(view, pt::MatrixView<double>(out.data(), 2, 2));
    CHECK(out == std::vector<double>{1, 3, 4, 6});
    std::vector<int> counts(2);
    pt::map<"s", "n">([](pt::SparseVector<float> v) { return static_cast<int>(v.values.size() + 10 * v.width); })(
        sparse.view(), std::span(counts));
    CHECK(counts == std::vector<int>{41, 40});
    const std::vector<std::int32_t> hot{2, -1};
    pt::map<"h", "n">([](pt::OneHot v) { return v.code; })(pt::OneHotView{hot.data(), 2, 3}, std::span(counts));
    CHECK(counts == std::vector<int>{2, -1});
}

TEST_CASE("a function object with members is saved", "[feature]") {
    pt::ModelWriter writer({}, "fingerprint");
    writer.begin_stage(ShiftStage::id, 1);
    save_value(writer, "", ShiftStage{Shift{2.5}});
    pt::ModelReader reader(writer.bytes());
    reader.enter_stage("Shift", 1);
    ShiftStage loaded{};
    load_value(reader, "", loaded);
    reader.finish();
    const std::vector<double> a{1};
    std::vector<double> out(1);
    loaded(columns::view(a), std::span(out));
    CHECK(out[0] == 3.5);
}

}  // namespace map_test
