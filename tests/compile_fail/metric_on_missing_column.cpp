// expect-regex: ColumnIsMissing<.*Rmse<.*Wanted<.*"fair".*DidYouMean<.*"fare"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
void judge(const FareModel& model, const TestTrips& trips) { static_cast<void>(pt::evaluate(model.transform(trips), pt::Rmse<"fair">{})); }
#else
void judge(const FareModel& model, const TestTrips& trips) { static_cast<void>(pt::evaluate(model.transform(trips), pt::Rmse<"fare">{})); }
#endif
