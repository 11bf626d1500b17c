// SPDX-License-Identifier: Apache-2.0
// Fits again and again, so that somebody can kill one of its processes: check_kills does.
//   fit_until_killed FOLDER       writes FOLDER/RANK with its process id in it; ends by itself after a minute

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
#include <string>
#include <vector>

namespace pt = partita;

struct Visit {
    float age = 0, pulse = 0;
    bool back = false;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (age, pulse, back))

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        pt::run<pt::RingAllReduce<pt::Mpi>>(
            {.threads = 1, .progress = pt::ShowProgress::never}, [&](pt::Session& session) {
                pt::write_file_atomically(std::string(argv[1]) + "/" + std::to_string(session.rank()),
                                          std::to_string(getpid()) + "\n");
                std::vector<Visit> visits(40'000);
                for (std::size_t i = 0; i < visits.size(); ++i) {
                    const double x = std::sin(static_cast<double>(i));
                    visits[i] = {static_cast<float>(i % 83), static_cast<float>(60 + 20 * x),
                                 static_cast<double>(i % 83) + 40 * x > 50};
                }
                const auto data = pt::as_train(pt::dataset(session, visits));
                const auto start = std::chrono::steady_clock::now();
                for (std::int64_t over = 0; over == 0;) {
                    static_cast<void>(pt::pipeline(pt::Assemble<"age", "pulse", "x">{},
                                                   pt::LogisticRegression<"x", "back">{.l2 = 1e-3})
                                          .fit(data));
                    over = std::chrono::steady_clock::now() - start > std::chrono::minutes(1) ? 1 : 0;
                    session.communicator().all_reduce({&over, 1}, pt::Reduction::maximum);
                }
            });
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
