// SPDX-License-Identifier: Apache-2.0
// Sorts, groups and joins the flights tables on several workers and writes the results; relational.py runs it and compares.
//   relational TABLES_FOLDER RESULTS_FOLDER WORKERS

#include <partita/comm/run.hpp>
#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>
#include <partita/data/rename.hpp>
#include <partita/data/sort.hpp>
#include <partita/data/top.hpp>
#include <partita/io/csv.hpp>

#include <boost/describe.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace pt = partita;

struct Flight {
    int month, day;
    std::optional<int> hour;
    std::optional<float> dep_delay, arr_delay;
    pt::Category carrier;
    std::optional<pt::Category> tailnum;
    pt::Category origin, dest;
    float distance;
};
BOOST_DESCRIBE_STRUCT(Flight, (), (month, day, hour, dep_delay, arr_delay, carrier, tailnum, origin, dest, distance))
struct Weather {
    pt::Category origin;
    std::optional<int> month, day, hour;
    std::optional<double> temp, precip;
};
BOOST_DESCRIBE_STRUCT(Weather, (), (origin, month, day, hour, temp, precip))
struct Plane {
    pt::Text tailnum;
    std::optional<int> year;
    pt::Category manufacturer;
};
BOOST_DESCRIBE_STRUCT(Plane, (), (tailnum, year, manufacturer))
struct Airport {
    pt::Category faa;
    double lat;
    int alt;
};
BOOST_DESCRIBE_STRUCT(Airport, (), (faa, lat, alt))

int main(int count, char** arguments) {
    if (count != 4) return std::fprintf(stderr, "usage: relational TABLES_FOLDER RESULTS_FOLDER WORKERS\n"), 2;
    const std::string tables = std::string(arguments[1]) + "/", results = std::string(arguments[2]) + "/";
    const auto workers = static_cast<std::size_t>(std::atoi(arguments[3]));
    pt::run<pt::RingAllReduce<>>({.threads = 1, .workers = workers}, [&](pt::Session& session) {
        const auto flights = pt::read_csv<Flight>(session, tables + "flights.csv");
        const auto weather = pt::read_csv<Weather>(session, tables + "weather.csv");
        const auto planes = pt::read_csv<Plane>(session, tables + "planes.csv");
        const auto airports = pt::rename<"faa", "dest">(pt::read_csv<Airport>(session, tables + "airports.csv"));
        const pt::JoinSettings fetching{.broadcast_bytes = 0};
        pt::write_csv(pt::sort<"origin", pt::descending("dep_delay"), "tailnum">(flights), results + "sorted.csv");
        pt::write_csv(pt::top<pt::descending("arr_delay"), "day">(flights, 1000), results + "top.csv");
        pt::write_csv(
            pt::group_by<"dest", "hour">(flights, pt::CountOf<"flights">{}, pt::CountOf<"arr_delay", "arrived">{},
                                         pt::MeanOf<"arr_delay", "mean_delay">{}, pt::SumOf<"distance", "miles">{},
                                         pt::MinOf<"tailnum", "first_plane">{}, pt::MaxOf<"dep_delay", "latest">{}),
            results + "groups.csv");
        pt::write_csv(pt::left_join<"origin", "month", "day", "hour">(flights, weather, fetching),
                      results + "weather.csv");
        pt::write_csv(pt::join<"tailnum">(flights, planes), results + "planes.csv");
        pt::write_csv(pt::left_join<"dest">(flights, airports), results + "airports.csv");
    });
}
