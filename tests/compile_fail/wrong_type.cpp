// expect-regex: ColumnHasWrongType<.*AtStage<1>.*StandardScale<.*OfColumn<.*"zone".*GivenKind<.*"Category".*TakesKinds<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::StandardScale<"zone">{} | pt::Assemble<"distance_km", "features">{};
}
#else
inline auto wrong_pipeline() {
    return pt::StandardScale<"fare">{} | pt::Assemble<"distance_km", "features">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
