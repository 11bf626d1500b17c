// expect-regex: TargetIsAmongItsFeatures<.*AtStage<2>.*LinearRegression<.*Target<.*"fare".*OfColumn<.*"features"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

inline auto preparation() {
    return pt::map<"fare", "fare_cents">([](float dollars) { return 100 * dollars; }) | pt::StandardScale<"distance_km">{};
}

void train(const TrainTrips& trips) {
    const auto prepared = preparation().fit(trips).transform(trips).select<"fare", "distance_km", "fare_cents">();
#ifndef PARTITA_FIXED
    static_cast<void>(pt::pipeline(pt::Assemble<"distance_km", "fare_cents", "features">{}, pt::LinearRegression<"features", "fare">{}).fit(prepared));
#else
    static_cast<void>(pt::pipeline(pt::Assemble<"distance_km", "features">{}, pt::LinearRegression<"features", "fare">{}).fit(prepared));
#endif
}
