// expect-regex: SplitNeedsUnsplitData<.*Given<.*Train
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
auto again(const TrainTrips& trips) { return pt::split_at_random(trips); }
#else
auto once(const Trips& trips) { return pt::split_at_random(trips); }
#endif
