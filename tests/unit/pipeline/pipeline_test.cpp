// SPDX-License-Identifier: Apache-2.0
#include "rides.hpp"

#include <partita/math/count.hpp>
#include <partita/math/exact_sum.hpp>

#include <catch2/catch.hpp>

namespace pipeline_test {

namespace pt = partita;
using namespace rides;

// ---- types --------------------------------------------------------------------------------------------------------------
using Train = pt::Dataset<Ride, pt::Train>;
static_assert(std::is_same_v<decltype(std::declval<const Model&>().predict(Request{})), double>);
static_assert(
    std::is_same_v<decltype(std::declval<const Model&>().transform(std::declval<Train>()))::role_type, pt::InSample>);
static_assert(std::is_same_v<
              decltype(std::declval<const Model&>().transform(std::declval<pt::Dataset<Ride, pt::Test>>()))::role_type,
              pt::Test>);
static_assert(std::is_same_v<decltype(pt::Impute<"tip">{} | (pt::StandardScale<"tip">{} | pt::StandardScale<"km">{})),
                             pt::Pipeline<pt::Impute<"tip">, pt::StandardScale<"tip">, pt::StandardScale<"km">>>);
static_assert(std::is_same_v<decltype(pt::pipeline(pt::Impute<"tip">{}, pt::StandardScale<"tip">{})),
                             decltype(pt::Impute<"tip">{} | pt::StandardScale<"tip">{})>);

namespace {

/// How often summaries and resamplers of this file were shown rows.
std::atomic<std::int64_t> rows_summed{0}, rows_resampled{0};

/// Subtracts the mean of a column, and counts the rows that its fit sees.
template <pt::Name Value>
struct Centre {
    using stage_concept = pt::Estimator;
    static constexpr std::string_view id = "Centre";
    using Inputs = pt::Columns<pt::Column<Value, float>>;
    using Outputs = Inputs;
    struct Summary {
        pt::Count count;
        pt::ExactSum sum;
        void update(std::span<const float> x, pt::Weights weights) {
            rows_summed += static_cast<std::int64_t>(x.size());
            count.update(x.size(), weights);
            for (std::size_t i = 0; i < x.size(); ++i) sum.add(static_cast<double>(x[i]) * weights[i]);
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (count, sum), (), ())
    };
    struct Model {
        double mean = 0;
        void operator()(std::span<const float> x, std::span<float> out) const {
            for (std::size_t i = 0; i < x.size(); ++i) out[i] = static_cast<float>(static_cast<double>(x[i]) - mean);
        }
        BOOST_DESCRIBE_CLASS(Model, (), (mean), (), ())
    };
    Model finish(const Summary& summary) const { return {summary.sum.value() / summary.count.weight()}; }
};

/// Lets rides by night count three times, and others not at all.
struct OnlyNights {
    using stage_concept = pt::Resampler;
    static constexpr std::string_view id = "OnlyNights";
    using Inputs = pt::Columns<pt::Column<"night", bool>>;
    void operator()(std::span<const bool> night, std::span<const std::int64_t> row_ids, std::span<double> times) const {
        rows_resampled += static_cast<std::int64_t>(row_ids.size());
        for (std::size_t i = 0; i < night.size(); ++i) times[i] = night[i] ? 3 : 0;
    }
};

double mean_km(const std::vector<Ride>& rides, bool nights_only, double night_weight = 1) {
    double sum = 0, weight = 0;
    for (const Ride& ride : rides) {
        const double w = ride.night ? night_weight : (nights_only ? 0 : 1);
        sum += w * static_cast<double>(ride.km);
        weight += w;
    }
    return sum / weight;
}

}  // namespace

TEST_CASE("estimators that do not depend on each other share a pass, and nothing unread is computed", "[pipeline]") {
    pt::LocalSession session(quiet());
    const auto train = pt::as_train(pt::dataset(session, make()));
    CHECK(pipeline().explain<Ride>() ==
          "pass 1: fit Impute<\"tip\">; fit OneHotEncode<\"town\">;\n"
          "pass 2: fit StandardScale<\"features\">;\n"
          "pass 3: fit LinearRegression<\"features\">;\n");
    rows_mapped = 0;
    const Model model = pipeline().fit(train);
    CHECK(rows_mapped == 2 * static_cast<std::int64_t>(count));  // pass 1 does not read it

    rows_summed = rows_mapped = 0;
    const auto counted = [](float km) {
        ++rows_mapped;
        return 2 * km;
    };
    const auto two = pt::map<"km", "x">(counted) | pt::map<"km", "y">([](float km) { return km + 1; }) | Centre<"x">{} |
                     Centre<"y">{};
    const auto fitted = two.fit(train);
    CHECK(rows_mapped == static_cast<std::int64_t>(count));
    CHECK(rows_summed == 2 * static_cast<std::int64_t>(count));
    CHECK(fitted.stage<3>().mean == Approx(2 * mean_km(make(), false)).epsilon(1e-14));

    // A chain needs a pass a link, and the second Centre sees what the first one made.
    rows_summed = 0;
    const auto chained =
        (Centre<"km">{} | pt::map<"km", "again">([](float km) { return km + 5; }) | Centre<"again">{}).fit(train);
    CHECK(rows_summed == 2 * static_cast<std::int64_t>(count));
    CHECK(chained.stage<3>().mean == Approx(5).margin(1e-6));
}

TEST_CASE("a transformed dataset computes a column when somebody reads it, and only then", "[pipeline][lazy]") {
    pt::LocalSession session(quiet());
    const auto data = pt::as_test(pt::dataset(session, make()));
    const Model model = fit();
    rows_mapped = 0;
    const auto scored = model.transform(data);
    CHECK(scored.count() == static_cast<std::int64_t>(count));
    static_cast<void>(scored.select<"tip", "fare">().collect());
    CHECK(rows_mapped == 0);
    static_cast<void>(scored.select<"root_km">().head(5));
    CHECK(rows_mapped <= static_cast<std::int64_t>(count));
    rows_mapped = 0;
    const auto kept = scored.filter<"prediction">([](double fare) { return fare > 20; });
    CHECK(rows_mapped == static_cast<std::int64_t>(count));  // the filter read it, its rows are stored untransformed
    const auto stored = kept.materialize();
    rows_mapped = 0;
    CHECK(stored.select<"root_km">().collect().rows() == static_cast<std::size_t>(kept.count()));
    CHECK(rows_mapped == 0);
}

TEST_CASE("a dataset, a frame and a row are transformed alike", "[pipeline]") {
    pt::LocalSession session(quiet());
    const auto rows = make();
    const auto data = pt::as_test(pt::dataset(session, rows));
    const Model model = fit();
    const auto of_dataset = model.transform(data).collect();
    const auto of_frame = model.transform(data.collect());
    REQUIRE(of_frame.rows() == count);
    std::size_t same = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Request row = request(rows[i]);
        const std::vector<float> features = model.transform<"features">(row);
        const auto in_dataset = of_dataset.column<"features">()[i], in_frame = of_frame.column<"features">()[i];
        same += std::equal(features.begin(), features.end(), in_dataset.begin(), in_dataset.end()) &&
                std::equal(in_frame.begin(), in_frame.end(), in_dataset.begin(), in_dataset.end()) &&
                model.predict(row) == of_dataset.column<"prediction">()[i] &&
                of_frame.column<"prediction">()[i] == of_dataset.column<"prediction">()[i] &&
                of_frame.row_id(i) == static_cast<std::int64_t>(i);
    }
    CHECK(same == count);
}

