// expect-regex: TargetIsAmongItsFeatures<.*AtStage<3>.*LinearRegression<.*Target<.*"fare".*OfColumn<.*"features"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::map<"fare", "fare_cents">([](float dollars) { return 100 * dollars; }) | pt::Assemble<"distance_km", "fare_cents", "features">{} | pt::LinearRegression<"features", "fare">{};
}
#else
inline auto wrong_pipeline() {
    return pt::map<"fare", "fare_cents">([](float dollars) { return 100 * dollars; }) | pt::Assemble<"distance_km", "features">{} | pt::LinearRegression<"features", "fare">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
