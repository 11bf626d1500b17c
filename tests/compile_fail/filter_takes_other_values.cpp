// expect-regex: FunctionDoesNotTake<.*Given<std::optional<float>
// SPDX-License-Identifier: Apache-2.0
// A predicate of a number over a column in which it may be missing.
#include "trips.hpp"

#ifndef PARTITA_FIXED
Trips shared(const Trips& trips) {
    return trips.filter<"passengers">([](float passengers) { return passengers > 1; });
}
#else
Trips shared(const Trips& trips) {
    return trips.filter<"passengers">([](std::optional<float> passengers) { return passengers > 1.0F; });
}
#endif
