// SPDX-License-Identifier: Apache-2.0
#include <partita/linear/sparse_logistic_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include "rows.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace sparse_logistic_regression_test {

using namespace partita_tests;
using Learner = pt::SparseLogisticRegression<"x", "yes">;
using pt::SparseUpdate;

static_assert(std::is_aggregate_v<Learner> && std::is_same_v<Learner::stage_concept, pt::Predictor>);
static_assert(Learner::Inputs::inputs[0].takes(pt::column_type<pt::SparseVector<float>>) &&
              Learner::Inputs::inputs[0].takes(pt::column_type<pt::OneHot>) &&
              !Learner::Inputs::inputs[0].takes(pt::column_type<pt::Category>));

namespace {

/// Twenty flags and four numbers, of which a row has six; some rows count several times.
struct Visit {
    pt::Vector<float, 24> x{};
    bool yes = false;
    double w = 1;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (x, yes, w))

std::vector<Visit> visits(std::size_t count) {
    std::vector<Visit> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto draw = [&](std::uint32_t what) { return pt::uniform(7, what, i); };
        double margin = -1;
        for (std::uint32_t k = 0; k < 6; ++k) {
            const std::size_t index = 4 * k + static_cast<std::size_t>(4 * draw(k) * draw(k));
            rows[i].x[index] = k == 5 ? static_cast<float>(2 * draw(20) - 1) : 1.0f;
            margin += (static_cast<double>(index % 3) - 1) * static_cast<double>(rows[i].x[index]);
        }
        rows[i].yes = draw(21) < 1 / (1 + std::exp(-margin));
        rows[i].w = std::floor(4 * draw(22));
    }
    return rows;
}

/// FTRL-proximal by the book (z and n), or AdaGrad with shrinkage, in double, one row after the other.
struct Reference {
    std::vector<double> z, n, w;
    double loss = 0;

    Reference(const std::vector<Visit>& rows, const Learner& learner) : z(25), n(25), w(25) {
        for (const Visit& row : rows) {
            double margin = w[24];
            for (std::size_t k = 0; k < 24; ++k) margin += static_cast<double>(row.x[k]) * w[k];
            loss += std::log1p(std::exp(row.yes ? -margin : margin)) / static_cast<double>(rows.size());
            const double residual = 1 / (1 + std::exp(-margin)) - (row.yes ? 1 : 0);
            for (std::size_t k = 0; k < 24; ++k)
                if (row.x[k] != 0) step(k, residual * static_cast<double>(row.x[k]), learner, learner.l1, learner.l2);
            step(24, residual, learner, 0, 0);
        }
    }
    void step(std::size_t i, double gradient, const Learner& learner, double l1, double l2) {
        const double before = std::sqrt(n[i]);
        n[i] += gradient * gradient;
        const double precision = (learner.beta + std::sqrt(n[i])) / learner.alpha;
        if (learner.update == SparseUpdate::ftrl) {
            z[i] += gradient - (std::sqrt(n[i]) - before) / learner.alpha * w[i];
            w[i] = std::abs(z[i]) <= l1 ? 0 : -(z[i] - std::copysign(l1, z[i])) / (precision + l2);
        } else {
            const double moved = w[i] - gradient / precision;
            w[i] = std::copysign(std::max(std::abs(moved) - l1 / precision, 0.0), moved) / (1 + l2 / precision);
        }
    }
};

Learner one_slice(Learner learner) {
    learner.shuffle = false;
    learner.blocks = 1;
    learner.rows = 4096;
    return learner;
}

std::vector<double> dense(const pt::SparseLogisticModel<double>& model) {
    std::vector<double> all;
    for (std::size_t i = 0; i < model.width(); ++i) all.push_back(static_cast<double>(model.weight(i)));
    all.push_back(model.intercept());
    return all;
}

template <class Thrown, class Body>
pt::Place place_of(Body body) {
    try {
        body();
    } catch (const Thrown& error) {
        return error.place();
    }
    FAIL("nothing of that type was thrown");
    return {};
}

}  // namespace

