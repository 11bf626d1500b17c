// expect-regex: ColumnsDiffer<.*Given<Trip>.*Given<.*Schema<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
Trips join(const Trips& trips) { return pt::concat(trips, trips.select<"fare">()); }
#else
Trips join(const Trips& trips) { return pt::concat(trips, trips); }
#endif
