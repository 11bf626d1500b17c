// SPDX-License-Identifier: Apache-2.0
// The laws of stages, for the network.
#include <partita/neural/multilayer_perceptron.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

#include "widths.hpp"

namespace stage_laws_multilayer_perceptron_test {

using namespace partita;

TEST_CASE("MultilayerPerceptron keeps the laws of stages", "[neural][laws]") {
    using Learner = MultilayerPerceptron<"features", "target">;
    // One batch of all rows, because copies of rows fall into other batches than one row of the weight of two. Where ids change, so
    // do the parts that are summed in float: 1e-3 is what is left of 2^-24 after steps that divide by small mean squares.
    const StageReport report = check_stage<Learner>(
        {.stage = {.hidden = {6}, .solver = NetworkSolver::sgd, .batch_rows = 1 << 20, .max_epochs = 3},
         .refused = {Learner{.hidden = {0}}, Learner{.learning_rate = 0}, Learner{.batch_rows = 0}},
         .rows = 4500,
         .tolerance = 1e-3});
    INFO(report.text());
    CHECK(report.passed());
    widths::are_refused_by(Learner{.hidden = {6}, .max_epochs = 1});
}

}  // namespace stage_laws_multilayer_perceptron_test
