// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/persist/value.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "unit/persist/sample_model.hpp"
#include "unit/persist/save_and_load.hpp"

namespace value_test {

namespace pt = partita;
using sample::comes_back, sample::loaded, sample::saved;

namespace {

struct Plain {
    int x = 0;
};
struct NoDefault {
    explicit NoDefault(int value) : x(value) {}
    int x;
    BOOST_DESCRIBE_CLASS(NoDefault, (), (x), (), ())
};
struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())
struct HasPlain {
    Plain plain;
};
BOOST_DESCRIBE_STRUCT(HasPlain, (), (plain))
struct HasLinear {
    sample::Linear linear;
};
BOOST_DESCRIBE_STRUCT(HasLinear, (), (linear))
enum class Secret { a };

struct Pair {
    std::string text;
    std::optional<std::int64_t> number;
};
BOOST_DESCRIBE_STRUCT(Pair, (), (text, number))

}  // namespace

static_assert(pt::Persistable<bool> && pt::Persistable<char> && pt::Persistable<std::uint64_t> &&
              pt::Persistable<double>);
static_assert(pt::Persistable<std::string> && pt::Persistable<std::optional<float>> && pt::Persistable<sample::Kind>);
static_assert(pt::Persistable<std::optional<sample::Kind>> && pt::Persistable<std::vector<std::optional<int>>>);
static_assert(pt::Persistable<std::vector<std::vector<std::string>>> && pt::Persistable<std::vector<bool>>);
static_assert(pt::Persistable<sample::Split> && pt::Persistable<std::vector<sample::Split>> &&
              pt::Persistable<sample::Forest>);
static_assert(pt::Persistable<sample::Linear> && pt::Persistable<HasLinear>);
static_assert(!pt::Persistable<std::vector<sample::Linear>> && !pt::Persistable<std::vector<HasLinear>>);
static_assert(!pt::Persistable<Plain> && !pt::Persistable<HasPlain> && !pt::Persistable<std::vector<Plain>>);
static_assert(!pt::Persistable<NoDefault> && !pt::Persistable<Nothing> && !pt::Persistable<Secret>);
static_assert(!pt::Persistable<long double> && !pt::Persistable<int*> && !pt::Persistable<const char*>);
static_assert(!pt::Persistable<std::optional<std::string>> && !pt::Persistable<std::vector<int*>>);

namespace {

template <class Error, class T>
std::string sentence_of(const std::string& bytes) {
    try {
        loaded<T>(bytes);
    } catch (const Error& error) {
        CHECK(error.place().stage == "stage");
        CHECK(error.place().file == "m");
        return error.what();
    }
    FAIL("nothing was thrown");
    return {};
}
void has(const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
}
template <class Write>
std::string written(Write write) {
    pt::ModelWriter writer({}, "");
    writer.begin_stage("stage", 1);
    write(writer);
    return writer.bytes();
}

}  // namespace

TEST_CASE("numbers, texts and lists of them come back", "[persist]") {
    CHECK(comes_back(std::optional<float>{}));
    CHECK(comes_back(std::optional<float>{2.5f}));
    CHECK(comes_back(std::optional<bool>{false}));
    CHECK(comes_back(std::vector<std::optional<int>>{1, {}, 0}));
    CHECK(comes_back(std::vector<sample::Kind>{sample::Kind::leaf, sample::Kind::inner}));
    CHECK(comes_back(std::optional<sample::Kind>{sample::Kind::missing}));
    CHECK(comes_back(std::vector<std::optional<sample::Kind>>{sample::Kind::missing, {}}));
    CHECK(comes_back(std::vector<std::vector<bool>>{{true}, {}, {false, true}}));
}

TEST_CASE("structs come back, in vectors as columns", "[persist]") {
    for (const int size : {0, 1, 7, 300}) {
        const sample::Model model = sample::make(size);
        const std::string bytes = sample::save(model);
        CHECK(sample::load(bytes) == model);
        CHECK(sample::save(sample::load(bytes)) == bytes);
    }
}

TEST_CASE("a member of a struct is a tensor by its name", "[persist]") {
    const std::string bytes = saved(sample::make(3).forest);
    pt::ModelReader reader(bytes);
    reader.enter_stage("stage", 1);
    const auto scope = reader.scope("value");
    CHECK(reader.scalar<std::uint64_t>("count") == 3);
    CHECK(reader.vector<double>("splits.threshold") == std::vector<double>{0, 1 / 3.0, 2 / 3.0});
    CHECK(reader.vector<float>("splits.weight.values") == std::vector<float>{0, 1, 2});
    CHECK(reader.vector<bool>("splits.weight.present") == std::vector<bool>{false, true, true});
    CHECK(reader.texts("splits.label") == std::vector<std::string>{"", "b", "cc"});
    CHECK(reader.scalar<std::int32_t>("first.feature") == 0);
}

