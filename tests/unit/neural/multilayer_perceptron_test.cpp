// SPDX-License-Identifier: Apache-2.0
#include "digits.hpp"

#include <partita/comm/wire.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/neural/multilayer_perceptron.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <distributed/every_policy.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdio>
#include <filesystem>

namespace multilayer_perceptron_test {

namespace {

namespace pt = partita;
using partita_tests::Digit;

using OfDigits = pt::MultilayerPerceptron<"pixels", "digit">;
static_assert(pt::Stage<OfDigits>);
static_assert(std::is_same_v<OfDigits::stage_concept, pt::Predictor>);

struct Point {
    pt::Vector<double, 2> x;
    pt::Category side;
    double w;
    BOOST_DESCRIBE_CLASS(Point, (), (x, side, w), (), ())
};
using OfPoints = pt::MultilayerPerceptron<"x", "side">;

/// Points of a square, of which those of two opposite quarters are "in": no line tells them apart. w is 0, 1 or 2.
std::vector<Point> quarters(std::size_t rows) {
    std::vector<Point> points(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        const double a = 2 * pt::uniform(7, 1, i) - 1, b = 2 * pt::uniform(7, 2, i) - 1;
        points[i].x[0] = a;
        points[i].x[1] = b;
        points[i].side = a * b > 0 ? "in" : "out";
        points[i].w = static_cast<double>(pt::uniform_index(7, 3, i, 3));
    }
    return points;
}

const pt::RunSettings quiet{.threads = 1, .progress = pt::ShowProgress::never};

/// Everything that a model is made of.
template <class Model>
std::vector<double> numbers(const Model& model) {
    std::vector<double> all = model.loss_history();
    for (std::size_t l = 0; l < model.layers(); ++l) {
        for (std::size_t o = 0; o < model.outputs(l); ++o) {
            all.push_back(static_cast<double>(model.bias(l, o)));
            for (std::size_t i = 0; i < model.inputs(l); ++i) all.push_back(static_cast<double>(model.weight(l, i, o)));
        }
    }
    return all;
}

}  // namespace

TEST_CASE("a network learns quarters, which no linear model can", "[neural]") {
    pt::LocalSession session(quiet);
    const auto points = quarters(3000);
    const auto data = pt::as_train(pt::dataset(session, points));
    for (const auto activation : {pt::HiddenActivation::relu, pt::HiddenActivation::tanh}) {
        const auto model = pt::pipeline(OfPoints{.hidden = {16},
                                                 .activation = activation,
                                                 .learning_rate = 0.01,
                                                 .batch_rows = 64,
                                                 .max_epochs = 40})
                               .fit(data);
        int right = 0;
        for (const Point& point : points) {
            const pt::Category side = model.predict(point);
            const double probability = model.predict_probability(point);
            right += side == point.side;
            REQUIRE((side == pt::Category("out")) == (probability > 0.5));
        }
        CHECK(right > 2900);  // of 3000; half would be chance
        const auto each = model.transform<"probabilities">(points[0]);
        CHECK(each.size() == 2);
        CHECK(each[0] + each[1] == Approx(1).epsilon(1e-15));
        CHECK(each[1] == model.predict_probability(points[0]));
    }
}

TEST_CASE("a network learns digits as well as scikit-learn's", "[neural]") {
    const auto train = partita_tests::digits("train"), test = partita_tests::digits("test");
    pt::LocalSession session(quiet);
    const auto rows = pt::as_train(pt::dataset(session, train));
    const auto held_out = pt::as_test(pt::dataset(session, test));
    // scikit-learn 1.9.1, MLPClassifier((32,), batch_size=64, max_iter=30, alpha=0) with the same solvers and rates gets 0.924 to
    // 0.942 of these right over five seeds each.
    for (const auto& learner : {OfDigits{.hidden = {32}, .learning_rate = 5e-3, .batch_rows = 64, .max_epochs = 30},
                                OfDigits{.hidden = {32},
                                         .solver = pt::NetworkSolver::sgd,
                                         .learning_rate = 0.2,
                                         .batch_rows = 64,
                                         .max_epochs = 30}}) {
        const auto model = pt::pipeline(learner).fit(rows);
        const auto& network = model.stage<1>();
        CHECK(network.classes().size() == 10);
        CHECK(network.loss_history().size() == 30);
        CHECK(network.loss_history().back() < 0.1);
        CHECK_FALSE(network.converged());
        const double accuracy = pt::evaluate(model.transform(held_out), pt::Accuracy<"digit">{});
        CHECK(accuracy > 0.92);
        const auto each = model.transform<"probabilities">(test[0]);
        double sum = 0, largest = 0;
        for (const double one : each) sum += one, largest = std::max(largest, one);
        CHECK(sum == Approx(1).epsilon(1e-12));
        CHECK(model.predict_probability(test[0]) == largest);
        CHECK(model.predict(test[0]) == test[0].digit);
    }
}

TEST_CASE("a network is the same on any threads, workers and policies", "[neural][distributed]") {
    const auto points = quarters(9000);  // three blocks
    const auto numbers_of = every_policy::gives_the_same([&](pt::Session& session) {
        auto data = pt::as_train(pt::dataset(session, points).template weigh_by<"w">());
        const auto model =
            pt::pipeline(OfPoints{.hidden = {12, 7}, .learning_rate = 0.01, .batch_rows = 600, .max_epochs = 2})
                .fit(data);
        return numbers(model.template stage<1>());
    });
    CHECK(numbers_of.size() == 2 + 12 * 3 + 7 * 13 + 8);
}

TEST_CASE("a network's seeds, weights and saved bytes", "[neural]") {
    pt::LocalSession session(quiet);
    const auto points = quarters(5000);
    const auto all = pt::dataset(session, points);
    const OfPoints learner{.hidden = {8}, .batch_rows = 128, .max_epochs = 2};
    const auto fitted = [](auto data, const OfPoints& with) { return pt::pipeline(with).fit(pt::as_train(data)); };

    OfPoints other = learner;
    other.seed = 1;
    const auto plain = fitted(all, learner);
    CHECK(numbers(plain.stage<1>()) == numbers(fitted(all, learner).stage<1>()));
    CHECK(numbers(plain.stage<1>()) != numbers(fitted(all, other).stage<1>()));

    // A row of weight 0 is not there, whatever it holds; of the others only the ratios count.
    const auto heavy = fitted(all.weigh_by<"w">(), learner).stage<1>();
    const auto filtered = all.filter<"w">([](double w) { return w > 0; });
    CHECK(numbers(fitted(filtered.weigh_by<"w">(), learner).stage<1>()) == numbers(heavy));

    pt::save(session, plain, "network.safetensors");
    const auto loaded = pt::load<std::remove_cvref_t<decltype(plain)>>("network.safetensors");
    CHECK(numbers(loaded.stage<1>()) == numbers(plain.stage<1>()));
    for (std::size_t i = 0; i < 50; ++i)
        CHECK(loaded.predict_probability(points[i]) == plain.predict_probability(points[i]));
    std::remove("network.safetensors");
}

TEST_CASE("a network's fit goes on from a checkpoint to the same weights, on other workers", "[neural]") {
    struct Interrupt final : pt::Progress {
        void begin(std::string_view, std::uint64_t) override {}
        void advance(std::uint64_t steps) override {
            seen += steps;
            if (seen == at) cancel.cancel();
        }
        void end() override {}
        std::uint64_t seen = 0, at = 0;
        pt::CancelToken cancel;
    } interrupt;
    const auto points = quarters(9000);
    const OfPoints learner{.hidden = {5}, .batch_rows = 1024, .max_epochs = 6};
    const auto fitted = [&](pt::Session& session) {
        return numbers(pt::pipeline(learner).fit(pt::as_train(pt::dataset(session, points))).template stage<1>());
    };
    pt::LocalSession whole(quiet);
    const auto expected = fitted(whole);

    const std::filesystem::path folder = "network_checkpoints";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    const pt::CheckpointSettings checkpoint{.folder = folder.string(), .every = 2};
    interrupt.at = 40;  // in the fifth epoch of nine batches
    pt::LocalSession stopped(
        {.threads = 1, .checkpoint = checkpoint, .progress_sink = &interrupt, .cancel = interrupt.cancel});
    CHECK_THROWS_AS(fitted(stopped), pt::Cancelled);
    interrupt.seen = interrupt.at = 0;
    std::vector<std::vector<double>> found(2);
    pt::run<pt::RingAllReduce<>>({.threads = 1, .workers = 2, .checkpoint = checkpoint, .progress_sink = &interrupt},
                                 [&](pt::Session& session) { found[session.rank()] = fitted(session); });
    CHECK(found[0] == expected);
    CHECK(found[1] == expected);
    CHECK(interrupt.seen == 2 * 9);  // the last two epochs alone
    std::filesystem::remove_all(folder);
}

TEST_CASE("a network ends where its loss no longer falls, reports progress, and is cancelled", "[neural]") {
    struct Steps final : pt::Progress {
        void begin(std::string_view, std::uint64_t total) override { expected = total; }
        void advance(std::uint64_t steps) override {
            seen += steps;
            if (seen == cancel_at) cancel.cancel();
        }
        void end() override { ++ended; }
        std::uint64_t expected = 0, seen = 0, cancel_at = 0;
        int ended = 0;
        pt::CancelToken cancel;
    } steps;
    pt::LocalSession session({.threads = 2, .progress_sink = &steps, .cancel = steps.cancel});
    const auto data = pt::as_train(pt::dataset(session, quarters(1000)));
    // No epoch lowers the loss by 10, so the first is the best and the fit ends after two more.
    const auto model =
        pt::pipeline(OfPoints{.hidden = {}, .batch_rows = 100, .max_epochs = 50, .tolerance = 10, .patience = 2})
            .fit(data);
    CHECK(model.stage<1>().converged());
    CHECK(model.stage<1>().loss_history().size() == 3);
    CHECK(model.stage<1>().layers() == 1);
    CHECK(steps.expected == 50 * 10);
    CHECK(steps.seen == 3 * 10);
    CHECK(steps.ended >= 1);
    CHECK_THROWS_AS(pt::pipeline(OfPoints{.hidden = {4}, .max_epochs = 2, .must_converge = true}).fit(data),
                    pt::NotConverged);
    steps.seen = 0;
    steps.cancel_at = 7;
    CHECK_THROWS_AS(pt::pipeline(OfPoints{.hidden = {4}, .batch_rows = 100}).fit(data), pt::Cancelled);
    CHECK(steps.seen == 7);
}

TEST_CASE("what a network refuses", "[neural]") {
    const auto cause = [](std::vector<Point> points, const OfPoints& learner) -> std::string {
        const auto lines = every_policy::outcomes(
            2, [&](pt::Session& session) { pt::pipeline(learner).fit(pt::as_train(pt::dataset(session, points))); });
        CHECK(lines[0] == lines[1]);
        return lines[0].substr(0, lines[0].find(':'));
    };
    const auto points = quarters(5000);
    CHECK(cause(points, {.hidden = {3}, .max_epochs = 1}) == "fine");
    auto bad = points;
    bad[4999].x[1] = 1e300;  // no float
    CHECK(cause(bad, {}) == "non_finite_value");
    bad = points;
    for (Point& point : bad) point.side = "in";
    CHECK(cause(bad, {}) == "wrong_class_count");
    CHECK(cause({}, {}) == "empty_dataset");
    CHECK(cause(points, {.solver = pt::NetworkSolver::sgd, .learning_rate = 1e30}) == "numeric_overflow");
    for (const OfPoints& learner :
         {OfPoints{.hidden = {4, 0}}, OfPoints{.activation = pt::HiddenActivation(7)},
          OfPoints{.solver = pt::NetworkSolver(7)}, OfPoints{.learning_rate = 0}, OfPoints{.momentum = 1},
          OfPoints{.first_decay = -1}, OfPoints{.second_decay = 2}, OfPoints{.epsilon = 0}, OfPoints{.l2 = -1},
          OfPoints{.batch_rows = 0}, OfPoints{.max_epochs = 0}, OfPoints{.tolerance = -1}, OfPoints{.patience = 0}})
        CHECK(cause(points, learner) == "invalid_setting");
}

}  // namespace multilayer_perceptron_test
