// SPDX-License-Identifier: Apache-2.0
#pragma once

// The row and the pipeline, shared by the program that trains and the program that serves.

#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>
#include <optional>

namespace pt = partita;

struct Trip {
    pt::Timestamp        lpep_pickup_datetime;
    pt::Category         PULocationID;
    pt::Category         DOLocationID;
    std::optional<float> passenger_count;
    float                trip_distance;
    float                fare_amount;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (lpep_pickup_datetime, PULocationID, DOLocationID, passenger_count, trip_distance, fare_amount))

/// What a fare depends on, as far as the data tell: distance, where from and where to, the hour, the party.
inline auto fare_pipeline() {
    return pt::Impute<"passenger_count">{.strategy = pt::Imputation::median}
         | pt::map<"trip_distance", "root_distance">([](float miles) { return std::sqrt(std::max(miles, 0.0f)); })
         | pt::map<"lpep_pickup_datetime", "night">([](pt::Timestamp pickup) {
               const auto hour = pickup.microseconds / 3'600'000'000 % 24;
               return hour >= 20 || hour < 6;
           })
         | pt::OneHotEncode<"PULocationID", pt::Unseen::all_zero>{}
         | pt::OneHotEncode<"DOLocationID", pt::Unseen::all_zero>{}
         | pt::AssembleSparse<"trip_distance", "root_distance", "night", "passenger_count", "PULocationID", "DOLocationID", "features">{}
         | pt::StandardScale<"features">{.center = false}
         | pt::LinearRegression<"features", "fare_amount">{.l2 = 1e-3};
}

using FareModel = pt::Fitted<decltype(fare_pipeline()), Trip>;
