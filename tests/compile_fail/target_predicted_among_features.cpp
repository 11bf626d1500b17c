// expect-regex: TargetIsAmongItsFeatures<.*AtStage<4>.*LinearRegression<.*Target<.*"fare".*OfColumn<.*"b".*ByPrediction<.*"prediction"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::Assemble<"distance_km", "a">{} | pt::LinearRegression<"a", "fare">{} | pt::Assemble<"prediction", "b">{} | pt::LinearRegression<"b", "fare", "again">{};
}
#else
inline auto wrong_pipeline() {
    return pt::Assemble<"distance_km", "a">{} | pt::LinearRegression<"a", "fare">{} | pt::Assemble<"distance_km", "b">{} | pt::LinearRegression<"b", "fare", "again">{};
}
#endif

void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