TEST_CASE("a slice is learnt as FTRL-proximal and AdaGrad are written down", "[linear]") {
    const auto data = visits(9000);
    const auto check = [&](const Learner& learner) {
        const Reference by_the_book(data, learner);
        // Three blocks, one slice a clock. The weights are float, and their errors move later gradients: 1e-4 of the largest.
        const auto model = learnt(data, one_slice(learner));
        const auto found = dense(model);
        double largest = 0;
        for (double value : by_the_book.w) largest = std::max(largest, std::abs(value));
        for (std::size_t i = 0; i < found.size(); ++i) {
            INFO("element " << i);
            CHECK(found[i] == Approx(by_the_book.w[i]).margin(1e-4 * largest));
        }
        CHECK(model.progressive_loss() == Approx(by_the_book.loss).epsilon(1e-5));
        return model;
    };
    check({});
    check({.alpha = 0.5, .beta = 0.1});
    check({.l1 = 20, .l2 = 3});
    check({.update = SparseUpdate::adagrad});
    check({.update = SparseUpdate::adagrad, .l1 = 1e-3, .l2 = 1e-2});
    const auto sparse = learnt(data, one_slice({.l1 = 100}));
    CHECK(sparse.indices().size() < 20);
    CHECK(sparse.weights().size() == sparse.indices().size());
    for (float weight : sparse.weights()) CHECK(weight != 0);
}

TEST_CASE("slices that learn at once find about what one after the other finds", "[linear]") {
    const auto data = visits(120000);  // 30 blocks
    const double alone = learnt(data, one_slice({})).progressive_loss();
    // Each clock's rows learn nothing from each other: that costs most at the start, and 120,000 rows are not many.
    CHECK(learnt(data, Learner{.blocks = 2}).progressive_loss() == Approx(alone).epsilon(0.01));
    CHECK(learnt(data, Learner{.blocks = 8}).progressive_loss() == Approx(alone).epsilon(0.02));
    CHECK(learnt(data, Learner{.blocks = 30}).progressive_loss() == Approx(alone).epsilon(0.06));
}

TEST_CASE("many epochs end near the least loss", "[linear]") {
    // The least log loss is scikit-learn's LogisticRegression(penalty=None), as in logistic_regression_test.cpp.
    const auto model = learnt(linear_rows<float>(), Learner{.alpha = 0.5, .epochs = 30});
    CHECK(model.losses().size() == 30);
    CHECK(model.losses().back() < 0.5074101288270149 * 1.002);
    CHECK(model.losses().back() > 0.5074101288270149 * 0.998);
    CHECK(model.losses().front() > model.losses().back());
}

TEST_CASE("a row of weight k is learnt from k times", "[linear]") {
    const auto data = visits(1000);
    for (const Learner& learner :
         {Learner{}, Learner{.l1 = 2, .l2 = 1}, Learner{.update = SparseUpdate::adagrad, .l1 = 0.01}}) {
        const auto weighted = learnt(data, one_slice(learner), true);
        const auto repeated = learnt(copies(data), one_slice(learner));
        CHECK(dense(weighted) == dense(repeated));  // bit for bit: 1500 rows or so are one slice
        // A row's loss counts as often, but the copies are judged by what the first has taught.
        CHECK(weighted.progressive_loss() == Approx(repeated.progressive_loss()).epsilon(0.05));
    }
    auto heavy = data;
    for (Visit& row : heavy) row.w = 1e9 + 0.5;
    for (double value : dense(learnt(heavy, Learner{}, true))) CHECK(std::isfinite(value));
}

TEST_CASE("the same bits on any threads, and other orders where they are asked for", "[linear]") {
    const auto data = visits(30000);
    const Learner learner{.l1 = 1, .epochs = 2, .blocks = 2};
    const auto bytes = [&](const Learner& settings, std::size_t threads) {
        return pt::to_bytes(fitted(data, settings, true, threads));
    };
    CHECK(bytes(learner, 1) == bytes(learner, 3));
    Learner in_order = learner;
    in_order.shuffle = false;
    CHECK(bytes(learner, 1) != bytes(in_order, 1));
}

