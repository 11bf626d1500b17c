// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table that the wrong programs of this folder work on.

#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

namespace pt = partita;

struct Trip {
    pt::Timestamp        pickup;
    float                distance_km;
    pt::Category         zone;
    std::optional<float> passengers;
    float                fare;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (pickup, distance_km, zone, passengers, fare))

using Trips = pt::Dataset<Trip>;
using TrainTrips = pt::Dataset<Trip, pt::Train>;
using TestTrips = pt::Dataset<Trip, pt::Test>;

inline auto fare_pipeline() {
    return pt::Assemble<"distance_km", "features">{} | pt::LinearRegression<"features", "fare">{};
}
using FareModel = pt::Fitted<decltype(fare_pipeline()), Trip>;
