// expect-regex: UnseenPolicyIsOpen<.*AtStage<1>.*OneHotEncode<.*"zone"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::OneHotEncode<"zone">{} | pt::Assemble<"zone", "features">{};
}
#else
inline auto wrong_pipeline() {
    return pt::OneHotEncode<"zone", pt::Unseen::all_zero>{} | pt::Assemble<"zone", "features">{};
}
#endif


void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