TEST_CASE("a model survives a file, and a file brings in nothing that no fit could have learnt", "[linear]") {
    const auto data = visits(5000);
    const auto model = fitted(data, Learner{.l1 = 1});
    using Model = std::remove_const_t<decltype(model)>;
    const auto loaded = pt::from_bytes<Model>(pt::to_bytes(model));
    CHECK(pt::to_bytes(loaded) == pt::to_bytes(model));
    for (std::size_t i = 0; i < 100; ++i) {
        CHECK(loaded.predict_probability(data[i]) == model.predict_probability(data[i]));
        CHECK(loaded.predict(data[i]) == (model.predict_probability(data[i]) > 0.5));
    }
    Visit broken = data[0];
    broken.x[23] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(model.predict(broken), pt::NonFiniteValue);

    using pt::detail::SparseWeights;
    const SparseWeights some({0, 5, 6, 1'000'000, 4'294'967'294}, {1, 2, 3, 4, 5}, 4'294'967'295);
    CHECK(some[0] == 1);
    CHECK(some[5] == 2);
    CHECK(some[6] == 3);
    CHECK(some[7] == 0);
    CHECK(some[1'000'000] == 4);
    CHECK(some[4'294'967'294] == 5);
    CHECK(SparseWeights({}, {}, 7)[6] == 0);
    CHECK_THROWS_AS(SparseWeights({3, 3}, {1, 1}, 4), pt::ModelFileInvalid);
    CHECK_THROWS_AS(SparseWeights({4}, {1}, 4), pt::ModelFileInvalid);
    CHECK_THROWS_AS(SparseWeights({3}, {1, 1}, 4), pt::ModelFileInvalid);
    CHECK_THROWS_AS(SparseWeights({}, {}, 0), pt::ModelFileInvalid);
    CHECK_THROWS_AS(SparseWeights({3}, {std::numeric_limits<float>::infinity()}, 4), pt::ModelFileInvalid);
}

TEST_CASE("a fit tells of each clock, and can be cancelled between two", "[linear]") {
    struct Sink : pt::Progress {
        pt::CancelToken cancel;
        std::uint64_t total = 0, clocks = 0, cancel_after = 1000;
        bool open = false;
        void begin(std::string_view work, std::uint64_t steps) override {
            if (work != "SparseLogisticRegression") return;
            total = steps;
            open = true;
        }
        void advance(std::uint64_t steps) override {
            if (open && (clocks += steps) >= cancel_after) cancel.cancel();
        }
        void end() override { open = false; }
    };
    const auto data = visits(9000);
    const auto fit = [&](Sink& sink) {
        pt::LocalSession session({.threads = 2, .progress_sink = &sink, .cancel = sink.cancel});
        return pt::pipeline(Learner{.epochs = 2}).fit(pt::as_train(pt::dataset(session, data)));
    };
    Sink whole;
    fit(whole);
    CHECK(whole.total == 16);  // three blocks of eight slices, all at once
    CHECK(whole.clocks == whole.total);
    Sink stopped;
    stopped.cancel_after = 3;
    CHECK_THROWS_AS(fit(stopped), pt::Cancelled);
    CHECK(stopped.clocks == 3);
}

TEST_CASE("rows and settings that no fit can use are refused with their place", "[linear]") {
    const auto rows = linear_rows<float>();
    auto broken = rows;
    broken[4100].x[2] = std::numeric_limits<float>::quiet_NaN();
    const pt::Place place = place_of<pt::NonFiniteValue>([&] { learnt(broken, Learner{}); });
    CHECK(place.column == "x");
    CHECK(place.row == 4100);
    CHECK(place.stage == "SparseLogisticRegression<\"x\">");
    broken[4100].w = 0;
    CHECK_NOTHROW(learnt(broken, Learner{}, true));
    broken[4100].w = 1;
    broken[4100].x[2] = 1e13f;
    CHECK(place_of<pt::NumericOverflow>([&] { learnt(broken, Learner{}, true); }).column == "x");
    broken[4100].x[2] = 1e6f;  // beside which the others' gradients are below a unit of the table
    CHECK(place_of<pt::NumericOverflow>([&] { learnt(broken, Learner{}, true); }).column == "x");
    broken[4100].x[2] = 1e3f;
    CHECK_NOTHROW(learnt(broken, Learner{}, true));
    for (auto& row : broken)
        for (std::size_t i = 0; i < 3; ++i) row.x[i] *= 1e4f;  // but all may be large
    broken[4100].x[2] = 1e4f;
    CHECK_NOTHROW(learnt(broken, Learner{.fit_intercept = false}));
    for (auto& row : broken) row.yes = true;
    CHECK(place_of<pt::WrongClassCount>([&] { learnt(broken, Learner{}); }).column == "yes");
    CHECK_THROWS_WITH(learnt(broken, Learner{}),
                      Catch::Contains("1 class") && Catch::Contains("SparseLogisticRegression"));
    CHECK_THROWS_AS(learnt(std::vector<LinearRow<float>>(), Learner{}), pt::EmptyDataset);

    const auto setting = [&](const Learner& learner) {
        return place_of<pt::InvalidSetting>([&] { learnt(rows, learner); }).setting;
    };
    CHECK(setting({.update = static_cast<SparseUpdate>(2)}) == "update");
    CHECK(setting({.alpha = 0}) == "alpha");
    CHECK(setting({.beta = -1}) == "beta");
    CHECK(setting({.l1 = -1}) == "l1");
    CHECK(setting({.l2 = std::numeric_limits<double>::quiet_NaN()}) == "l2");
    CHECK(setting({.epochs = 0}) == "epochs");
    CHECK(setting({.blocks = 0}) == "blocks");
    CHECK(setting({.rows = 4097}) == "rows");
    CHECK(setting({.threshold = 2}) == "threshold");
}

}  // namespace sparse_logistic_regression_test
