// SPDX-License-Identifier: Apache-2.0
// Learns which flights arrive late, from categories and columns with missing values.
//   flight_delays FLIGHTS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]
// Started by mpirun, and built with partita::mpi, its processes are the workers, on one host or several:
//   mpirun -n 4 flight_delays FLIGHTS.csv MODEL.safetensors ring

#include "../run_under.hpp"
#include "flights.hpp"

#include <partita/data/split.hpp>
#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/io/csv.hpp>
#include <partita/pipeline/model_file.hpp>

#include <cstdio>
#include <string>

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

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: flight_delays FLIGHTS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]\n");
        return 2;
    }
    return run_under(argc, argv, 3, [&](pt::Session& session) { train(session, argv[1], argv[2]); });
}
