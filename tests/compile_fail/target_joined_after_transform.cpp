// expect-regex: TargetIsAmongItsFeatures<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>

#ifndef PARTITA_FIXED
using MeanOfZone = pt::MeanOf<"fare", "mean_of_zone">;  // of the target, which the table of the means has no longer
#else
using MeanOfZone = pt::MeanOf<"distance_km", "mean_of_zone">;
#endif
auto learn(const TrainTrips& trips) {
    const auto means = pt::group_by<"zone">(trips, MeanOfZone{});
    const auto scaled = pt::pipeline(pt::StandardScale<"mean_of_zone">{}).fit(means).transform(means);
    const auto joined = pt::join<"zone">(trips, scaled);
    return (pt::Assemble<"mean_of_zone", "features">{} | pt::LinearRegression<"features", "fare">{}).fit(joined);
}
