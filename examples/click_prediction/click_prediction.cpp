// SPDX-License-Identifier: Apache-2.0
// Learns whom to show an advertisement, from hashed categories on a table of 2^24 weights.
//   click_prediction VISITORS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]
// Under `server` the workers own the weights among them. Started by mpirun, and built with partita::mpi, processes are the workers.

#include "clicks.hpp"

#include <partita/comm/run.hpp>
#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif
#include <partita/data/split.hpp>
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
    } else if (policy == "stale") {
        pt::run<pt::ParameterServer<Transport, pt::Ssp<4>>>(settings, body);
    } else {
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: click_prediction VISITORS.csv MODEL.safetensors [threads | tree | ring | server | stale] [WORKERS]\n");
        return 2;
    }
    const std::string      visitors = argv[1], model = argv[2];
    const std::string_view policy = argc > 3 ? argv[3] : "threads";
    pt::RunSettings        settings;
    settings.workers = argc > 4 ? static_cast<std::size_t>(std::atoi(argv[4])) : 0;
    const auto body = [&](pt::Session& session) { train(session, visitors, model); };
    try {
#ifdef PARTITA_HAS_MPI
        const bool known = pt::Mpi::is_launched() ? run_under<pt::Mpi>(policy, settings, body) : run_under<pt::InProcess>(policy, settings, body);
#else
        const bool known = run_under<pt::InProcess>(policy, settings, body);
#endif
        if (!known) {
            std::fprintf(stderr, "there is no policy \"%s\": use threads, tree, ring, server or stale\n", argv[3]);
            return 2;
        }
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
