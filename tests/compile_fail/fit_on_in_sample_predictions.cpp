// expect-regex: FitNeedsTrainingData<.*Given<.*InSample>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
void train(const FareModel& model, const TrainTrips& trips) {
    static_cast<void>(pt::pipeline(pt::StandardScale<"prediction">{}).fit(model.transform(trips)));
}
#else
void train(const FareModel&, const TrainTrips& trips) {
    static_cast<void>(pt::pipeline(pt::StandardScale<"distance_km">{}).fit(trips));
}
#endif
