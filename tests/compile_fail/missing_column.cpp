// expect-regex: ColumnIsMissing<.*AtStage<2>.*StandardScale<.*"fetures".*Wanted<.*"fetures".*DidYouMean<.*"features"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::Assemble<"distance_km", "features">{} | pt::StandardScale<"fetures">{};
}
#else
inline auto wrong_pipeline() {
    return pt::Assemble<"distance_km", "features">{} | pt::StandardScale<"features">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
