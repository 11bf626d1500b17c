// SPDX-License-Identifier: Apache-2.0
#pragma once

// The row and the pipeline of the flight example.

#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <optional>

namespace pt = partita;

struct Flight {
    pt::Timestamp        date;
    std::optional<int>   hour;        ///< of departure
    pt::Category         carrier;
    pt::Category         origin;
    pt::Category         dest;
    float                distance;    ///< miles
    std::optional<float> dep_delay;   ///< minutes; missing where the flight was cancelled
    std::optional<float> plane_year;  ///< missing where the register has no such plane
    std::optional<float> arr_delay;   ///< minutes; missing where the flight did not arrive
};
BOOST_DESCRIBE_STRUCT(Flight, (), (date, hour, carrier, origin, dest, distance, dep_delay, plane_year, arr_delay))

/// Whether a flight arrives more than a quarter of an hour late, judged when it leaves the gate.
inline auto delay_pipeline() {
    return pt::map<"arr_delay", "late">([](std::optional<float> minutes) { return minutes.value_or(0) > 15; })
         | pt::Impute<"hour">{.strategy = pt::Imputation::mode}
         | pt::Impute<"dep_delay">{.strategy = pt::Imputation::median}
         | pt::Impute<"plane_year">{.strategy = pt::Imputation::median}
         | pt::map<"hour", "evening">([](double hour) { return hour >= 16; })
         | pt::map<"dep_delay", "left_late">([](float minutes) { return minutes > 15; })
         | pt::OneHotEncode<"carrier", pt::Unseen::all_zero>{}
         | pt::OneHotEncode<"origin", pt::Unseen::all_zero>{}
         | pt::OneHotEncode<"dest", pt::Unseen::all_zero>{}
         | pt::Assemble<"dep_delay", "left_late", "hour", "evening", "distance", "plane_year", "carrier", "origin", "dest", "features">{}
         | pt::StandardScale<"features">{}
         | pt::LogisticRegression<"features", "late">{.l2 = 1e-4};
}

using DelayModel = pt::Fitted<decltype(delay_pipeline()), Flight>;
