// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <partita/feature/standard_scale.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace standard_scale_test {

namespace pt = partita;
using Scale = pt::StandardScale<"x">;
using Summary = Scale::Summary;

static_assert(pt::Stage<Scale>);
static_assert(pt::exact_state<Summary>);
static_assert(std::is_same_v<Scale::OutputsFor<float>, pt::Columns<pt::Column<"x", float>>>);
static_assert(std::is_same_v<Scale::OutputsFor<short>, pt::Columns<pt::Column<"x", float>>>);
static_assert(std::is_same_v<Scale::OutputsFor<int>, pt::Columns<pt::Column<"x", double>>>);
static_assert(
    std::is_same_v<Scale::OutputsFor<pt::Vector<float, 3>>, pt::Columns<pt::Column<"x", pt::Vector<float, 3>>>>);
static_assert(!Scale::Inputs::inputs[0].takes(pt::column_type<std::optional<float>>));
static_assert(!Scale::Inputs::inputs[0].takes(pt::column_type<pt::Category>));
static_assert(!Scale::Inputs::inputs[0].takes(pt::column_type<pt::OneHot>));

namespace {

template <class T>
Scale::Model fit(const std::vector<T>& x, Scale stage = {}, pt::Weights weights = {}) {
    Summary summary = stage.start();
    summary.update(std::span<const T>(x), weights);
    return stage.finish(summary);
}

template <class T>
std::vector<pt::Feature<T>> scaled(const Scale::Model& model, const std::vector<T>& x) {
    std::vector<pt::Feature<T>> out(x.size());
    model(std::span<const T>(x), std::span(out));
    return out;
}

std::vector<float> noise(std::size_t count, float mean, float deviation) {
    std::vector<float> values(count);
    std::uint32_t state = 12345;
    for (float& value : values) {
        state = state * 1664525u + 1013904223u;
        value = mean + deviation * (static_cast<float>(state >> 8) / 8388608.0f - 1.0f);
    }
    return values;
}

}  // namespace

TEST_CASE("a column of numbers gets mean 0 and deviation 1", "[feature]") {
    // 1, 2, 3, 4: mean 2.5, squares around it sum to 5, over 4 rows 1.25.
    const auto model = fit(std::vector<float>{1, 2, 3, 4});
    CHECK(model.mean() == std::vector<double>{2.5});
    CHECK(model.scale() == std::vector<double>{std::sqrt(1.25)});
    const auto out = scaled(model, std::vector<float>{1, 2.5f, 4});
    CHECK(out[0] == static_cast<float>(-1.5 * (1.0 / std::sqrt(1.25))));
    CHECK(out[1] == 0.0f);
    CHECK(out[2] == -out[0]);
}

TEST_CASE("centring and scaling can each be left out", "[feature]") {
    const std::vector<double> x{10, 14};
    CHECK(scaled(fit(x, {.center = false}), x) == std::vector<double>{5, 7});
    CHECK(scaled(fit(x, {.scale = false}), x) == std::vector<double>{-2, 2});
    CHECK(scaled(fit(x, {.center = false, .scale = false}), x) == x);
    CHECK(fit(x, {.center = false}).mean() == std::vector<double>{0});
    CHECK(fit(x, {.scale = false}).scale() == std::vector<double>{1});
}

TEST_CASE("constant columns become zero", "[feature]") {
    const std::vector<float> x(5000, 0.1f);
    const auto model = fit(x);
    CHECK(model.scale() == std::vector<double>{1});
    for (const float value : scaled(model, x)) CHECK(value == 0.0f);
    CHECK(scaled(fit(std::vector<float>{7}), std::vector<float>{7})[0] == 0.0f);
}

TEST_CASE("a large mean costs the deviation no digit", "[feature]") {
    // Σwx² carries some 104 bits, so the relative error of the variance is 2^-104 (mean / deviation)²: nothing at 2^26, and
    // 2^-38 at 2^33.
    for (const auto& [deviation, tolerance] : {std::pair{16.0, 1e-15}, std::pair{0.125, 1e-11}}) {
        std::vector<double> x;
        for (int i = 0; i < 4096; ++i) x.push_back(1e9 + (i % 2 == 0 ? -deviation : deviation));
        const auto model = fit(x);
        CHECK(model.mean()[0] == 1e9);
        CHECK(model.scale()[0] == Approx(deviation).epsilon(tolerance));
        const auto out = scaled(model, x);
        CHECK(out[0] == Approx(-1.0).epsilon(tolerance));
        CHECK(out[1] == Approx(1.0).epsilon(tolerance));
    }
    // In float the mean is subtracted before anything is rounded.
    std::vector<float> x(4096, 1e9f);
    x[7] = 1e9f + 64.0f;
    const auto out = scaled(fit(x), x);
    CHECK(out[7] == Approx(64.0 * 4095 / 4096 / (64.0 * std::sqrt(4095.0) / 4096)).epsilon(1e-6));
}

