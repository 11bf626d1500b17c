// expect-regex: ColumnHasWrongType<.*OfColumn<.*"zone".*Given<.*Category>.*TakesKinds<.*"numbers of 32 or 64 bits"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
Trips weighted(const Trips& trips) { return trips.weigh_by<"zone">(); }
#else
Trips weighted(const Trips& trips) { return trips.weigh_by<"fare">(); }
#endif
