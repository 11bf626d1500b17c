// expect-regex: MetricNeedsInSamplePredictions<.*Given<.*Test>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
void judge(const FareModel& model, const TestTrips& trips) { static_cast<void>(pt::evaluate_in_sample(model.transform(trips), pt::Rmse<"fare">{})); }
#else
void judge(const FareModel& model, const TrainTrips& trips) { static_cast<void>(pt::evaluate_in_sample(model.transform(trips), pt::Rmse<"fare">{})); }
#endif
