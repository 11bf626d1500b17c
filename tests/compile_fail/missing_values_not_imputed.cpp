// expect-regex: ColumnMayBeMissingValues<.*AtStage<1>.*Assemble<.*OfColumn<.*"passengers"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::Assemble<"distance_km", "passengers", "features">{} | pt::LinearRegression<"features", "fare">{};
}
#else
inline auto wrong_pipeline() {
    return pt::Impute<"passengers">{} | pt::Assemble<"distance_km", "passengers", "features">{} | pt::LinearRegression<"features", "fare">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
