// expect-regex: ColumnIsMissing<.*Wanted<.*"fetures".*DidYouMean<.*"features"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
auto features(const FareModel& model, const Trip& trip) { return model.transform<"fetures">(trip); }
#else
auto features(const FareModel& model, const Trip& trip) { return model.transform<"features">(trip); }
#endif
