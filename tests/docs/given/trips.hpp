// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trips, drawn from a formula: what fragments of many pages work on.

#include <partita/comm/run.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/selector.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/io/csv.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <optional>
#include <vector>

namespace pt = partita;

struct Trip {
    pt::Timestamp        pickup;
    float                distance_km;
    pt::Category         zone;
    std::optional<float> passengers;
    float                fare;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (pickup, distance_km, zone, passengers, fare))

inline auto fare_pipeline() {
    return pt::Impute<"passengers">{.strategy = pt::Imputation::median}
         | pt::OneHotEncode<"zone", pt::Unseen::all_zero>{}
         | pt::Assemble<"distance_km", "zone", "passengers", "features">{}
         | pt::StandardScale<"features">{}
         | pt::LinearRegression<"features", "fare">{.l2 = 1e-3};
}
using FareModel = pt::Fitted<decltype(fare_pipeline()), Trip>;

namespace given {

/// 10,000 trips, one a minute: 2.5 dollars, 1.5 a kilometre, and 5 more from the airport; every seventh without passengers.
inline std::vector<Trip> trips() {
    constexpr const char* zones[] = {"Harlem", "Queens", "Airport"};
    std::vector<Trip>     rows;
    for (int i = 0; i < 10'000; ++i) {
        Trip trip;
        trip.pickup.microseconds = 1'609'459'200'000'000 + i * std::int64_t{60'000'000};
        trip.distance_km = static_cast<float>((i * 7919) % 200) / 10;
        trip.zone = zones[(i * 31) % 11 % 3];
        if (i % 7 != 0) trip.passengers = static_cast<float>(1 + i % 4);
        trip.fare = 2.5f + 1.5f * trip.distance_km + (trip.zone == "Airport" ? 5.0f : 0.0f);
        rows.push_back(trip);
    }
    return rows;
}

}  // namespace given
