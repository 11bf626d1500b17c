// expect-regex: ResultIsNoColumn<.*AtStage<1>.*Map<.*"zone".*Given<std::.*basic_string<char
// SPDX-License-Identifier: Apache-2.0
// A function that returns a std::string: the text would be gone before anybody reads the column.
#include "trips.hpp"

#include <string>

#ifndef PARTITA_FIXED
inline auto wrong_pipeline() {
    return pt::pipeline(pt::map<"zone", "letter">([](pt::Category zone) { return std::string(zone.text.substr(0, 1)); }));
}
#else
inline auto wrong_pipeline() {
    return pt::pipeline(pt::map<"zone", "letter">([](pt::Category zone) { return zone.text.substr(0, 1); }));
}
#endif

void train(const TrainTrips& trips) { static_cast<void>(wrong_pipeline().fit(trips)); }
