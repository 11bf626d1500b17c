// expect-regex: FitNeedsTrainingData<.*Given<.*Test>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
FareModel train(const TestTrips& trips) { return fare_pipeline().fit(trips); }
#else
FareModel train(const TrainTrips& trips) { return fare_pipeline().fit(trips); }
#endif
