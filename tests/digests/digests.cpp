// SPDX-License-Identifier: Apache-2.0
// Fits the pipelines of two examples on their real data under every setting that must not change a model, compares the
// model files byte for byte, and prints one line of digests for each kind of data.
//   digests EXAMPLES [EVERY]       EXAMPLES: the folder examples/; EVERY: read only every so many rows
// `file` is the XXH64 of the whole model file: one compiler gives one, whatever its flags. `numbers` is that of its tensors
// alone, without the header that names compiler and instruction set: what two compilers may have in common.

#include "../../examples/flight_delays/flights.hpp"
#include "../../examples/taxi_fares/fares.hpp"

#include <partita/comm/run.hpp>
#include <partita/data/split.hpp>
#include <partita/io/csv.hpp>
#include <partita/pipeline/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
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

constexpr std::size_t variants = 4;
constexpr const char* variant_names[variants] = {"plain", "filtered to 1 %", "random split", "weighted"};
using Files = std::vector<std::string>;

/// The model file of each kind of data, as this session fits them.
template <class Task>
Files fit_all(pt::Session& session, const std::string& text, std::size_t chunk_blocks) {
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

std::string digest(std::string_view bytes) { return pt::checksum_text(pt::checksum(std::as_bytes(std::span(bytes)))); }

/// A safetensors file: the length of its header in eight bytes, the header, the tensors.
std::string_view tensors(std::string_view file) {
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, file.data(), sizeof header_bytes);
    return file.substr(sizeof header_bytes + header_bytes);
}

template <class Task>
class Comparison {
  public:
    Comparison(const std::string& examples, std::size_t every) : text_(thinned(examples + Task::file, every)) {}

    bool run() {
        for (std::size_t threads : {1, 2, 3, 8})
            for (std::size_t chunk_blocks : {1, 4, 16}) {
                pt::LocalSession session({.threads = threads, .progress = pt::ShowProgress::never});
                check(fit_all<Task>(session, text_, chunk_blocks),
                      std::to_string(threads) + " threads, chunks of " + std::to_string(chunk_blocks) + " blocks");
            }
        for (std::size_t workers : {1, 2, 3, 5}) {
            under<pt::TreeAggregate<>>("TreeAggregate", workers);
            under<pt::RingAllReduce<>>("RingAllReduce", workers);
            under<pt::ParameterServer<>>("ParameterServer", workers);
        }
        for (std::size_t i = 0; i < variants; ++i)
            std::printf("%-14s %-16s file %s  numbers %s  (%zu bytes, equal under %zu settings)\n", Task::name,
                        variant_names[i], digest(first_[i]).c_str(), digest(tensors(first_[i])).c_str(),
                        first_[i].size(), agreeing_[i]);
        return sound_;
    }

  private:
    template <class Policy>
    void under(const char* name, std::size_t workers) {
        const std::size_t chunk_blocks = workers % 2 == 0 ? 1 : 4;
        check(pt::run<Policy>({.threads = 2, .workers = workers, .progress = pt::ShowProgress::never},
                              [&](pt::Session& session) { return fit_all<Task>(session, text_, chunk_blocks); }),
              std::string(name) + " with " + std::to_string(workers) + " workers");
    }

    void check(Files files, const std::string& setting) {
        if (first_.empty()) first_ = files;
        for (std::size_t i = 0; i < variants; ++i) {
            if (files[i] == first_[i]) {
                ++agreeing_[i];
                continue;
            }
            std::printf("FAILED: %s, %s: file %s under %s\n", Task::name, variant_names[i], digest(files[i]).c_str(),
                        setting.c_str());
            sound_ = false;
        }
    }

    std::string text_;
    Files first_;
    std::size_t agreeing_[variants]{};
    bool sound_ = true;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: digests EXAMPLES [EVERY]\n");
        return 2;
    }
    const std::size_t every = argc > 2 ? std::max<std::size_t>(1, std::strtoull(argv[2], nullptr, 10)) : 1;
    try {
        const bool taxi = Comparison<Taxi>(argv[1], every).run(), flights = Comparison<Flights>(argv[1], every).run();
        return taxi && flights ? 0 : 1;
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
