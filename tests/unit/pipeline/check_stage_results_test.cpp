// SPDX-License-Identifier: Apache-2.0
// Broken results: of another width than declared, probabilities that are none, a name that is another stage's; and resamplers.
#include "broken_stages.hpp"

namespace check_stage_results_test {

using namespace partita;

namespace {

/// Writes vectors of two elements, or pretends to.
struct Pair {
    using stage_concept = Transformer;
    static constexpr std::string_view id = "Pair";
    using Inputs = Columns<Column<"x", float>>;
    using Outputs = Columns<Column<"pair", Vector<float, 2>>>;

    bool too_wide = false;

    std::size_t output_width(std::span<const float>) const { return too_wide ? 3 : 2; }
    void operator()(std::span<const float> x, MatrixView<float> out) const {
        for (std::size_t row = 0; row < x.size(); ++row)
            for (std::size_t c = 0; c < out.columns(); ++c) out[row][c] = x[row];
    }
    BOOST_DESCRIBE_CLASS(Pair, (), (too_wide), (), ())
};

/// Two classes by the sign of x, and how likely the second is.
struct Sign {
    using stage_concept = Predictor;
    static constexpr std::string_view id = "Sign";
    using Inputs = Columns<Column<"x", float>>;
    using FitInputs = Columns<Column<"x", float>, Target<"y", kinds_of(Kind::float32)>>;
    using Outputs = Columns<Column<"prediction", float>, Column<"probability", double>>;

    double slope = 0.1;
    bool contrary = false;

    struct Summary {
        ExactSum weight;
        void update(std::span<const float> x, std::span<const float> y, Weights weights) {
            for (std::size_t i = 0; i < x.size(); ++i) {
                if (weights[i] == 0) continue;
                if (!(x[i] - x[i] == 0 && y[i] - y[i] == 0))
                    throw NonFiniteValue("not finite", Place{.row = static_cast<std::int64_t>(i)});
                if (y[i] != 0 && y[i] != 1) throw WrongClassCount("two classes, 0 and 1");
                weight.add(weights[i]);
            }
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (weight), (), ())
    };
    struct Model {
        double slope = 0;
        bool contrary = false;
        void operator()(std::span<const float> x, std::span<float> prediction, std::span<double> probability) const {
            for (std::size_t i = 0; i < x.size(); ++i) {
                if (!(x[i] - x[i] == 0)) throw NonFiniteValue("not finite", Place{.row = static_cast<std::int64_t>(i)});
                probability[i] = 0.5 + slope * static_cast<double>(x[i]);
                prediction[i] = (probability[i] > 0.5) != (contrary && x[i] > 2) ? 1.0F : 0.0F;
            }
        }
        BOOST_DESCRIBE_CLASS(Model, (), (slope, contrary), (), ())
    };
    Model finish(const Summary& summary) const {
        if (!(summary.weight.value() > 0)) throw EmptyDataset("no rows");
        return {slope, contrary};
    }
};

/// Has the id and the columns of a stage that check_stage uses itself.
struct Impostor {
    using stage_concept = Transformer;
    static constexpr std::string_view id = "Neighbour";
    using Inputs = Columns<Column<"x", float>>;
    using Outputs = Columns<Column<"another stage", std::uint8_t>>;
    void operator()(std::span<const float>, std::span<std::uint8_t> out) const {
        for (std::uint8_t& value : out) value = 1;
    }
};

/// Keeps a row with the chance `share`, by its id.
struct Thin {
    using stage_concept = Resampler;
    static constexpr std::string_view id = "Thin";
    using Inputs = Columns<Column<"x", float>>;
    double share = 0.5;
    bool by_place = false;  ///< broken: looks at the row's place in its block

    void operator()(std::span<const float> x, std::span<const std::int64_t> ids, std::span<double> times) const {
        for (std::size_t i = 0; i < x.size(); ++i)
            times[i] =
                uniform(1, 1, by_place ? reinterpret_cast<std::uintptr_t>(&x[i]) : static_cast<std::uint64_t>(ids[i])) <
                        share
                    ? 1
                    : 0;
    }
    BOOST_DESCRIBE_CLASS(Thin, (), (share, by_place), (), ())
};

}  // namespace

static_assert(std::is_same_v<detail::TableToCheck<Sign>, Schema<Column<"x", float>, Column<"y", float>>>);

TEST_CASE("a result of another width than declared is caught", "[pipeline][check_stage]") {
    broken::is_sound(check_stage<Pair>());
    broken::catches(check_stage<Pair>({.stage = {.too_wide = true}}), "results have the declared columns");
}

TEST_CASE("probabilities that are none are caught, and predictions that contradict them", "[pipeline][check_stage]") {
    broken::is_sound(check_stage<Sign>());
    const char* law = "probabilities lie in [0, 1] and agree with predictions";
    broken::catches(check_stage<Sign>({.stage = {.slope = 0.4}}), law);
    broken::catches(check_stage<Sign>({.stage = {.contrary = true}}), law);
}

TEST_CASE("a stage with the id of another is caught", "[pipeline][check_stage]") {
    broken::catches(check_stage<Impostor>(), "another pipeline refuses the file");
}

TEST_CASE("a resampler is judged by the weights that it leaves", "[pipeline][check_stage]") {
    broken::is_sound(check_stage<Thin>());
    CHECK_FALSE(check_stage<Thin>({.stage = {.by_place = true}}).passed());
}

}  // namespace check_stage_results_test
