// expect-regex: FitNeedsTrainingData<.*Given<.*Unsplit>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
FareModel train(const Trips& trips) { return fare_pipeline().fit(trips); }
#else
FareModel train(const Trips& trips) {
    const auto [train, test] = pt::split_by_time<"pickup">(trips);
    return fare_pipeline().fit(train);
}
#endif