TEST_CASE("integers and bool become features", "[feature]") {
    const std::vector<int> x{1 << 30, (1 << 30) + 2};
    CHECK(scaled(fit(x), x) == std::vector<double>{-1, 1});
    const std::vector<std::int16_t> small{3, 5};
    CHECK(scaled(fit(small), small) == std::vector<float>{-1, 1});
    const bool flags[] = {false, true};
    const Scale stage;
    auto summary = stage.start();
    summary.update(std::span<const bool>(flags), pt::Weights());
    float out[2];
    stage.finish(summary)(std::span<const bool>(flags), std::span<float>(out));
    CHECK(out[0] == -1.0f);
    CHECK(out[1] == 1.0f);
}

TEST_CASE("every element of a vector is scaled by its own numbers", "[feature]") {
    for (const std::size_t width : {1u, 3u, 4u, 7u, 16u, 29u}) {
        const std::size_t rows = 300;
        std::vector<float> x = noise(rows * width, 3, 2);
        const Scale stage;
        Summary summary = stage.start();
        const pt::MatrixView<const float> view(x.data(), rows, width);
        summary.update(view, pt::Weights());
        const auto model = stage.finish(summary);
        REQUIRE(model.mean().size() == width);
        std::vector<float> out(rows * width), one(width);
        model(view, pt::MatrixView<float>(out.data(), rows, width));
        for (std::size_t c = 0; c < width; ++c) {
            std::vector<float> column;
            for (std::size_t r = 0; r < rows; ++r) column.push_back(x[r * width + c]);
            const auto alone = fit(column);
            // Both sums carry some 100 bits, so they round alike but for one unit.
            CHECK(model.mean()[c] == Approx(alone.mean()[0]).epsilon(1e-15));
            CHECK(model.scale()[c] == Approx(alone.scale()[0]).epsilon(1e-14));
            for (std::size_t r = 0; r < rows; ++r) {
                const double exact = (static_cast<double>(column[r]) - model.mean()[c]) * (1.0 / model.scale()[c]);
                CHECK(out[r * width + c] == static_cast<float>(exact));
            }
        }
        for (std::size_t r = 0; r < rows; ++r) {  // one row alone gives the bits of the block
            model(pt::MatrixView<const float>(x.data() + r * width, 1, width),
                  pt::MatrixView<float>(one.data(), 1, width));
            for (std::size_t c = 0; c < width; ++c) CHECK(one[c] == out[r * width + c]);
        }
    }
}

TEST_CASE("parts merge to the whole, bit for bit", "[feature]") {
    const std::vector<float> x = noise(4096, 1000, 1), y = noise(1234, -5, 3), z = noise(1, 2, 2);
    const Scale stage;
    const auto ab = columns::summarise<Summary>(stage, columns::view(x), columns::view(y), columns::view(z));
    const auto ba = columns::summarise<Summary>(stage, columns::view(z), columns::view(x), columns::view(y));
    CHECK(stage.finish(ab) == stage.finish(ba));
    Summary running = stage.start();
    for (const auto* part : {&y, &z, &x}) running.update(std::span<const float>(*part), pt::Weights());
    CHECK(stage.finish(running) == stage.finish(ab));
}

TEST_CASE("in a scale a weight of k counts as k copies, and 0 as none", "[feature]") {
    const std::vector<float> x{1, 5, 9, 100};
    const std::vector<double> weights{2, 3, 1, 0};
    const auto weighted = fit(x, {}, pt::Weights(weights.data()));
    const auto copies = fit(std::vector<float>{1, 1, 5, 5, 5, 9});
    CHECK(weighted.mean()[0] == Approx(copies.mean()[0]).epsilon(1e-15));
    CHECK(weighted.scale()[0] == Approx(copies.scale()[0]).epsilon(1e-15));
    // Scaling all weights changes nothing, below a total of 1 either.
    const std::vector<double> small{0.2, 0.3, 0.1, 0};
    const auto fractions = fit(x, {}, pt::Weights(small.data()));
    CHECK(fractions.mean()[0] == Approx(copies.mean()[0]).epsilon(1e-15));
    CHECK(fractions.scale()[0] == Approx(copies.scale()[0]).epsilon(1e-15));
}

