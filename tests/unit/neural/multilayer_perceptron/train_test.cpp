// SPDX-License-Identifier: Apache-2.0
#include <partita/neural/multilayer_perceptron/train.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <set>

namespace train_test {

namespace {

namespace pt = partita;
using namespace pt::detail;

pt::RunSettings quiet() { return {.threads = 1, .progress = pt::ShowProgress::never}; }

double drawn(std::uint64_t i, std::uint32_t stream) { return 2 * pt::uniform(3, stream, i) - 1; }

/// Blocks of so many rows each; classes follow from the features with some noise.
NetworkRows some_rows(const std::vector<std::size_t>& blocks, std::size_t width, std::uint32_t classes, bool weighted) {
    NetworkRows rows;
    rows.width = width;
    std::uint64_t at = 0;
    for (const std::size_t count : blocks) {
        rows.blocks.emplace_back();
        NetworkBlock& block = rows.blocks.back();
        for (std::size_t r = 0; r < count; ++r, ++at) {
            for (std::size_t c = 0; c < width; ++c)
                block.features.push_back(static_cast<float>(drawn(at, static_cast<std::uint32_t>(c))));
            block.labels.push_back(static_cast<std::uint32_t>(pt::uniform_index(3, 99, at, classes)));
            if (weighted) block.weights.push_back(0.25 + 2 * pt::uniform(3, 98, at));
        }
    }
    if (weighted) rows.heaviest_weight = 2.25;
    return rows;
}

NetworkPlan plan_of(std::vector<std::size_t> hidden, std::size_t batch_rows) {
    NetworkPlan plan;
    plan.hidden = std::move(hidden);
    plan.batch_rows = batch_rows;
    plan.max_epochs = 1;
    plan.patience = 10;
    plan.seed = 5;
    return plan;
}

}  // namespace

TEST_CASE("a network's gradient is that of finite differences", "[neural]") {
    pt::LocalSession session(quiet());
    for (const std::uint32_t classes : {2u, 4u}) {
        for (const Activation activation : {Activation::tanh, Activation::relu}) {
            const NetworkRows rows = some_rows({70, 33}, 5, classes, true);
            NetworkPlan plan = plan_of({9, 6}, 1000);
            plan.activation = activation;
            NetworkTrainer trainer(session, rows, classes, plan);
            const auto gradient = trainer.gradient_of_batch(0, 0);
            double largest = 0, worst = 0;
            std::size_t tried = 0, far = 0;
            for (std::size_t l = 0; l < gradient.size(); ++l) {
                DenseLayer& layer = trainer.network().layers[l];
                REQUIRE(gradient[l].size() == (layer.inputs + 1) * layer.outputs);
                for (std::size_t at = 0; at < gradient[l].size(); at += 3) {
                    float& parameter = layer.parameters[at / layer.outputs * layer.stride + at % layer.outputs];
                    const float before = parameter;
                    const auto loss_at = [&](float value) {
                        parameter = value;
                        trainer.refresh();
                        trainer.gradient_of_batch(0, 0);
                        return trainer.batch_loss();
                    };
                    const float step = activation == Activation::tanh ? 0x1p-8f : 0x1p-11f;
                    const double above = loss_at(before + step), below = loss_at(before - step);
                    parameter = before;
                    const double difference =
                        (above - below) / (static_cast<double>(before + step) - static_cast<double>(before - step));
                    largest = std::max(largest, std::abs(gradient[l][at]));
                    worst = std::max(worst, std::abs(difference - gradient[l][at]));
                    far += std::abs(difference - gradient[l][at]) > 2e-4;
                    ++tried;
                }
            }
            CAPTURE(classes, static_cast<int>(activation));
            // The differences err by step²/6 times a third derivative of about 1 and by 2^-24/step; with relu, some steps cross
            // the corner of a row's unit.
            CHECK(worst < (activation == Activation::tanh ? 2e-4 : 1e-2));
            CHECK(far <= (activation == Activation::tanh ? 0 : tried / 4));
            CHECK(largest > 0.02);
        }
    }
}

TEST_CASE("the first step of a network without hidden layers is that of logistic regression", "[neural]") {
    pt::LocalSession session(quiet());
    const NetworkRows rows = some_rows({200, 150}, 4, 2, true);
    for (const bool adam : {false, true}) {
        NetworkPlan plan = plan_of({}, 1000);
        plan.adam = adam;
        plan.nesterov = false;
        plan.learning_rate = 0.5;
        plan.first_decay = 0.9;
        plan.second_decay = 0.999;
        plan.epsilon = 1e-12;
        plan.l2 = 0.125;
        NetworkTrainer trainer(session, rows, 2, plan);
        const auto at = [](const Network& network, std::size_t i) {
            return static_cast<double>(network.layers[0].parameters[i * network.layers[0].stride]);
        };
        std::vector<double> start, gradient(5);
        for (std::size_t i = 0; i < 5; ++i) start.push_back(at(trainer.network(), i));
        double total = 0, loss = 0;
        for (const NetworkBlock& block : rows.blocks) {
            for (std::size_t r = 0; r < block.labels.size(); ++r) {
                double score = start[4];
                for (std::size_t i = 0; i < 4; ++i) score += start[i] * static_cast<double>(block.features[4 * r + i]);
                const double miss = block.weights[r] * (1 / (1 + std::exp(-score)) - block.labels[r]);
                for (std::size_t i = 0; i < 4; ++i)
                    gradient[i] += miss * static_cast<double>(block.features[4 * r + i]);
                gradient[4] += miss;
                total += block.weights[r];
                loss += block.weights[r] * std::log1p(std::exp(block.labels[r] == 1 ? -score : score));
            }
        }
        const NetworkFit found = trainer.fit([] { return pt::FitIdentity("test"); });
        CHECK(found.history[0] == Approx(loss / total).epsilon(1e-6));
        for (std::size_t i = 0; i < 5; ++i) {
            const double slope = gradient[i] / total + (i < 4 ? 0.125 * start[i] : 0);
            // Adam's first step is of the rate's length, whatever the gradient's; float has 24 bits.
            const double expected = start[i] - (adam ? std::copysign(0.5, slope) : 0.5 * slope);
            CHECK(at(found.network, i) == Approx(expected).margin(2e-5));
        }
    }
}

TEST_CASE("features of every kind become rows of float, and what is none is named", "[neural]") {
    const auto row_of = [](const auto& x, std::size_t row, std::int64_t bad = -1) {
        std::vector<float> to(4, -1.0f);
        CHECK(write_row(x, row, to.data()) == bad);
        return to;
    };
    const std::vector<double> dense{1, 2, 3, 4, 0, 1e39, -1e39, 5};  // floats end at 3.4e38
    const pt::MatrixView<const double> matrix(dense.data(), 2, 4);
    CHECK(row_of(matrix, 0) == std::vector<float>{1, 2, 3, 4});
    row_of(matrix, 1, 1);
    const std::int64_t offsets[] = {0, 2, 2, 3};
    const std::int32_t indices[] = {1, 3, 2};
    const float values[] = {0.5f, -2.0f, NAN};
    const pt::SparseView<float> sparse{offsets, indices, values, 3, 4};
    CHECK(row_of(sparse, 0) == std::vector<float>{0, 0.5f, 0, -2.0f});
    CHECK(row_of(sparse, 1) == std::vector<float>{0, 0, 0, 0});
    row_of(sparse, 2, 2);
    const std::int32_t codes[] = {2, -1};
    const pt::OneHotView ones{codes, 2, 4};
    CHECK(row_of(ones, 0) == std::vector<float>{0, 0, 1, 0});
    CHECK(row_of(ones, 1) == std::vector<float>{0, 0, 0, 0});
}

TEST_CASE("an epoch's batches hold every row once, from all over the rows", "[neural]") {
    pt::LocalSession session(quiet());
    const NetworkRows rows = some_rows({4096, 0, 1000, 7, 4096}, 1, 2, false);
    for (const std::size_t batch_rows : {1u, 32u, 50u, 256u, 1000u, 100000u}) {
        BatchGrid grid(session, rows, batch_rows, 11);
        CAPTURE(batch_rows);
        REQUIRE(grid.total_rows() == 9199);
        std::vector<std::vector<std::size_t>> first_epoch;
        for (const std::uint32_t epoch : {0u, 1u}) {
            grid.shuffle(session.pool(), epoch);
            std::set<std::size_t> seen;
            std::vector<std::vector<std::size_t>> all;
            for (std::size_t batch = 0; batch < grid.batches(); ++batch) {
                std::set<std::size_t> blocks;
                all.emplace_back();
                for (const std::uint32_t index : grid.batch(batch)) {
                    const BatchGrid::Part& part = grid.part(index);
                    REQUIRE(part.count <= grid.part_rows());
                    blocks.insert(part.block);
                    for (std::uint32_t r = part.first; r < part.first + part.count; ++r) {
                        const std::size_t row = part.block * std::size_t{4096} + grid.order(part.block)[r];
                        all.back().push_back(row);
                        CHECK(seen.insert(row).second);
                    }
                }
                CHECK(all.back().size() < std::max<std::size_t>(batch_rows + grid.parts_of_batch(), 2));
                if (batch_rows >= 256 && batch + 1 < grid.batches()) CHECK(blocks.size() >= 2);
            }
            CHECK(seen.size() == 9199);
            if (epoch == 0) first_epoch = all;
            else CHECK(all != first_epoch);
        }
        if (batch_rows == 100000) CHECK(grid.batches() == 1);
    }
}

TEST_CASE("gradients of any size are summed in a unit that fits, and none that are no numbers", "[neural]") {
    pt::ThreadPool pool(1);
    const DenseLayer layer(3, 2);
    const SumUnits units(8, 32);
    for (const float size : {1e-38f, 1e-20f, 1e-3f, 1.0f, 1e6f, 1e18f}) {
        GradientSums sums(layer, 2);
        const std::size_t stride = layer.stride;
        AlignedVector<float> values(4 * 16), deltas(4 * stride);
        for (std::size_t r = 0; r < 4; ++r) {
            for (std::size_t i = 0; i < 3; ++i) values[r * 16 + i] = static_cast<float>(drawn(r * 3 + i, 1));
            for (std::size_t o = 0; o < 2; ++o) deltas[r * stride + o] = size * static_cast<float>(drawn(r * 2 + o, 2));
        }
        int rounds = 0;
        do {
            REQUIRE(++rounds < 10);
            sums.clear();
            sums.add_product(0, values.data(), 16, deltas.data(), 4, units);
            sums.add_product(1, values.data(), 16, deltas.data(), 4, units);
            sums.add_weight(1, 4.5, units);
            sums.total(pool);
        } while (sums.settle(units) == GradientSums::Verdict::again);
        CHECK(units.weight(sums.weight_words()) == 4.5);
        for (std::size_t i = 0; i <= 3; ++i) {
            for (std::size_t o = 0; o < 2; ++o) {
                float expected = 0;
                for (std::size_t r = 0; r < 4; ++r)
                    expected += (i < 3 ? values[r * 16 + i] : 1.0f) * deltas[r * stride + o];
                const double found = static_cast<double>(sums.totals()[i * 2 + o]) * sums.unit();
                // The unit is at most 2^-20 of the largest; the sum in float differs by its last bits.
                CHECK(found == Approx(2 * static_cast<double>(expected)).margin(4e-6 * static_cast<double>(size)));
            }
        }
        CHECK(sums.settle(units) == GradientSums::Verdict::fine);
        deltas[stride] = size == 1.0f ? NAN : HUGE_VALF;
        GradientSums::Verdict verdict = GradientSums::Verdict::again;
        for (rounds = 0; verdict == GradientSums::Verdict::again && rounds < 10; ++rounds) {
            sums.clear();
            sums.add_product(0, values.data(), 16, deltas.data(), 4, units);
            sums.total(pool);
            verdict = sums.settle(units);
        }
        CHECK(verdict == GradientSums::Verdict::not_finite);
    }
}

TEST_CASE("products of every shape are chains of fused multiply-adds", "[neural][math]") {
    for (const std::size_t rows : {1u, 2u, 3u, 5u, 6u, 11u, 32u}) {
        for (const std::size_t outputs : {1u, 15u, 16u, 17u, 40u, 70u, 512u}) {
            DenseLayer layer(7, outputs);
            for (std::size_t i = 0; i <= 7; ++i)
                for (std::size_t o = 0; o < outputs; ++o)
                    layer.parameters[i * layer.stride + o] = static_cast<float>(drawn(i * outputs + o, 3));
            std::vector<float> inputs(rows * 9), found(rows * layer.stride);
            for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<float>(drawn(i, 4));
            for (const Activation activation : {Activation::none, Activation::relu, Activation::tanh}) {
                forward(layer, activation, inputs.data(), 9, rows, found.data());
                bool same = true;
                for (std::size_t r = 0; r < rows; ++r) {
                    for (std::size_t o = 0; o < outputs; ++o) {
                        float sum = layer.bias()[o];
                        for (std::size_t i = 0; i < 7; ++i)
                            sum = pt::fused(inputs[r * 9 + i], layer.parameters[i * layer.stride + o], sum);
                        const float value = found[r * layer.stride + o];
                        if (activation == Activation::none) same = same && value == sum;
                        if (activation == Activation::relu) same = same && value == (sum > 0 ? sum : 0);
                        if (activation == Activation::tanh) {  // rounded once from double
                            const double exact = std::tanh(static_cast<double>(sum));
                            same = same && std::abs(static_cast<double>(value) - exact) <= 0x1.01p-24 * std::abs(exact);
                        }
                    }
                }
                CAPTURE(rows, outputs, static_cast<int>(activation));
                CHECK(same);
            }
        }
    }
}

}  // namespace train_test
