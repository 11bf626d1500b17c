// SPDX-License-Identifier: Apache-2.0
// A user's program: workers read a table and count its rows.
#include <partita/comm/run.hpp>
#include <partita/io/csv.hpp>

#include <boost/describe.hpp>

namespace pt = partita;

struct Trip {
    float distance;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (distance))

int main(int, char** arguments) {
    return pt::run<pt::RingAllReduce<>>({.threads = 1, .workers = 2}, [&](pt::Session& session) {
        const auto trips = pt::read_csv<Trip>(session, arguments[1]);
        const std::int64_t rows = trips.count();
        session.print("{} rows, {} workers\n", rows, session.size());
        return rows == 2 ? 0 : 1;
    });
}
