// expect-regex: TargetIsAmongItsFeatures<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/join.hpp>
#include <partita/data/rename.hpp>

#ifndef PARTITA_FIXED
#define PARTITA_JOINED "fare"  // of which "price" is the new name
#else
#define PARTITA_JOINED "distance_km"
#endif
auto learn(const TrainTrips& trips) {
    const auto others = pt::rename<"fare", "price">(trips.select<"zone", "fare">());
    const auto joined = pt::join<"zone">(others, trips.select<"zone", PARTITA_JOINED>());
    return (pt::Assemble<PARTITA_JOINED, "features">{} | pt::LinearRegression<"features", "price">{}).fit(joined);
}
