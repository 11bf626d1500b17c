// SPDX-License-Identifier: Apache-2.0
// Stages of one's own: tried by the laws, then at work in a pipeline, on one process and on three workers.
#include "stages.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/pipeline/check_stage.hpp>

#include <cstdio>

struct Ride {
    float km, minutes, tip;
};
BOOST_DESCRIBE_STRUCT(Ride, (), (km, minutes, tip))

/// 20,000 rides, drawn: tips grow with speed and distance.
std::vector<Ride> draw_rides() {
    std::vector<Ride> rides(20000);
    for (std::uint64_t i = 0; i < rides.size(); ++i) {
        const auto draw = [&](std::uint32_t stream) { return static_cast<float>(pt::uniform(42, stream, i)); };
        Ride& ride = rides[i];
        ride.km = 0.5F + 12 * draw(1) * draw(2);
        ride.minutes = ride.km * (1.5F + 3 * draw(3));
        ride.tip = 0.5F + 0.3F * ride.km + 1.8F / ride.minutes * ride.km + 0.2F * (draw(4) - 0.5F);
    }
    return rides;
}

// snippet: pipeline
inline auto tip_pipeline() {
    return pt::pipeline(Speed{})  // so that | is found: both stages beside the next one would be the program's own
           | ScaleByLargest<"kmh">{} | ThinShortRides{.share = 0.25} | pt::Assemble<"kmh", "km", "features">{} |
           pt::LinearRegression<"features", "tip">{};
}
// end
using TipModel = pt::Fitted<decltype(tip_pipeline()), Ride>;

TipModel fit_tips(pt::Session& session, const std::vector<Ride>& rides) {
    return tip_pipeline().fit(pt::as_train(pt::dataset(session, rides)));
}

int main() try {
    // snippet: check
    const pt::StageReport reports[] = {
        pt::check_stage<Speed>(),
        pt::check_stage<ScaleByLargest<"price">>(),
        pt::check_stage<ThinShortRides>({.refused = {ThinShortRides{.share = 0}, ThinShortRides{.share = 2}}}),
    };
    // end
    bool sound = true;
    for (const pt::StageReport& report : reports) {
        std::printf("%s\n", report.text().c_str());
        sound = sound && report.passed();
    }

    const std::vector<Ride> rides = draw_rides();
    pt::LocalSession session;
    const TipModel model = fit_tips(session, rides);
    std::printf("tips of %d rides, by a pipeline with these stages:\n", static_cast<int>(rides.size()));
    for (const pt::NamedCoefficient& coefficient : model.coefficients())
        std::printf("  %-5s %8.3f\n", coefficient.name.c_str(), coefficient.value);
    std::printf("  5 km in 12 minutes: a tip of %.2f\n", model.predict(Ride{5, 12, 0}));

    // snippet: workers
    const std::string of_three = pt::run<pt::RingAllReduce<>>(
        {.workers = 3}, [&](pt::Session& worker) { return pt::to_bytes(fit_tips(worker, rides)); });
    std::printf("three workers and a ring: %s\n",
                of_three == pt::to_bytes(model) ? "the same model, bit for bit" : "ANOTHER MODEL");
    // end

    pt::save(session, model, "tips.safetensors");
    const auto loaded = pt::load<TipModel>("tips.safetensors");
    std::printf("saved and loaded: %s\n", loaded.predict(Ride{5, 12, 0}) == model.predict(Ride{5, 12, 0})
                                              ? "the same prediction"
                                              : "ANOTHER PREDICTION");
    return sound && of_three == pt::to_bytes(model) ? 0 : 1;
} catch (const pt::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
}