TEST_CASE("a sparse vector of one row is given with its elements", "[pipeline]") {
    pt::LocalSession session(rides::quiet());
    const auto rows = rides::make(100);
    const auto model =
        (pt::OneHotEncode<"town", pt::Unseen::all_zero>{} | pt::AssembleSparse<"km", "town", "night", "x">{})
            .fit(pt::as_train(pt::dataset(session, rows)));
    const auto frame = model.transform(pt::dataset(session, rows)).collect();
    const auto expected = frame.column<"x">();
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const pt::SparseElements<float> elements = model.transform<"x">(rides::request(rows[row]));
        const auto first = static_cast<std::size_t>(expected.offsets[row]),
                   last = static_cast<std::size_t>(expected.offsets[row + 1]);
        CHECK(elements.indices == std::vector(expected.indices + first, expected.indices + last));
        CHECK(elements.values == std::vector(expected.values + first, expected.values + last));
        CHECK(elements.width == 5);
    }
}

TEST_CASE("the parts of a fitted pipeline are reached by type, place and name", "[pipeline]") {
    const Model model = fit();
    CHECK(&model.get<pt::StandardScale<"features">>() == &model.stage<5>());
    CHECK(model.stage<5>().mean().size() == 7);
    std::vector<std::string> names;
    for (const auto& coefficient : model.coefficients()) names.push_back(coefficient.name);
    // Categories by count, then by their bytes: each has 3000 rides.
    CHECK(names == std::vector<std::string>{"km", "root_km", "tip", "night", "town=Aa", "town=Ede", "town=Ulm"});
    const auto coefficients = model.coefficients();
    const double of_km = coefficients[0].value / model.stage<5>().scale()[0],
                 of_night = coefficients[3].value / model.stage<5>().scale()[3];
    CHECK(of_km == Approx(2).margin(0.01));  // as the rides were made; the noise has a deviation of 0.2
    CHECK(of_night == Approx(1.5).margin(0.05));
    CHECK(model.rows() == static_cast<std::int64_t>(count));
}

