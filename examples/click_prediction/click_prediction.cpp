// SPDX-License-Identifier: Apache-2.0
// Learns whom to show an advertisement, from hashed categories on a table of 2^24 weights.
//   click_prediction VISITORS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]
// Under `server` the workers own the weights among them. Started by mpirun, and built with partita::mpi, processes are the workers.

#include "../run_under.hpp"
#include "clicks.hpp"

#include <partita/data/split.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/io/csv.hpp>
#include <partita/pipeline/model_file.hpp>

#include <cstdio>
#include <string>

namespace {

void train(pt::Session& session, const std::string& visitors_path, const std::string& model_path) {
    const auto visitors = pt::read_csv<Visitor>(session, visitors_path);
    const auto [train, test] = pt::split_at_random(visitors, pt::TrainTest{.train = 0.75, .seed = 1});
    const ClickModel model = click_pipeline().fit(train);

    const auto& learner = model.get<pt::SparseLogisticRegression<"features", "above_50k">>();
    session.print("{} visitors, {} to learn from; {} of {} weights are not 0\n", visitors.count(), train.count(), learner.indices().size(), learner.width());
    session.print("\nlog loss of each row before it was learnt from, first and last epoch: {:.4f}, {:.4f}\n", learner.progressive_loss(), learner.losses().back());
    const auto [loss, area] = pt::evaluate(model.transform(test), pt::LogLoss<"above_50k">{}, pt::RocArea<"above_50k">{});
    session.print("\nThe quarter that it has not seen:\n  log loss                  {:.4f}\n  area under the ROC curve  {:.4f}\n", loss, area);

    const auto& hash = model.stage<6>();
    session.print("\nWhat moves the log-odds:\n");
    for (const char* education : {"Doctorate", "Bachelors", "HS-grad", "9th"})
        session.print("  {:<10} {:>7.3f}\n", education, learner.weight(hash.index_of("education", education)));

    pt::save(session, model, model_path);
    session.print("\nsaved as {}\n", model_path);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: click_prediction VISITORS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]\n");
        return 2;
    }
    return run_under(argc, argv, 3, [&](pt::Session& session) { train(session, argv[1], argv[2]); });
}
