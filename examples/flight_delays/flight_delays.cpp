// SPDX-License-Identifier: Apache-2.0
// Learns which flights arrive late, from categories and columns with missing values.
//   flight_delays FLIGHTS.csv MODEL.safetensors [threads | tree | ring | server] [WORKERS]
// Started by mpirun, and built with partita::mpi, its processes are the workers, on one host or several:
//   mpirun -n 4 flight_delays FLIGHTS.csv MODEL.safetensors ring

#include "flights.hpp"

#include <partita/comm/run.hpp>
#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif
#include <partita/data/split.hpp>
#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/io/csv.hpp>
#include <partita/pipeline/model_file.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void train(pt::Session& session, const std::string& flights_path, const std::string& model_path) {
    const auto all = pt::read_csv<Flight>(session, flights_path);
    const auto flights = all.filter<"arr_delay">([](std::optional<float> minutes) { return minutes.has_value(); });
    session.print("{} flights read, {} arrived; the others were cancelled or diverted\n", all.count(), flights.count());

    const auto [train, test] = pt::split_by_time<"date">(flights, pt::TrainTest{.train = 0.75});
    const DelayModel model = delay_pipeline().fit(train);

    const auto [area, loss, accuracy] = pt::evaluate(model.transform(test), pt::RocArea<"late">{}, pt::LogLoss<"late">{}, pt::Accuracy<"late">{});
    session.print("\nThe last quarter of the year, judged by a model of the rest:\n");
    session.print("  area under the ROC curve  {:.4f}\n  log loss                  {:.4f}\n  accuracy                  {:.4f}\n", area, loss, accuracy);

    const auto& learner = model.get<pt::LogisticRegression<"features", "late">>();
    session.print("\n{} iterations, {} coefficients; the heaviest:\n", learner.objective_history().size() - 1, learner.coefficients().size());
    auto coefficients = model.coefficients();
    std::sort(coefficients.begin(), coefficients.end(), [](const auto& a, const auto& b) { return std::abs(a.value) > std::abs(b.value); });
    for (std::size_t i = 0; i < 8 && i < coefficients.size(); ++i)
        session.print("  {:<16} {:>8.3f}\n", coefficients[i].name, coefficients[i].value);

    pt::save(session, model, model_path);
    session.print("\nsaved as {}\n", model_path);
}

/// False if there is no such policy.
template <class Transport, class Body>
bool run_under(std::string_view policy, const pt::RunSettings& settings, Body body) {
    if (policy == "threads") {
        pt::run<pt::LocalThreads>(settings, body);
    } else if (policy == "tree") {
        pt::run<pt::TreeAggregate<Transport>>(settings, body);
    } else if (policy == "ring") {
        pt::run<pt::RingAllReduce<Transport>>(settings, body);
    } else if (policy == "server") {
        pt::run<pt::ParameterServer<Transport>>(settings, body);
    } else {
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: flight_delays FLIGHTS.csv MODEL.safetensors [threads | tree | ring | server] [WORKERS]\n");
        return 2;
    }
    const std::string      flights = argv[1], model = argv[2];
    const std::string_view policy = argc > 3 ? argv[3] : "threads";
    pt::RunSettings        settings;
    settings.workers = argc > 4 ? static_cast<std::size_t>(std::atoi(argv[4])) : 0;
    const auto body = [&](pt::Session& session) { train(session, flights, model); };
    try {
#ifdef PARTITA_HAS_MPI
        const bool known = pt::Mpi::is_launched() ? run_under<pt::Mpi>(policy, settings, body) : run_under<pt::InProcess>(policy, settings, body);
#else
        const bool known = run_under<pt::InProcess>(policy, settings, body);
#endif
        if (!known) {
            std::fprintf(stderr, "there is no policy \"%s\": use threads, tree, ring or server\n", argv[3]);
            return 2;
        }
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