TEST_CASE("every double has the bits that were saved", "[persist]") {
    const auto bits = [](std::uint64_t pattern) { return std::bit_cast<double>(pattern); };
    const std::vector<double> values{0.0,
                                     -0.0,
                                     5e-324,
                                     -2.2250738585072011e-308,
                                     0.1,
                                     std::numeric_limits<double>::max(),
                                     std::numeric_limits<double>::infinity(),
                                     bits(0x7FF8000000000001),
                                     bits(0xFFF800000000BEEF)};
    const auto again = loaded<std::vector<double>>(saved(values));
    REQUIRE(again.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(std::bit_cast<std::uint64_t>(again[i]) == std::bit_cast<std::uint64_t>(values[i]));
        CHECK(std::bit_cast<std::uint64_t>(loaded<double>(saved(values[i]))) ==
              std::bit_cast<std::uint64_t>(values[i]));
    }
}

TEST_CASE("a value of its own rules is validated when it is saved and when it is loaded", "[persist]") {
    sample::Split split;
    split.feature = -1;
    for (const bool in_vector : {false, true}) {
        std::string sentence;
        try {
            if (in_vector) saved(std::vector<sample::Split>{split});
            else saved(split);
        } catch (const pt::ModelFileInvalid& error) {
            CHECK(error.place().stage == "stage");
            sentence = error.what();
        }
        has(sentence,
            "the stage stage cannot be saved, its model is not valid: a split's feature must not be negative");
    }
    split.feature = 5;
    std::string bytes = written([&](pt::ModelWriter& writer) {
        pt::save_value(writer, "other", split);
        const auto scope = writer.scope("value");
        writer.scalar("feature", std::int32_t{-5});
        writer.scalar("threshold", 0.0);
        writer.scalar("left_is_default", true);
        writer.text("label", "");
        writer.vector("weight", std::vector<float>{});
        writer.scalar("kind", 1);
        writer.vector("values", std::vector<double>{});
        writer.texts("tags", std::vector<std::string>{});
    });
    has(sentence_of<pt::ModelFileInvalid, sample::Split>(bytes),
        "m holds no valid model in its stage 1, stage: a split's feature must not be negative; fit and save it again");
    sample::Linear linear = sample::make(1).linear;
    linear.coefficients.values[0] = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(saved(linear), pt::ModelFileInvalid);
}

TEST_CASE("tensors that do not fit together are refused", "[persist]") {
    has(sentence_of<pt::ModelFileInvalid, sample::Kind>(
            written([](pt::ModelWriter& writer) { writer.scalar("value", 3); })),
        "\"value\" is 3, which is none of its enumerators");
    has(sentence_of<pt::ModelFileInvalid, std::vector<sample::Kind>>(
            written([](pt::ModelWriter& writer) { writer.vector("value", std::vector<int>{0, -1}); })),
        "is -1, which is none");
    has(sentence_of<pt::ModelFileInvalid, std::optional<int>>(
            written([](pt::ModelWriter& writer) { writer.vector("value", std::vector<int>{1, 2}); })),
        "holds more than one value");
    has(sentence_of<pt::ModelFileMalformed, std::vector<std::optional<int>>>(written([](pt::ModelWriter& writer) {
            writer.vector("value.present", std::vector<bool>{true});
            writer.vector("value.values", std::vector<int>{1, 2});
        })),
        "fewer flags than values");
    has(sentence_of<pt::ModelFileMalformed, std::vector<Pair>>(written([](pt::ModelWriter& writer) {
            writer.texts("value.text", std::vector<std::string>{"a"});
            pt::save_value(writer, "value.number", std::vector<std::optional<std::int64_t>>{});
        })),
        "differ in length");
    const auto list = [](std::vector<std::int64_t> spans, std::uint64_t width) {
        return written([&](pt::ModelWriter& writer) {
            writer.tensor("value.spans", spans, {spans.size() / width, width});
            writer.vector("value.values", std::vector<int>{1, 2, 3});
        });
    };
    using Lists = std::vector<std::vector<int>>;
    CHECK(loaded<Lists>(list({0, 1, 1, 3}, 2)) == Lists{{1}, {2, 3}});
    has(sentence_of<pt::ModelFileMalformed, Lists>(list({0, 1, 3}, 3)), "spans need two numbers");
    has(sentence_of<pt::ModelFileInvalid, Lists>(list({0, 1, 2, 3}, 2)), "do not follow each other");
    has(sentence_of<pt::ModelFileInvalid, Lists>(list({0, -1}, 2)), "do not follow each other");
    has(sentence_of<pt::ModelFileInvalid, Lists>(list({0, 2}, 2)), "do not cover its values");
    has(sentence_of<pt::ModelFileInvalid, Lists>(list({0, 4}, 2)), "do not cover its values");
}

}  // namespace value_test
