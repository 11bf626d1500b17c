// SPDX-License-Identifier: Apache-2.0
// Fits, so that somebody can kill one of its processes: check_kills and check_restarts do.
//   fit_until_killed FOLDER         writes FOLDER/RANK with its process id in it, and fits again and again; ends by itself after a minute
//   fit_until_killed FOLDER MODEL   fits once, in many iterations, and saves the model

#include <partita/comm/mpi.hpp>
#include <partita/comm/run.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <unistd.h>
#include <boost/describe.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace pt = partita;

struct Visit {
    float age = 0, pulse = 0;
    bool back = false;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (age, pulse, back))

/// A ring whose workers all take their time at every sum, so that there is time to kill one of them and none is spent on waiting.
struct SlowRing : pt::RingAllReduce<pt::Mpi> {
    using RingAllReduce::RingAllReduce;
    void all_reduce(std::span<std::int64_t> words, pt::Reduction reduction) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        RingAllReduce::all_reduce(words, reduction);
    }
};

/// The settings that make a fit of few or of many iterations: both features are nearly the same, which takes L-BFGS long.
pt::LogisticRegression<"x", "back"> learner(bool many_iterations) {
    if (!many_iterations) return {.l2 = 1e-3};
    return {.l2 = 1e-12, .solver = pt::LogisticSolver::lbfgs, .max_iterations = 60, .tolerance = 1e-15};
}

void fit(pt::Session& session, const std::string& folder, const char* model) {
    pt::write_file_atomically(folder + "/" + std::to_string(session.rank()), std::to_string(getpid()) + "\n");
    std::vector<Visit> visits(model == nullptr ? 40'000 : 9'000);
    for (std::size_t i = 0; i < visits.size(); ++i) {
        const double x = std::sin(static_cast<double>(i));
        visits[i] = {static_cast<float>(i % 83), static_cast<float>(60 + 20 * x),
                     static_cast<double>(i % 83) + 40 * x > 50};
        if (model != nullptr) visits[i].pulse = visits[i].age + 1e-3f * visits[i].pulse;
    }
    const auto data = pt::as_train(pt::dataset(session, visits));
    const auto pipeline = pt::Assemble<"age", "pulse", "x">{} | learner(model != nullptr);
    if (model != nullptr) return pt::save(session, pipeline.fit(data), model);
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t over = 0; over == 0;) {
        static_cast<void>(pipeline.fit(data));
        over = std::chrono::steady_clock::now() - start > std::chrono::minutes(1) ? 1 : 0;
        session.communicator().all_reduce({&over, 1}, pt::Reduction::maximum);
    }
}

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3) return 2;
    const char* model = argc == 3 ? argv[2] : nullptr;
    const auto body = [&](pt::Session& session) { fit(session, argv[1], model); };
    const pt::RunSettings settings{.threads = 1, .progress = pt::ShowProgress::never};
    try {
        if (model == nullptr) {
            pt::run<pt::RingAllReduce<pt::Mpi>>(settings, body);
        } else {
            pt::run<SlowRing>(settings, body);
        }
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
