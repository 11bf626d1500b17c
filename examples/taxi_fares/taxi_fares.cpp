// SPDX-License-Identifier: Apache-2.0
// Trains a model of taxi fares and saves it.
//   taxi_fares TRIPS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]
// Started by mpirun, and built with partita::mpi, its processes are the workers:
//   mpirun -n 4 taxi_fares TRIPS.csv MODEL.safetensors ring

#include "../run_under.hpp"
#include "fares.hpp"

#include <partita/data/split.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/r_squared.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/io/csv.hpp>
#include <partita/pipeline/model_file.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

template <class TestData>
double judge(pt::Session& session, std::string_view split, const FareModel& model, const TestData& test) {
    const auto [rmse, mae, r_squared] =
        pt::evaluate(model.transform(test), pt::Rmse<"fare_amount">{}, pt::Mae<"fare_amount">{}, pt::RSquared<"fare_amount">{});
    session.print("  {:<22} {:>7.3f}   {:>7.3f}   {:>6.4f}\n", split, rmse, mae, r_squared);
    return rmse;
}

void train(pt::Session& session, const std::string& trips_path, const std::string& model_path) {
    const auto all = pt::read_csv<Trip>(session, trips_path);
    const auto trips = all.filter<"fare_amount", "trip_distance">(
        [](float dollars, float miles) { return dollars > 0 && dollars < 200 && miles > 0 && miles < 100; });
    session.print("{} trips read, {} kept: the others have no distance, no fare, or one that no trip has\n\n", all.count(), trips.count());

    const auto [train, test] = pt::split_by_time<"lpep_pickup_datetime">(trips, pt::TrainTest{.train = 0.8});
    const FareModel model = fare_pipeline().fit(train);

    const auto [drawn_train, drawn_test] = pt::split_at_random(trips, pt::TrainTest{.train = 0.8, .seed = 1});
    const FareModel of_drawn = fare_pipeline().fit(drawn_train);

    session.print("  tested on                 RMSE       MAE     R2\n");
    const double later = judge(session, "the last fifth", model, test);
    const double drawn = judge(session, "a fifth at random", of_drawn, drawn_test);
    session.print("\nTrips to come are what a model is for, so the first row counts. The gap to the second, {:.3f} dollars, is how much a\n"
                  "random split would have {} it.\n\n",
                  std::abs(later - drawn), later > drawn ? "flattered" : "wronged");

    session.print("What moves a fare most, in dollars per standard deviation:\n");
    auto coefficients = model.coefficients();
    std::sort(coefficients.begin(), coefficients.end(), [](const auto& a, const auto& b) { return std::abs(a.value) > std::abs(b.value); });
    for (std::size_t i = 0; i < 8 && i < coefficients.size(); ++i)
        session.print("  {:<22} {:>8.3f}\n", coefficients[i].name, coefficients[i].value);

    pt::save(session, model, model_path);
    session.print("\nsaved as {}\n", model_path);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: taxi_fares TRIPS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]\n");
        return 2;
    }
    return run_under(argc, argv, 3, [&](pt::Session& session) { train(session, argv[1], argv[2]); });
}
