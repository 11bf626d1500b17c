// SPDX-License-Identifier: Apache-2.0
// What the feature stages learn survives a file, and a file cannot bring in what no fit could have learnt.
#include "views.hpp"

#include <partita/feature/impute.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/persist/value.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace saved_models_test {

namespace pt = partita;
using Scale = pt::StandardScale<"x">;
using Encode = pt::OneHotEncode<"x", pt::Unseen::own_column>;
using Impute = pt::Impute<"x">;
using Numbers = Impute::ModelFor<std::optional<float>>;
using Texts = Impute::ModelFor<std::optional<pt::Category>>;

static_assert(pt::Persistable<Scale::Model> && pt::Persistable<Encode::Model> && pt::Persistable<Numbers> &&
              pt::Persistable<Texts>);

namespace {

template <class Write>
std::string file(Write write) {
    pt::ModelWriter writer({}, "fingerprint");
    writer.begin_stage("stage", 1);
    write(writer);
    return writer.bytes();
}

template <class Model>
Model loaded(const std::string& bytes) {
    pt::ModelReader reader(bytes);
    reader.enter_stage("stage", 1);
    Model model;
    load_value(reader, "", model);
    reader.finish();
    return model;
}

template <class Model>
Model copied(const Model& model) {
    return loaded<Model>(file([&](pt::ModelWriter& writer) { save_value(writer, "", model); }));
}

}  // namespace

TEST_CASE("models come back as they were", "[feature]") {
    const std::vector<double> x{1, 2, 4};
    const Scale scale;
    auto moments = scale.start();
    moments.update(columns::view(x), pt::Weights());
    const Scale::Model scaler = copied(scale.finish(moments));
    CHECK(scaler == scale.finish(moments));
    std::vector<double> before(3), after(3);
    scale.finish(moments)(columns::view(x), std::span(before));
    scaler(columns::view(x), std::span(after));
    CHECK(before == after);

    const columns::Categories zones({"b", "a", "b", ""});
    Encode::Summary counts;
    counts.update(zones.view(), pt::Weights());
    const Encode::Model encoder = copied(Encode{.drop_last = true}.finish(counts));
    CHECK(encoder == Encode{.drop_last = true}.finish(counts));
    CHECK(encoder.feature_names("x") == std::vector<std::string>{"x=b", "x=", "x=*"});
    CHECK(encoder.intern("a") == 2);
    CHECK(encoder.intern("?") == 3);

    const Impute constant{.strategy = pt::Imputation::constant, .constant = 0.1};
    CHECK(copied(constant.finish(Impute::SummaryFor<float>(constant.start()))).value() == 0.1);
    const Impute word{.strategy = pt::Imputation::constant, .constant = "none"};
    CHECK(copied(word.finish(Impute::SummaryFor<pt::Category>(word.start()))).value() == "none");
}

TEST_CASE("models that no fit could give are refused", "[feature]") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto scaler = [](const std::vector<double>& mean, const std::vector<double>& scale) {
        return file([&](pt::ModelWriter& writer) {
            writer.vector("mean", mean);
            writer.vector("scale", scale);
        });
    };
    CHECK_NOTHROW(loaded<Scale::Model>(scaler({1, 2}, {1, 2})));
    CHECK_THROWS_AS(loaded<Scale::Model>(scaler({1, 2}, {1})), pt::ModelFileInvalid);
    CHECK_THROWS_AS(loaded<Scale::Model>(scaler({1}, {1, 2})), pt::ModelFileInvalid);
    for (const double bad : {0.0, -1.0, infinity, std::numeric_limits<double>::quiet_NaN(), 1e-320})
        CHECK_THROWS_AS(loaded<Scale::Model>(scaler({1}, {bad})), pt::ModelFileInvalid);
    CHECK_THROWS_AS(loaded<Scale::Model>(scaler({infinity}, {1})), pt::ModelFileInvalid);

    const auto encoder = [](const std::vector<std::string>& categories, bool own_column) {
        return file([&](pt::ModelWriter& writer) {
            writer.texts("categories", categories);
            writer.scalar("drop_last", false);
            writer.scalar("own_column", own_column);
        });
    };
    CHECK_NOTHROW(loaded<Encode::Model>(encoder({"a", "b"}, true)));
    CHECK_THROWS_AS(loaded<Encode::Model>(encoder({"a", "b"}, false)), pt::ModelFileInvalid);
    CHECK_THROWS_AS(loaded<Encode::Model>(encoder({"a", "a"}, true)), pt::ModelFileInvalid);
    CHECK_THROWS_AS(loaded<Encode::Model>(encoder({}, true)), pt::ModelFileInvalid);

    const auto imputer = [](double value) {
        return file([&](pt::ModelWriter& writer) { writer.scalar("value", value); });
    };
    CHECK(loaded<Numbers>(imputer(3)).value() == 3.0);
    CHECK_THROWS_AS(loaded<Numbers>(imputer(infinity)), pt::ModelFileInvalid);
}

}  // namespace saved_models_test
