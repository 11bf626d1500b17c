// expect-regex: PipelineLacksStage<.*Wanted<.*"a learner".*Given<.*Assemble<
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
inline auto fitted_part() { return pt::pipeline(pt::Assemble<"distance_km", "features">{}); }
double price(const pt::Fitted<decltype(fitted_part()), Trip>& model, const Trip& trip) { return model.predict(trip); }
#else
double price(const FareModel& model, const Trip& trip) { return model.predict(trip); }
#endif
