// expect-regex: ColumnIsMissing<.*Wanted<.*"fair".*DidYouMean<.*"fare"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
Trips dear(const Trips& trips) { return trips.filter<"fair">([](float dollars) { return dollars > 50; }); }
#else
Trips dear(const Trips& trips) { return trips.filter<"fare">([](float dollars) { return dollars > 50; }); }
#endif
