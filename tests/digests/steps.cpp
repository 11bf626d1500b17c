// SPDX-License-Identifier: Apache-2.0
// Learners that take many small steps, each from where the last one ended: a bit that is rounded differently is in all later ones.

#include "comparison.hpp"

#include <partita/core/random.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/hash_features.hpp>
#include <partita/linear/sparse_logistic_regression.hpp>
#include <partita/neural/multilayer_perceptron.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>

namespace {

namespace pt = partita;

struct Click {
    pt::Category site;
    std::optional<float> price;
    bool clicked = false;
    double weight = 1;
};
BOOST_DESCRIBE_STRUCT(Click, (), (site, price, clicked, weight))

struct Clicks {
    std::vector<std::string> sites;
    std::vector<Click> rows;
};

/// Some sites have most rows, many have few. Weights are fractions, some of them zero. What is drawn are multiples of 2^-53, and only
/// compared and multiplied.
std::shared_ptr<Clicks> made_up_clicks(std::size_t count) {
    auto made = std::make_shared<Clicks>();
    for (int site = 0; site < 400; ++site) made->sites.push_back("site " + std::to_string(site));
    for (std::size_t row = 0; row < count; ++row) {
        const auto draw = [&](std::uint32_t what) { return pt::uniform(3, what, row); };
        const auto site = static_cast<std::size_t>(400 * draw(1) * draw(2));
        Click click;
        click.site = std::string_view(made->sites[site]);
        if (draw(3) < 0.7) click.price = static_cast<float>(2 * draw(4) - 1);
        const double likely = static_cast<double>(site % 5) * 0.2;
        click.clicked = 2 * draw(5) < likely + (click.price.value_or(0) > 0 ? 0.75 : 0.25);
        click.weight = static_cast<double>(row % 4) * 0.3;
        made->rows.push_back(click);
    }
    return made;
}

/// The model file, and the model of the learner, on some elements of hashed features.
template <class Learner>
auto fit(const Learner& learner, std::uint64_t dimensions, const pt::Dataset<Click>& data) {
    const auto model =
        (pt::HashFeatures<"site", "price", "features">{.dimensions = dimensions} | learner).fit(pt::as_train(data));
    return std::pair(pt::to_bytes(model), model.template stage<2>());
}

std::string sparse(pt::SparseUpdate update, double l1, double l2, const pt::Dataset<Click>& data) {
    const auto [file, model] = fit(
        pt::SparseLogisticRegression<"features", "clicked">{
            .update = update, .alpha = 0.3, .l1 = l1, .l2 = l2, .epochs = 2, .blocks = 2, .rows = 256},
        1 << 20, data);
    if (model.indices().size() < 20 || (model.indices().size() < 300) != (update == pt::SparseUpdate::ftrl))
        throw std::runtime_error("tests/digests/steps.cpp: ftrl's l1 is to decide which weights are zero, and leaves " +
                                 std::to_string(model.indices().size()));
    return file;
}

std::string network(pt::HiddenActivation activation, pt::NetworkSolver solver, const pt::Dataset<Click>& data) {
    return fit(pt::MultilayerPerceptron<"features", "clicked">{.hidden = {24},
                                                               .activation = activation,
                                                               .solver = solver,
                                                               .learning_rate = 0.01,
                                                               .l2 = 1e-4,
                                                               .max_epochs = 2},
               48, data)
        .first;
}

}  // namespace

std::vector<digests::Job> digests::step_jobs() {
    const auto clicks = made_up_clicks(9'000);
    return {{"steps",
             {"ftrl, l1", "ftrl, l1, l2, weighted", "adagrad, l1, l2", "adam, weighted", "tanh, sgd"},
             [clicks](pt::Session& session, std::size_t chunk_blocks) -> std::vector<std::string> {
                 const pt::Dataset<Click> all = pt::dataset(session, clicks->rows).repartition(chunk_blocks),
                                          weighted = all.weigh_by<"weight">();
                 return {sparse(pt::SparseUpdate::ftrl, 3, 0, all), sparse(pt::SparseUpdate::ftrl, 2, 1, weighted),
                         sparse(pt::SparseUpdate::adagrad, 1e-4, 1e-4, all),
                         network(pt::HiddenActivation::relu, pt::NetworkSolver::adam, weighted),
                         network(pt::HiddenActivation::tanh, pt::NetworkSolver::sgd, all)};
             }}};
}
