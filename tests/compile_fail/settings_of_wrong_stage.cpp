// expect-regex: SettingOfAnotherStage<.*StandardScale<.*"features"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
auto changed() { return fare_pipeline().with(&pt::StandardScale<"features">::center, false); }
#else
auto changed() { return fare_pipeline().with(&pt::LinearRegression<"features", "fare">::l2, 0.5); }
#endif
