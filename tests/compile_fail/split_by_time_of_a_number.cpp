// expect-regex: ColumnHasWrongType<.*OfColumn<.*"fare".*Given<float>.*Takes<.*Timestamp>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
auto parts(const Trips& trips) { return pt::split_by_time<"fare">(trips); }
#else
auto parts(const Trips& trips) { return pt::split_by_time<"pickup">(trips); }
#endif
