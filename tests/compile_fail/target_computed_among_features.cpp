// expect-regex: TargetIsAmongItsFeatures<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>

#include <cmath>

#ifndef PARTITA_FIXED
using MeanOfZone = pt::MeanOf<"fare", "mean_of_zone">;  // of what the target is computed from
#else
using MeanOfZone = pt::MeanOf<"distance_km", "mean_of_zone">;
#endif
auto learn(const TrainTrips& trips) {
    const auto log = pt::pipeline(pt::map<"fare", "log_fare">([](float fare) { return std::log(fare); }));
    const auto means = pt::group_by<"zone">(trips, MeanOfZone{});
    const auto joined = pt::join<"zone">(log.fit(trips).transform(trips), means);
    return (pt::Assemble<"mean_of_zone", "features">{} | pt::LinearRegression<"features", "log_fare">{}).fit(joined);
}
