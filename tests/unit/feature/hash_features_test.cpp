// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/hash_features.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>
#include <catch2/catch.hpp>

#include <limits>

namespace hash_features_test {

namespace pt = partita;
using Stage = pt::HashFeatures<"site", "hour", "mobile", "note", "features">;
static_assert(pt::Stage<Stage> && std::is_aggregate_v<Stage>);
static_assert(Stage::Inputs::inputs[0].takes(pt::column_type<pt::Category>) &&
              Stage::Inputs::inputs[0].takes(pt::column_type<std::optional<float>>) &&
              !Stage::Inputs::inputs[0].takes(pt::column_type<pt::Vector<float>>) &&
              !Stage::Inputs::inputs[0].takes(pt::column_type<pt::Timestamp>));
static_assert(std::is_same_v<Stage::Outputs, pt::Columns<pt::Column<"features", pt::SparseVector<float>>>>);

// Computed once by the definition in stable_hash.hpp, in another language; models depend on them for ever.
static_assert(pt::stable_hash("") == 0x670527f286862c69);
static_assert(pt::stable_hash("a") == 0x50efc1a59f321836);
static_assert(pt::stable_hash("site") == 0xf8a5205845b582ab);
static_assert(pt::stable_hash("12345678") == 0xd5b156d133b7bece);
static_assert(pt::stable_hash("a longer text with \xc3\xa4") == 0xc2d64114075488dc);
static_assert(pt::stable_hash("x", pt::stable_hash("site")) == 0xc73d7d606bf233eb);

namespace {

using Row = std::map<std::int32_t, float>;

template <class StageType, class... Views>
std::vector<Row> hashed(const StageType& stage, const Views&... views) {
    const std::size_t rows = std::get<0>(std::tie(views...)).size();
    columns::Sparse<float> out(stage.output_width(views...));
    stage(views..., out.output(rows));
    std::vector<Row> result(rows);
    for (std::size_t row = 0; row < rows; ++row)
        for (auto k = static_cast<std::size_t>(out.offsets[row]); k < static_cast<std::size_t>(out.offsets[row + 1]);
             ++k) {
            if (k > static_cast<std::size_t>(out.offsets[row])) CHECK(out.indices[k] > out.indices[k - 1]);
            result[row][out.indices[k]] = out.values[k];
        }
    return result;
}

template <class... Names>
std::int32_t at(const Stage& stage, Names... names) {
    return static_cast<std::int32_t>(stage.index_of(names...));
}

struct Click {
    pt::Category site;
    std::optional<float> hour;
    bool mobile;
    std::optional<pt::Text> note;
};
BOOST_DESCRIBE_STRUCT(Click, (), (site, hour, mobile, note))

const std::vector<Click> clicks{{"a.org", 3.0f, true, pt::Text("x")},
                                {"b.org", std::nullopt, false, std::nullopt},
                                {"a.org", 0.0f, true, pt::Text("")}};

}  // namespace

TEST_CASE("texts, flags and numbers fall on elements of their own, missing ones on none", "[feature]") {
    const Stage stage;
    const columns::Categories sites({"a.org", "b.org", "a.org"});
    const columns::Optional<float> hours({3.0f, std::nullopt, 0.0f});
    const bool mobile[] = {true, false, true};
    const columns::Categories notes({"x", std::nullopt, ""});
    const auto rows = hashed(stage, sites.view(), hours.view(), std::span<const bool>(mobile), notes.nullable());
    CHECK(rows[0] == Row{{at(stage, "site", "a.org"), 1.0f},
                         {at(stage, "hour"), 3.0f},
                         {at(stage, "mobile", "true"), 1.0f},
                         {at(stage, "note", "x"), 1.0f}});
    CHECK(rows[1] == Row{{at(stage, "site", "b.org"), 1.0f}, {at(stage, "mobile", "false"), 1.0f}});
    CHECK(rows[2] ==
          Row{{at(stage, "site", "a.org"), 1.0f}, {at(stage, "mobile", "true"), 1.0f}, {at(stage, "note", ""), 1.0f}});
    const columns::Texts texts({"a.org", "b.org", "a.org"});  // the type of a text does not matter
    CHECK(hashed(stage, texts.view(), hours.view(), std::span<const bool>(mobile), notes.nullable()) == rows);
    const columns::Categories wide({"a.org", "b.org", "a.org"}, {"1", "2", "3", "4"});  // nor does its dictionary
    CHECK(hashed(stage, wide.view(), hours.view(), std::span<const bool>(mobile), notes.nullable()) == rows);
}

TEST_CASE("what falls on one element is added", "[feature]") {
    const pt::HashFeatures<"a", "b", "c", "features"> one{.dimensions = 1};
    const std::vector<float> a{1, 2, -1}, b{4, 0, 0};
    const columns::Categories c({"x", "y", "x"});
    CHECK(hashed(one, columns::view(a), columns::view(b), c.view()) == std::vector<Row>{{{0, 6.0f}}, {{0, 3.0f}}, {}});
}

TEST_CASE("hashes spread over any number of elements", "[feature]") {
    for (const std::uint64_t dimensions : {1000ull, 4096ull}) {
        const Stage stage{.dimensions = dimensions};
        std::vector<double> hits(dimensions);
        for (int i = 0; i < 100000; ++i) hits[stage.index_of("site", std::to_string(i))] += 1;
        double squares = 0;
        const double mean = 100000 / static_cast<double>(dimensions);
        for (double count : hits) squares += (count - mean) * (count - mean) / mean;
        // chi-squared: mean d - 1, deviation sqrt(2 d); five deviations
        CHECK(std::abs(squares - static_cast<double>(dimensions)) <
              5 * std::sqrt(2.0 * static_cast<double>(dimensions)));
    }
}

TEST_CASE("settings out of range and rows without a text are refused", "[feature]") {
    CHECK_THROWS_AS(Stage{.dimensions = 0}.validate(), pt::InvalidSetting);
    CHECK_THROWS_AS(Stage{.dimensions = 1ull << 31}.validate(), pt::InvalidSetting);
    CHECK_NOTHROW(Stage{.dimensions = (1ull << 31) - 1}.validate());
    const std::int32_t zero = 0;
    const std::string_view nothing;
    const pt::HashFeatures<"site", "features"> stage;
    columns::Sparse<float> out(1);
    CHECK_THROWS_AS(stage(pt::CategoryView(&zero, &nothing, 4), out.output(1)), pt::UnseenCategory);
}

TEST_CASE("a pipeline hashes rows as it hashes tables, and keeps its dimensions in its file", "[feature]") {
    pt::LocalSession session;
    const auto data = pt::as_train(pt::dataset(session, clicks));
    const auto pipeline = pt::pipeline(Stage{.dimensions = 1000});
    const auto model = pipeline.fit(data);
    const auto loaded = pt::from_bytes<std::remove_const_t<decltype(model)>>(pt::to_bytes(model));
    CHECK(loaded.template stage<1>() == Stage{.dimensions = 1000});
    CHECK(pt::to_bytes(loaded) == pt::to_bytes(model));
    CHECK(model.feature_names("features").empty());
    const auto table = model.transform(data).template select<"features">().head(3);
    const pt::SparseView<float> all = table.template column<"features">();
    CHECK(all.columns == 1000);
    for (std::size_t i = 0; i < clicks.size(); ++i) {
        const auto row = loaded.template transform<"features">(clicks[i]);
        CHECK(row.width == 1000);
        CHECK(row.indices == std::vector<std::int32_t>(all.indices + all.offsets[i], all.indices + all.offsets[i + 1]));
        CHECK(row.values == std::vector<float>(all.values + all.offsets[i], all.values + all.offsets[i + 1]));
    }
    pt::ModelWriter writer({}, "fingerprint");
    writer.begin_stage("HashFeatures", 1);
    writer.scalar("dimensions", std::uint64_t{0});
    pt::ModelReader reader(writer.bytes());
    reader.enter_stage("HashFeatures", 1);
    Stage stage;
    CHECK_THROWS_AS(load_value(reader, "", stage), pt::ModelFileInvalid);
}

}  // namespace hash_features_test
