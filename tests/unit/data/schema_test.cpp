// SPDX-License-Identifier: Apache-2.0
#include <partita/data/reads.hpp>
#include <partita/data/schema.hpp>
#include <partita/data/selector.hpp>

#include <boost/describe.hpp>
#include <catch2/catch.hpp>

#include <string>

namespace schema_test {

namespace pt = partita;

namespace {

struct Base {
    float a, b;
};
BOOST_DESCRIBE_STRUCT(Base, (), (a, b))
struct Wide : Base {
    std::optional<pt::Category> c;
    const long d = 1;
};
BOOST_DESCRIBE_STRUCT(Wide, (Base), (c, d))

using Written = pt::Schema<pt::Column<"x", pt::Vector<float, 3>>, pt::Column<"y", std::optional<double>>,
                           pt::Column<"z", std::string>>;

struct Bare {};

}  // namespace

// ---- types --------------------------------------------------------------------------------------------------------------
static_assert(pt::columns_of<Wide>.size() == 4);
static_assert(pt::columns_of<Wide>[0].name == "a" &&
              pt::columns_of<Wide>[3].name == "d");  // described bases come first
static_assert(pt::columns_of<Wide>[2].type == pt::ColumnType{pt::Kind::category, true});
static_assert(pt::columns_of<Wide>[3].type.kind == pt::Kind::int64);
static_assert(pt::columns_of<Written>[0].type == pt::ColumnType{pt::Kind::vector_float32, false, 3});
static_assert(pt::has_column<Written, "y"> && !pt::has_column<Written, "Y">);
static_assert(pt::detail::is_table<Wide> && pt::detail::is_table<Written> && !pt::detail::is_table<int> &&
              !pt::detail::is_table<Bare>);

static_assert(pt::column_type<int*>.kind == pt::Kind::none);
static_assert(pt::column_type<std::optional<Bare>>.kind == pt::Kind::none);
static_assert(pt::column_type<long> == pt::column_type<long long>);
static_assert(pt::column_type<std::string> == pt::column_type<pt::Text>);

template <class T>
constexpr bool comes_back = std::is_same_v<pt::ValueType<pt::column_type<T>>, T>;
static_assert(comes_back<bool> && comes_back<std::int8_t> && comes_back<std::uint64_t> && comes_back<double>);
static_assert(comes_back<pt::Timestamp> && comes_back<pt::Text> && comes_back<pt::Category> && comes_back<pt::OneHot>);
static_assert(comes_back<pt::Vector<float>> && comes_back<pt::Vector<double, 7>> &&
              comes_back<pt::SparseVector<float>>);
static_assert(comes_back<std::optional<pt::Category>> && comes_back<std::optional<int>>);
static_assert(std::is_same_v<pt::ValueType<pt::column_type<const long long>>, std::int64_t>);

// ---- selectors ------------------------------------------------------------------------------------------------------------
constexpr pt::ColumnType float_column = pt::column_type<float>, maybe_float = pt::column_type<std::optional<float>>;
static_assert(pt::is_selector(pt::all<float>.view()) && !pt::is_selector("float") && !pt::is_selector(""));
static_assert(pt::selects(pt::all<float>.view(), "x", float_column));
static_assert(!pt::selects(pt::all<float>.view(), "x", maybe_float) &&
              !pt::selects(pt::all<float>.view(), "x", pt::column_type<double>));
static_assert(pt::selects(pt::all<std::optional<float>>.view(), "x", maybe_float) &&
              !pt::selects(pt::all<std::optional<float>>.view(), "x", float_column));
static_assert(pt::selects(pt::starts_with<"f_">.view(), "f_1", float_column) &&
              !pt::selects(pt::starts_with<"f_">.view(), "f", float_column));
static_assert(!pt::selects(pt::except<"a", "b">.view(), "b", float_column) &&
              pt::selects(pt::except<"a", "b">.view(), "ab", float_column));

constexpr auto both = pt::all<float> & pt::starts_with<"f_"> & pt::except<"f_2">;
static_assert(pt::selects(both.view(), "f_1", float_column) && !pt::selects(both.view(), "f_2", float_column));
static_assert(!pt::selects(both.view(), "f_1", maybe_float) && !pt::selects(both.view(), "g_1", float_column));

// ---- what is read ---------------------------------------------------------------------------------------------------------
using Wanted = pt::Columns<pt::Read<"a", pt::number_kinds>, pt::Column<"c", std::optional<pt::Category>>>;
static_assert(Wanted::inputs[0].takes(float_column) && !Wanted::inputs[0].takes(maybe_float) &&
              !Wanted::inputs[0].takes(pt::column_type<pt::Text>));
static_assert(pt::Read<"a", pt::number_kinds, true>::input.takes(maybe_float));
static_assert(Wanted::inputs[1].takes(pt::column_type<std::optional<pt::Category>>) &&
              !Wanted::inputs[1].takes(pt::column_type<pt::Category>));

using Cause = pt::detail::ReadMistake::Cause;
template <class Reads>
constexpr auto mistake = pt::detail::find_read_mistake(pt::columns_of<Wide>, Reads::inputs);
static_assert(mistake<Wanted>.cause == Cause::none);
static_assert(mistake<pt::Columns<pt::Read<"b", pt::number_kinds>, pt::Read<"e", pt::text_kinds>>>.cause ==
              Cause::missing);
static_assert(mistake<pt::Columns<pt::Read<"b", pt::number_kinds>, pt::Read<"e", pt::text_kinds>>>.input == 1);
static_assert(mistake<pt::Columns<pt::Read<"b", pt::text_kinds>>>.cause == Cause::wrong_type);
static_assert(mistake<pt::Columns<pt::Read<"c", pt::text_kinds>>>.cause == Cause::missing_values);
static_assert(mistake<pt::Columns<pt::Read<"c", pt::text_kinds, true>>>.cause == Cause::none);
static_assert(mistake<pt::Columns<pt::Read<"c", pt::number_kinds>>>.cause == Cause::wrong_type);

TEST_CASE("a category borrows any kind of text", "[schema]") {
    static_assert(std::is_convertible_v<const std::string&, pt::Category>);
    static_assert(std::is_convertible_v<std::string_view, pt::Category> &&
                  std::is_convertible_v<const char*, pt::Category>);
    const std::string text = "a text that is too long to be kept in place";
    pt::Category category = text;
    CHECK(category.text.data() == text.data());
    CHECK(category.text == text);
    CHECK(category.id == -1);
    category = "literal";
    CHECK(category == pt::Category(std::string_view("literal")));
    category = text;
    CHECK(category == text);
    const std::optional<pt::Category> optional = text;
    CHECK(optional->text == text);
    category = {};
    CHECK(category.text.empty());
}

TEST_CASE("the near name is the one that was meant", "[data][schema]") {
    using Table =
        pt::Schema<pt::Column<"trip_distance", float>, pt::Column<"trip_duration", float>, pt::Column<"fare", float>>;
    const auto near = [](std::string_view name) { return pt::detail::near_column(pt::columns_of<Table>, name); };
    CHECK(near("trip_distence") == 0);
    CHECK(near("trip_durations") == 1);
    CHECK(near("Fare") == 2);
    CHECK(near("passengers") == -1);
    CHECK(near(std::string(100, 'x')) == -1);
}

TEST_CASE("kinds are named as a person writes them", "[data][schema]") {
    CHECK(pt::kind_name(pt::Kind::float32) == "float");
    CHECK(pt::kind_name(pt::Kind::one_hot) == "OneHot");
    CHECK(pt::kind_name(pt::column_type<pt::SparseVector<double>>.kind) == "SparseVector<double>");
    CHECK(pt::detail::kinds_in_words({"x", pt::number_kinds}) == "numbers");
    CHECK(pt::detail::kinds_in_words({"x", pt::text_kinds}) == "texts or categories");
    CHECK(pt::detail::kinds_in_words({"x", pt::dense_vector_kinds | pt::sparse_vector_kinds}) == "vectors");
    CHECK(pt::detail::kinds_in_words({"x", 0, pt::column_type<bool>}) == "bool");
}

}  // namespace schema_test
