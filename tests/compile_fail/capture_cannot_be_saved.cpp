// expect-regex: CaptureCannotBeSaved<.*Given<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
auto scaled(float factor) { return pt::map<"distance_km", "scaled">([factor](float km) { return factor * km; }); }
#else
auto scaled() { return pt::map<"distance_km", "scaled">([](float km) { return 2 * km; }); }
#endif
