// expect-regex: ColumnIsDuplicate<.*AtStage<1>.*Map<.*OfColumn<.*"fare"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::map<"distance_km", "fare">([](float km) { return 2 * km; }) | pt::Assemble<"distance_km", "features">{};
}
#else
inline auto wrong_pipeline() {
    return pt::map<"distance_km", "twice">([](float km) { return 2 * km; }) | pt::Assemble<"distance_km", "features">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
