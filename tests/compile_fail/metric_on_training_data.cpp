// expect-regex: MetricNeedsHeldOutData<.*Given<.*InSample>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
void judge(const FareModel& model, const TrainTrips& trips) { static_cast<void>(pt::evaluate(model.transform(trips), pt::Rmse<"fare">{})); }
#else
void judge(const FareModel& model, const TestTrips& trips) { static_cast<void>(pt::evaluate(model.transform(trips), pt::Rmse<"fare">{})); }
#endif
