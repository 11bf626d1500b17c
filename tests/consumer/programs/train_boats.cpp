// SPDX-License-Identifier: Apache-2.0
// Trains under a policy of its own with three workers, and saves: train_boats MODEL WORKERS
#include "boats.hpp"

#include <cstdlib>

static std::vector<Trip> trips() {
    static constexpr const char* boats[] = {"sloop", "ketch", "yawl"};
    std::vector<Trip> made(20'000);
    for (std::size_t i = 0; i < made.size(); ++i) {
        Trip& trip = made[i];
        trip.boat = boats[i / 2 % 3];
        if (i % 11 != 0) trip.wind = static_cast<float>(i % 8);
        trip.miles = static_cast<float>(5 + i % 53);
        trip.hours = trip.miles / static_cast<float>(3 + i % 4);
        trip.price = 12 + 2.5f * trip.miles + 0.75f * static_cast<float>(i % 8) + (trip.boat == "yawl" ? 9.0f : 0.0f);
    }
    return made;
}

static_assert(pt::Communicator<Circle>);

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const pt::RunSettings settings{.workers = static_cast<std::size_t>(std::atoi(argv[2])),
                                   .progress = pt::ShowProgress::never};
    pt::run<Circle>(settings, [&](pt::Session& session) {
        const auto [train, test] = pt::split_at_random(pt::dataset(session, trips()), pt::TrainTest{.train = 0.75});
        const PriceModel model = price_pipeline().fit(train);
        const auto error = pt::evaluate(model.transform(test), pt::Rmse<"price">{});
        session.print("{} workers, RMSE {:.3f}\n", session.size(), error);
        pt::save(session, model, argv[1]);
    });
}
