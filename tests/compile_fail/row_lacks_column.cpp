// expect-regex: RowLacksColumn<.*Given<Request>.*Wanted<.*"distance_km"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
struct Request {
    float distance;
};
BOOST_DESCRIBE_STRUCT(Request, (), (distance))
double price(const FareModel& model) { return model.predict(Request{1}); }
#else
struct Request {
    float distance_km;
};
BOOST_DESCRIBE_STRUCT(Request, (), (distance_km))
double price(const FareModel& model) { return model.predict(Request{1}); }
#endif
