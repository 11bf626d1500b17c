// expect-regex: FunctionDoesNotTake<.*AtStage<1>.*Map<.*"passengers".*Given<std::optional<float>
// SPDX-License-Identifier: Apache-2.0
// A function of numbers over a column in which they may be missing.
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::pipeline(pt::map<"passengers", "half">([](float passengers) { return passengers / 2; }));
}
#else
inline auto wrong_pipeline() {
    return pt::Impute<"passengers">{} | pt::map<"passengers", "half">([](float passengers) { return passengers / 2; });
}
#endif

void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