TEST_CASE("an error about an element of the features names the feature", "[pipeline]") {
    pt::LocalSession session(rides::quiet());
    auto rows = rides::make(5'000);
    const auto learner = pt::OneHotEncode<"town", pt::Unseen::own_column>{} |
                         pt::Assemble<"km", "town", "night", "features">{} | pt::LinearRegression<"features", "fare">{};
    const auto error_of = [&]() -> pt::CollinearFeatures {
        try {
            learner.fit(pt::as_train(pt::dataset(session, rows)));
        } catch (const pt::CollinearFeatures& error) {
            return error;
        }
        return pt::CollinearFeatures("none");
    };
    // The three towns and the intercept are dependent; the last of them is the first that those before it determine.
    const auto collinear = error_of();
    CHECK(collinear.place().element == 3);
    CHECK_THAT(collinear.what(), Catch::EndsWith("; element 3 is \"town=Ulm\""));

    rows[4'500].km = std::numeric_limits<float>::infinity();
    for (std::size_t workers : {0u, 3u}) {
        try {
            pt::LocalSession again(rides::quiet(2, workers));
            learner.fit(pt::as_train(pt::dataset(again, rows)));
            FAIL("an infinite feature was fitted");
        } catch (const pt::NonFiniteValue& error) {
            CHECK(error.place().row == 4'500);
            CHECK(error.place().element == 0);
            CHECK_THAT(error.what(), Catch::EndsWith("; element 0 is \"km\""));
        }
    }
}

TEST_CASE("interned categories score as their texts do", "[pipeline]") {
    const Model model = fit();
    Request row = request(make()[1]);
    for (const char* town : {"Ede", "Ulm", "Aa", "nowhere"}) {
        row.town = town;
        const double by_text = model.predict(row);
        row.town = model.intern<"town">(town);
        row.town.text = "not looked at";
        CHECK(model.predict(row) == by_text);
    }
    CHECK(model.intern<"town">("nowhere").id == 3);  // one past the last: not seen in the fit
    CHECK(model.intern<"town">("Ede").id == 1);      // Aa and Ede are equally many, and "Aa" is before "Ede"
}

TEST_CASE("with changes one setting of a copy", "[pipeline]") {
    pt::LocalSession session(quiet());
    const auto train = pt::as_train(pt::dataset(session, make()));
    using Learner = pt::LinearRegression<"features", "fare">;
    const auto first = pipeline();
    const auto second = first.with(&Learner::l2, 10).with(&pt::StandardScale<"features">::center, false);
    CHECK(std::get<5>(first.stages).l2 == 1e-6);
    CHECK(std::get<5>(second.stages).l2 == 10.0);
    CHECK(std::get<4>(first.stages).center);
    CHECK_FALSE(std::get<4>(second.stages).center);
    CHECK(std::abs(second.fit(train).coefficients()[0].value) < std::abs(first.fit(train).coefficients()[0].value));
    try {
        first.with(&Learner::l2, -1).fit(train);
        FAIL("a negative penalty was taken");
    } catch (const pt::InvalidSetting& error) {
        CHECK(error.place().stage.find("LinearRegression") != std::string::npos);
        CHECK(error.place().setting == "l2");
    }
}

TEST_CASE("a resampler acts on the fits behind it, and on nothing else", "[pipeline][resampler]") {
    pt::LocalSession session(quiet());
    const auto rows = make();
    const auto data = pt::dataset(session, rows);
    const auto resampling =
        pt::map<"km", "before">([](float km) { return km; }) | Centre<"before">{} | OnlyNights{} | Centre<"km">{};
    rows_resampled = 0;
    const auto model = resampling.fit(pt::as_train(data));
    CHECK(rows_resampled == static_cast<std::int64_t>(count));
    CHECK(model.stage<2>().mean == Approx(mean_km(rows, false)).epsilon(1e-14));
    CHECK(model.stage<4>().mean == Approx(mean_km(rows, true)).epsilon(1e-14));

    // Afterwards it is the identity: all rows are there, none is weighed, and it does not run.
    rows_resampled = 0;
    const auto scored = model.transform(pt::as_test(data));
    CHECK(scored.count() == static_cast<std::int64_t>(count));
    static_cast<void>(scored.collect());
    CHECK(model.transform<"km">(rows[0]) == Approx(static_cast<double>(rows[0].km) - model.stage<4>().mean));
    CHECK(rows_resampled == 0);

    // Its counts multiply the weights that are in force.
    const auto weighed = resampling.fit(pt::as_train(data.weigh_by<"fare">()));
    double sum = 0, weight = 0;
    for (const Ride& ride : rows) {
        if (!ride.night) continue;
        sum += static_cast<double>(ride.fare) * static_cast<double>(ride.km);
        weight += static_cast<double>(ride.fare);
    }
    CHECK(weighed.stage<4>().mean == Approx(sum / weight).epsilon(1e-12));
}

TEST_CASE("a fit without rows is an error, and so is one of a worker's rows", "[pipeline]") {
    pt::LocalSession session(quiet());
    CHECK_THROWS_AS(pipeline().fit(pt::as_train(pt::dataset(session, std::vector<Ride>{}))), pt::EmptyDataset);

    auto rows = make();
    rows[8'500].km = std::nanf("");
    std::vector<std::string> lines(3);
    pt::run<pt::TreeAggregate<>>(quiet(1, 3), [&](pt::Session& worker) {
        try {
            pipeline().fit(pt::as_train(pt::dataset(worker, rows)));
        } catch (const pt::NonFiniteValue& error) {
            lines[worker.rank()] = std::to_string(error.place().row) + " " + error.place().stage;
        }
    });
    CHECK(lines == std::vector<std::string>(3, "8500 StandardScale<\"features\">"));
}

TEST_CASE("an error at work on rows and blocks names the stage that raised it", "[pipeline]") {
    pt::LocalSession session(quiet());
    auto rows = make();
    const auto train = pt::as_train(pt::dataset(session, rows));
    const auto stage_of = [](const auto& act) {
        try {
            act();
        } catch (const pt::NonFiniteValue& error) {
            return error.place().stage;
        }
        return std::string("no error");
    };
    // The learner's own code does not know what it is called.
    const auto learner = pt::Assemble<"km", "night", "features">{} | pt::LinearRegression<"features", "fare">{.l2 = 1};
    const auto model = learner.fit(train);
    rows[8'500].km = std::nanf("");
    const std::string named = "LinearRegression<\"features\">";
    CHECK(stage_of([&] { model.predict(rows[8'500]); }) == named);
    CHECK(stage_of([&] { model.scorer().predict(rows[8'500]); }) == named);
    const auto test = pt::as_test(pt::dataset(session, rows));
    CHECK(stage_of([&] { model.transform(test).collect(); }) == named);
    CHECK(stage_of([&] { model.transform(test.collect()); }) == named);

    // What is learnt from a column of another stage is not to blame for it.
    const auto twice = pt::map<"km", "root_km">([](float km) {
                           if (km > 36) throw pt::NonFiniteValue("too far");
                           return km;
                       }) |
                       Centre<"root_km">{};
    CHECK(stage_of([&] { twice.fit(train); }).starts_with("map"));
}

}  // namespace pipeline_test
