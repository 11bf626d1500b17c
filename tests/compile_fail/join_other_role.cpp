// expect-regex: RolesDoNotMix<.*Given<.*Train.*Given<.*Test
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>

auto with_means(const TrainTrips& train, const TestTrips& test) {
#ifndef PARTITA_FIXED
    const auto& rows = test;
#else
    const auto& rows = train;
#endif
    return pt::join<"zone">(train, pt::group_by<"zone">(rows, pt::MeanOf<"distance_km", "mean_km">{}));
}
