// expect-regex: MemberTypeIsNoColumn<.*Given<Ride>.*OfColumn<.*"stops"
// SPDX-License-Identifier: Apache-2.0
#include "trips.hpp"

#ifndef PARTITA_FIXED
struct Ride {
    std::vector<int> stops;
};
#else
struct Ride {
    pt::Vector<float> stops;
};
#endif

BOOST_DESCRIBE_STRUCT(Ride, (), (stops))
auto rides(pt::Session& session, const std::vector<Ride>& rows) { return pt::dataset(session, rows); }
