// expect-regex: RolesDoNotMix<.*Given<.*Train.*Given<.*Test
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
TrainTrips join(const TrainTrips& train, const TestTrips& test) { return pt::concat(train, test); }
#else
TrainTrips join(const TrainTrips& train, const TestTrips&) { return pt::concat(train, train); }
#endif
