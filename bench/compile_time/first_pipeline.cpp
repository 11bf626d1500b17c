// SPDX-License-Identifier: Apache-2.0
// A first program, as a newcomer writes it with the headers that it uses: read, split, fit, judge, save.
// Budget of its compilation: 2.5 times that of <Eigen/Core>.

#include <partita/comm/run.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/io/csv.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe/class.hpp>

#include <cmath>
#include <optional>

namespace pt = partita;

struct Trip {
    pt::Timestamp pickup;
    float distance_km;
    pt::Category zone;
    std::optional<float> passengers;
    float fare;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (pickup, distance_km, zone, passengers, fare))

inline auto fare_pipeline() {
    return pt::Impute<"passengers">{.strategy = pt::Imputation::median} |
           pt::map<"distance_km", "log_distance">([](float km) { return std::log1p(km); }) |
           pt::OneHotEncode<"zone", pt::Unseen::all_zero>{} |
           pt::Assemble<"log_distance", "zone", "passengers", "features">{} | pt::StandardScale<"features">{} |
           pt::LinearRegression<"features", "fare">{.l2 = 1e-3};
}
using FareModel = pt::Fitted<decltype(fare_pipeline()), Trip>;

int main() {
    pt::run<pt::LocalThreads>({}, [](pt::Session& session) {
        auto trips = pt::read_csv<Trip>(session, "trips.csv");
        auto [train, test] = pt::split_by_time<"pickup">(trips, pt::TrainTest{.train = 0.8});
        FareModel model = fare_pipeline().fit(train);
        auto rmse = pt::evaluate(model.transform(test), pt::Rmse<"fare">{});
        session.print("RMSE {} dollars\n", rmse);
        pt::save(session, model, "fare.safetensors");
    });
}
