// SPDX-License-Identifier: Apache-2.0
// The pipelines of two examples, fitted on their real data.

#include "../../examples/flight_delays/flights.hpp"
#include "../../examples/taxi_fares/fares.hpp"
#include "comparison.hpp"

#include <partita/data/split.hpp>
#include <partita/io/csv.hpp>
#include <partita/pipeline/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Taxi {
    using Row = Trip;
    static constexpr const char* name = "taxi_fares";
    static constexpr const char* file = "/taxi_fares/green_trips_2021.csv";
    static auto pipeline() { return fare_pipeline(); }
    static auto sound(const pt::Dataset<Trip>& trips) {
        return trips.filter<"fare_amount", "trip_distance">(
            [](float dollars, float miles) { return dollars > 0 && dollars < 200 && miles > 0 && miles < 100; });
    }
    static auto few(const pt::Dataset<Trip>& trips) {
        return trips.filter<"trip_distance">([](float miles) { return std::lround(miles * 100) % 100 == 37; });
    }
    static auto weighted(const pt::Dataset<Trip>& trips) { return trips.weigh_by<"trip_distance">(); }
};

struct Flights {
    using Row = Flight;
    static constexpr const char* name = "flight_delays";
    static constexpr const char* file = "/flight_delays/flights_2013.csv";
    static auto pipeline() { return delay_pipeline(); }
    static auto sound(const pt::Dataset<Flight>& flights) {
        return flights.filter<"arr_delay">([](std::optional<float> minutes) { return minutes.has_value(); });
    }
    static auto few(const pt::Dataset<Flight>& flights) {
        return flights.filter<"distance", "hour", "dep_delay">([](float miles, std::optional<int> hour,
                                                                  std::optional<float> minutes) {
            return (std::lround(miles) * 31 + hour.value_or(0) * 7 + std::lround(minutes.value_or(0.0f) + 1000.0f)) %
                       100 ==
                   17;
        });
    }
    static auto weighted(const pt::Dataset<Flight>& flights) { return flights.weigh_by<"distance">(); }
};

/// The model file of each kind of data, as this session fits them.
template <class Task>
std::vector<std::string> fit_all(pt::Session& session, const std::string& text, std::size_t chunk_blocks) {
    const auto rows = Task::sound(
        pt::read_csv_text<typename Task::Row>(session, text, {.chunk_blocks = chunk_blocks, .range_bytes = 64 << 10}));
    const auto drawn = std::get<0>(pt::split_at_random(rows, pt::TrainTest{.train = 0.8, .seed = 7}));
    const auto fitted = [](const auto& train) {
        const pt::Fitted<decltype(Task::pipeline()), typename Task::Row> model = Task::pipeline().fit(train);
        return pt::to_bytes(model);
    };
    return {fitted(pt::as_train(rows)), fitted(pt::as_train(Task::few(rows))), fitted(drawn),
            fitted(pt::as_train(Task::weighted(rows)))};
}

/// Every so many lines of a file, and its first.
std::string thinned(const std::string& path, std::size_t every) {
    const std::string whole = pt::read_whole_file(path);
    std::string text;
    std::size_t line = 0;
    for (std::size_t at = 0; at < whole.size(); ++line) {
        const std::size_t end = whole.find('\n', at) + 1;
        if (line % every == 0) text.append(whole, at, end - at);
        at = end;
    }
    return text;
}

template <class Task>
digests::Job job(const std::string& examples, std::size_t every) {
    return {Task::name,
            {"plain", "filtered to 1 %", "random split", "weighted"},
            [text = thinned(examples + Task::file, every)](pt::Session& session, std::size_t chunk_blocks) {
                return fit_all<Task>(session, text, chunk_blocks);
            }};
}

}  // namespace

std::vector<digests::Job> digests::example_jobs(const std::string& examples, std::size_t every) {
    std::vector<Job> jobs;
    jobs.push_back(job<Taxi>(examples, every));
    jobs.push_back(job<Flights>(examples, every));
    return jobs;
}
