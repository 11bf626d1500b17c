// expect-regex: KeyTypesDiffer<.*OfColumn<.*zone.*Given<.*Category.*Given<int>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/join.hpp>

#ifndef PARTITA_FIXED
using Key = int;
#else
using Key = pt::Category;
#endif
using Zones = pt::Dataset<pt::Schema<pt::Column<"zone", Key>, pt::Column<"borough", pt::Category>>>;
auto with_boroughs(const TrainTrips& trips, const Zones& zones) { return pt::join<"zone">(trips, zones); }
