// SPDX-License-Identifier: Apache-2.0
// The whole job of examples/taxi_fares, without its random split: read, filter, split by time, fit, judge.
//   fares FOLDER [THREADS [RUNS]]        FOLDER as bench/peers/generate_trips.py writes it

#include "job.hpp"

#include "../../examples/taxi_fares/fares.hpp"

#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/r_squared.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/io/csv.hpp>

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: fares FOLDER [THREADS [RUNS]]\n");
        return 2;
    }
    const std::string path = std::string(argv[1]) + "/trips.csv";
    const std::size_t threads = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 2;
    const int runs = argc > 3 ? std::atoi(argv[3]) : 5;
    pt::LocalSession session({.threads = threads});
    double read_seconds = 0, fit_seconds = 0, judge_seconds = 0;
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto since = [&](auto begin) { return std::chrono::duration<double>(now() - begin).count(); };
    measure(session, "fares", threads, runs, [&] {
        const auto begin = now();
        const auto trips =
            pt::read_csv<Trip>(session, path).filter<"fare_amount", "trip_distance">([](float dollars, float miles) {
                return dollars > 0 && dollars < 200 && miles > 0 && miles < 100;
            });
        const auto [train, test] = pt::split_by_time<"lpep_pickup_datetime">(trips, pt::TrainTest{.train = 0.8});
        read_seconds = since(begin);
        const auto fitting = now();
        const FareModel model = fare_pipeline().fit(train);
        fit_seconds = since(fitting);
        const auto judging = now();
        const auto [rmse, mae, r_squared] = pt::evaluate(model.transform(test), pt::Rmse<"fare_amount">{},
                                                         pt::Mae<"fare_amount">{}, pt::RSquared<"fare_amount">{});
        judge_seconds = since(judging);
        return std::vector<double>{rmse.value(), mae.value(), r_squared.value()};
    });
    std::fprintf(stderr, "last run: read and split %.3f s, fit %.3f s, judge %.3f s\n", read_seconds, fit_seconds,
                 judge_seconds);
}
