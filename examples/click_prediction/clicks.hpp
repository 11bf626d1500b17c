// SPDX-License-Identifier: Apache-2.0
#pragma once

// The row and the pipeline of the click example.

#include <partita/feature/hash_features.hpp>
#include <partita/feature/map.hpp>
#include <partita/linear/sparse_logistic_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>
#include <optional>

namespace pt = partita;

struct Visitor {
    float                       age;  ///< years
    std::optional<pt::Category> workclass;
    pt::Category                education;
    pt::Category                marital_status;
    std::optional<pt::Category> occupation;
    pt::Category                relationship;
    float                       capital_gain;  ///< dollars
    float                       capital_loss;
    float                       hours_per_week;
    std::optional<pt::Category> native_country;
    bool                        above_50k;  ///< whether the advertisement is for this visitor
};
BOOST_DESCRIBE_STRUCT(Visitor, (), (age, workclass, education, marital_status, occupation, relationship, capital_gain, capital_loss, hours_per_week, native_country, above_50k))

/// What is known of a visitor, hashed: no category has to be known beforehand, and what is missing gives nothing.
inline auto click_pipeline() {
    return pt::map<"age", "decades">([](float years) { return (years - 40) / 10; })
         | pt::map<"decades", "decades_squared">([](float decades) { return decades * decades / 4; })
         | pt::map<"capital_gain", "gain">([](float dollars) { return std::log1p(dollars) / 8; })
         | pt::map<"capital_loss", "loss">([](float dollars) { return std::log1p(dollars) / 8; })
         | pt::map<"hours_per_week", "days">([](float hours) { return (hours - 40) / 8; })
         | pt::HashFeatures<"decades", "decades_squared", "gain", "loss", "days", "workclass", "education", "marital_status", "occupation", "relationship", "native_country",
                            "features">{.dimensions = 1 << 24}
         | pt::SparseLogisticRegression<"features", "above_50k">{.alpha = 0.3, .l1 = 1, .epochs = 20, .rows = 256};
}

using ClickModel = pt::Fitted<decltype(click_pipeline()), Visitor>;
