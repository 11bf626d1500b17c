// expect-regex: RowIsNotDescribed<.*Given<Ride>
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
struct Ride {
    float km;
};
#else
struct Ride {
    float km;
};
BOOST_DESCRIBE_STRUCT(Ride, (), (km))
#endif

auto rides(pt::Session& session, const std::vector<Ride>& rows) { return pt::dataset(session, rows); }
