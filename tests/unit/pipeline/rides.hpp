// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table and the stages that the tests of pipeline/ share.

#include <partita/comm/run.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/map.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <atomic>
#include <cmath>
#include <vector>

namespace rides {

namespace pt = partita;

struct Ride {
    float km = 0;
    std::optional<float> tip;
    pt::Category town;
    bool night = false;
    float fare = 0;
};
BOOST_DESCRIBE_STRUCT(Ride, (), (km, tip, town, night, fare))

/// What is known before the ride: no fare.
struct Request {
    float km = 0;
    std::optional<float> tip;
    pt::Category town;
    bool night = false;
};
BOOST_DESCRIBE_STRUCT(Request, (), (km, tip, town, night))

constexpr std::size_t count = 9'000;  // three blocks

inline std::vector<Ride> make(std::size_t rides = count) {
    static constexpr const char* towns[] = {"Ede", "Ulm", "Aa"};
    std::vector<Ride> rows(rides);
    for (std::size_t i = 0; i < rides; ++i) {
        const double noise = std::sin(static_cast<double>(i) * 12.9898);
        rows[i].km = static_cast<float>(1 + i % 37);
        if (i % 6 != 0) rows[i].tip = static_cast<float>(i % 5);
        rows[i].town = towns[i % 3 == 0 ? 0 : 1 + i % 2];
        rows[i].night = i % 4 == 0;
        rows[i].fare = static_cast<float>(3 + 2 * rows[i].km + (rows[i].night ? 1.5 : 0) + 0.3 * noise);
    }
    return rows;
}

inline std::atomic<std::int64_t> rows_mapped{0};  ///< how often the function of the map below ran

inline auto pipeline() {
    return pt::Impute<"tip">{.strategy = pt::Imputation::median} | pt::map<"km", "root_km">([](float km) {
               rows_mapped.fetch_add(1, std::memory_order_relaxed);
               return std::sqrt(km);
           }) |
           pt::OneHotEncode<"town", pt::Unseen::all_zero>{} |
           pt::Assemble<"km", "root_km", "tip", "night", "town", "features">{} | pt::StandardScale<"features">{} |
           pt::LinearRegression<"features", "fare">{.l2 = 1e-6};
}
using Model = pt::Fitted<decltype(pipeline()), Ride>;

inline pt::RunSettings quiet(std::size_t threads = 2, std::size_t workers = 0) {
    return {.threads = threads, .workers = workers, .progress = pt::ShowProgress::never};
}

inline Model fit(std::size_t rides_count = count) {
    pt::LocalSession session(quiet());
    return pipeline().fit(pt::as_train(pt::dataset(session, make(rides_count))));
}

inline Request request(const Ride& ride) { return {ride.km, ride.tip, ride.town, ride.night}; }

}  // namespace rides
