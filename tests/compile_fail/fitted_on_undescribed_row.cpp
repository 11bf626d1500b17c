// expect-regex: RowIsNotDescribed<.*Given<Ride>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
struct Ride {
    float distance_km, fare;
};
#else
struct Ride {
    float distance_km, fare;
};
BOOST_DESCRIBE_STRUCT(Ride, (), (distance_km, fare))
#endif

using RideModel = pt::Fitted<decltype(fare_pipeline()), Ride>;
double price(const RideModel& model, const Trip& trip) { return model.predict(trip); }