TEST_CASE("sparse columns are scaled without centring", "[feature]") {
    const columns::Sparse<float> x(3, {{{0, 2.0f}}, {{2, -3.0f}}, {}, {{0, 2.0f}, {2, 3.0f}}});
    const Scale stage{.center = false};
    auto summary = stage.start();
    summary.update(x.view(), pt::Weights());
    const auto model = stage.finish(summary);
    // Element 0 is 2, 0, 0, 2; element 1 is always 0; element 2 is 0, -3, 0, 3.
    CHECK(model.scale() == std::vector<double>{1, 1, std::sqrt(4.5)});
    CHECK(model.mean() == std::vector<double>{0, 0, 0});
    columns::Sparse<float> out(3);
    model(x.view(), out.output(4));
    out.trim();
    CHECK(out.offsets == x.offsets);
    CHECK(out.indices == x.indices);
    CHECK(out.values[0] == 2.0f);
    CHECK(out.values[1] == static_cast<float>(-3.0 / std::sqrt(4.5)));

    auto centred = Scale{}.start();
    CHECK_THROWS_AS(centred.update(x.view(), pt::Weights()), pt::InvalidSetting);
    try {
        centred.update(x.view(), pt::Weights());
    } catch (const pt::InvalidSetting& error) {
        CHECK(error.place().setting == "center");
        CHECK(error.place().stage == "StandardScale<\"x\">");
    }
}

TEST_CASE("what is not finite is refused with its row, at fit and afterwards", "[feature]") {
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const auto good = fit(std::vector<float>{1, 2, 3});
    for (const float bad : {infinity, -infinity, nan}) {
        for (const std::size_t where : {std::size_t{0}, std::size_t{17}, std::size_t{40}}) {
            std::vector<float> x(41, 2.0f);
            x[where] = bad;
            std::vector<float> out(41);
            try {
                fit(x);
                FAIL("accepted at fit");
            } catch (const pt::NonFiniteValue& error) {
                CHECK(error.place().row == static_cast<std::int64_t>(where));
                CHECK(error.place().column == "x");
            }
            try {
                good(std::span<const float>(x), std::span<float>(out));
                FAIL("accepted afterwards");
            } catch (const pt::NonFiniteValue& error) {
                CHECK(error.place().row == static_cast<std::int64_t>(where));
            }
        }
    }
    const std::vector<double> weights{1, 0, 1};
    CHECK(fit(std::vector<float>{1, nan, 3}, {}, pt::Weights(weights.data())).mean()[0] == 2.0);

    const std::vector<float> rows{1, 2, 3, 4, nan, 6};
    const Scale stage;
    auto summary = stage.start();
    try {
        summary.update(pt::MatrixView<const float>(rows.data(), 2, 3), pt::Weights());
        FAIL("accepted");
    } catch (const pt::NonFiniteValue& error) {
        CHECK(error.place().row == 1);
        CHECK(std::string(error.what()).find("element 1") != std::string::npos);
    }
}

TEST_CASE("what a float cannot hold is refused", "[feature]") {
    const auto model = fit(std::vector<float>{1e-30f, 2e-30f});
    const std::vector<float> x{1e30f};
    std::vector<float> out(1);
    CHECK_THROWS_AS(model(std::span<const float>(x), std::span<float>(out)), pt::NumericOverflow);
    CHECK_THROWS_AS(fit(std::vector<double>{1e300, -1e300}), pt::NumericOverflow);
}

TEST_CASE("no rows and other widths are refused", "[feature]") {
    const Scale stage;
    CHECK_THROWS_AS(stage.finish(stage.start()), pt::EmptyDataset);
    const std::vector<double> none{0, 0};
    CHECK_THROWS_AS(fit(std::vector<float>{1, 2}, {}, pt::Weights(none.data())), pt::EmptyDataset);

    const std::vector<float> x(12, 1.0f);
    Summary three = stage.start(), four = stage.start();
    three.update(pt::MatrixView<const float>(x.data(), 4, 3), pt::Weights());
    four.update(pt::MatrixView<const float>(x.data(), 3, 4), pt::Weights());
    Summary both = three;
    pt::merge_state(both, four);
    CHECK_THROWS_AS(stage.finish(both), pt::WrongWidth);
    CHECK_THROWS_AS(three.update(pt::MatrixView<const float>(x.data(), 3, 4), pt::Weights()), pt::WrongWidth);
    std::vector<float> out(12);
    CHECK_THROWS_AS(
        stage.finish(four)(pt::MatrixView<const float>(x.data(), 4, 3), pt::MatrixView<float>(out.data(), 4, 3)),
        pt::WrongWidth);
}

}  // namespace standard_scale_test
