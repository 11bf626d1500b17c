// expect-regex: PipelineLacksStage<.*Given<.*LinearRegression<.*"fares"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
const auto& learner(const FareModel& model) { return model.get<pt::LinearRegression<"features", "fares">>(); }
#else
const auto& learner(const FareModel& model) { return model.get<pt::LinearRegression<"features", "fare">>(); }
#endif
