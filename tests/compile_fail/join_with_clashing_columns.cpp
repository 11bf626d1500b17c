// expect-regex: ColumnIsDuplicate<.*OfColumn<.*fare
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/join.hpp>
#include <partita/data/rename.hpp>

using Zones = pt::Dataset<pt::Schema<pt::Column<"zone", pt::Category>, pt::Column<"fare", float>>>;
#ifndef PARTITA_FIXED
auto with_fares(const Trips& trips, const Zones& zones) { return pt::join<"zone">(trips, zones); }
#else
auto with_fares(const Trips& trips, const Zones& zones) {
    return pt::join<"zone">(trips, pt::rename<"fare", "flat_fare">(zones));
}
#endif
