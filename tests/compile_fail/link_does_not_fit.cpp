// expect-regex: ColumnHasWrongType<.*AtStage<2>.*LinearRegression<.*OfColumn<.*"log_distance".*GivenKind<.*"float".*TakesKinds<.*"vectors"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::map<"distance_km", "log_distance">([](float km) { return km; }) | pt::LinearRegression<"log_distance", "fare">{};
}
#else
inline auto wrong_pipeline() {
    return pt::map<"distance_km", "log_distance">([](float km) { return km; }) | pt::Assemble<"log_distance", "features">{} | pt::LinearRegression<"features", "fare">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
