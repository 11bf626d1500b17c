// SPDX-License-Identifier: Apache-2.0
// Loads the model and prices trips, one row at a time.
//   serve_fares MODEL.safetensors

#include "fares.hpp"

#include <partita/pipeline/model_file.hpp>

#include <cstdio>

/// What is known when a trip is offered: no fare, and the columns that the stages read.
struct TripRequest {
    pt::Timestamp        lpep_pickup_datetime;
    pt::Category         PULocationID;
    pt::Category         DOLocationID;
    std::optional<float> passenger_count;
    float                trip_distance;
};
BOOST_DESCRIBE_STRUCT(TripRequest, (), (lpep_pickup_datetime, PULocationID, DOLocationID, passenger_count, trip_distance))

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: serve_fares MODEL.safetensors\n");
        return 2;
    }
    try {
        const auto          model = pt::load<FareModel>(argv[1]);
        const pt::Timestamp noon{1'614'600'000'000'000};  // 2021-03-01 12:00
        const TripRequest   requests[] = {
            {noon, "74", "75", 1.0f, 1.2f},
            {noon, "74", "138", std::nullopt, 6.5f},
            {noon, "244", "no such zone", 2.0f, 10.0f},
        };
        for (const TripRequest& request : requests)
            std::printf("zone %-3.*s to %-12.*s %5.1f miles: %6.2f dollars\n", static_cast<int>(request.PULocationID.text.size()), request.PULocationID.text.data(),
                        static_cast<int>(request.DOLocationID.text.size()), request.DOLocationID.text.data(), static_cast<double>(request.trip_distance),
                        model.predict(request));
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
