// expect-regex: ColumnIsMissing<.*Wanted<.*"fair".*DidYouMean<.*"fare"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
float first_fare(const pt::Frame<Trip>& frame) { return frame.column<"fair">()[0]; }
#else
float first_fare(const pt::Frame<Trip>& frame) { return frame.column<"fare">()[0]; }
#endif
