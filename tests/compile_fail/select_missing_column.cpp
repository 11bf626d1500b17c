// expect-regex: ColumnIsMissing<.*Wanted<.*"distance"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
auto short_table(const Trips& trips) { return trips.select<"distance", "fare">(); }
#else
auto short_table(const Trips& trips) { return trips.select<"distance_km", "fare">(); }
#endif
