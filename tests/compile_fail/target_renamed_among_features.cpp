// expect-regex: TargetIsAmongItsFeatures<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>
#include <partita/data/rename.hpp>

#ifndef PARTITA_FIXED
using MeanOfZone = pt::MeanOf<"fare", "mean_of_zone">;  // of the target, before it gets another name
#else
using MeanOfZone = pt::MeanOf<"distance_km", "mean_of_zone">;
#endif
auto learn(const TrainTrips& trips) {
    const auto means = pt::group_by<"zone">(trips, MeanOfZone{});
    const auto joined = pt::join<"zone">(pt::rename<"fare", "price">(trips), means);
    return (pt::Assemble<"mean_of_zone", "features">{} | pt::LinearRegression<"features", "price">{}).fit(joined);
}
