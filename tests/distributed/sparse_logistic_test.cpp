// SPDX-License-Identifier: Apache-2.0
// Sparse logistic regression on the parameter table: the same bytes under every policy that promises it, and as good a model
// under those that do not.
#include "every_policy.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/hash_features.hpp>
#include <partita/linear/sparse_logistic_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>

namespace pt = partita;

namespace {

struct Click {
    pt::Text site;
    int hour = 0;
    std::optional<float> price;
    bool clicked = false;
    double weight = 1;
};
BOOST_DESCRIBE_STRUCT(Click, (), (site, hour, price, clicked, weight))

auto click_pipeline(std::size_t blocks) {
    return pt::HashFeatures<"site", "hour", "price", "features">{.dimensions = 1 << 20} |
           pt::SparseLogisticRegression<"features", "clicked">{
               .alpha = 0.3, .l1 = 0.5, .epochs = 2, .blocks = blocks, .rows = 1024};
}
using Model = pt::Fitted<decltype(click_pipeline(0)), Click>;

/// 25000 rows of 1000 sites: seven blocks.
const std::vector<Click>& clicks() {
    static const auto made = [] {
        static std::vector<std::string> sites;
        for (int i = 0; i < 1000; ++i) sites.push_back("site " + std::to_string(i));
        std::vector<Click> rows(25000);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto draw = [&](std::uint32_t what) { return pt::uniform(3, what, i); };
            const auto site = static_cast<std::size_t>(1000 * draw(1) * draw(1) * draw(2));
            rows[i] = {pt::Text(sites[site]), static_cast<int>(3 * draw(3)), std::nullopt, false,
                       std::floor(3 * draw(4))};
            if (draw(5) < 0.7) rows[i].price = static_cast<float>(2 * draw(6) - 1);
            const double margin =
                static_cast<double>(site % 5) - 2 + static_cast<double>(rows[i].price.value_or(0)) + rows[i].hour;
            rows[i].clicked = draw(7) < 1 / (1 + std::exp(-margin));
        }
        return rows;
    }();
    return made;
}

Model fit(pt::Session& session, std::size_t blocks) {
    return click_pipeline(blocks).fit(pt::as_train(pt::dataset(session, clicks()).weigh_by<"weight">()));
}

}  // namespace

TEST_CASE("a sparse logistic regression is the same under every policy", "[sparse_logistic]") {
    const auto bytes = every_policy::gives_the_same([](pt::Session& session) { return pt::to_bytes(fit(session, 4)); });
    const Model model = pt::from_bytes<Model>(bytes);
    const auto& learner = model.stage<2>();
    CHECK(learner.indices().size() > 300);
    CHECK(learner.losses()[1] < learner.losses()[0]);
    CHECK(learner.losses()[0] < 0.6);
}

TEST_CASE("workers that do not wait for each other learn as well", "[in_process]") {
    pt::LocalSession alone({.threads = 1, .progress = pt::ShowProgress::never});
    const Model model = fit(alone, 4);
    const double expected = model.stage<2>().losses()[1];
    const auto loss = [&]<class Policy>(Policy*) {
        return pt::run<Policy>({.threads = 1, .workers = 3, .progress = pt::ShowProgress::never},
                               [](pt::Session& session) { return fit(session, 4).template stage<2>().losses()[1]; });
    };
    CHECK(loss(static_cast<pt::ParameterServer<pt::InProcess, pt::Ssp<2>>*>(nullptr)) ==
          Approx(expected).epsilon(0.05));
    CHECK(loss(static_cast<pt::ParameterServer<pt::InProcess, pt::Async>*>(nullptr)) == Approx(expected).epsilon(0.05));
}
