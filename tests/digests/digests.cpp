// SPDX-License-Identifier: Apache-2.0
// Fits the pipelines of two examples on their real data, and others on made-up rows, under every setting that must not
// change a model, compares the model files byte for byte, and prints one line of digests for each fit.
//   digests EXAMPLES [EVERY]       EXAMPLES: the folder examples/; EVERY: read only every so many rows
// `file` is the XXH64 of the whole model file: one compiler gives one, whatever its flags. `numbers` is that of its tensors
// alone, without the header that names compiler and instruction set: what two compilers may have in common.
// Compiled with PARTITA_TEST_MPI and started by mpirun, its processes are the workers.

#include "comparison.hpp"

#include <algorithm>
#include <cstdlib>

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: digests EXAMPLES [EVERY]\n");
        return 2;
    }
    const std::size_t every = argc > 2 ? std::max<std::size_t>(1, std::strtoull(argv[2], nullptr, 10)) : 1;
    try {
        std::vector<digests::Job> jobs = digests::made_up_jobs(every);
        for (digests::Job& each : digests::example_jobs(argv[1], every)) jobs.push_back(std::move(each));
#ifndef PARTITA_TEST_SHORT
        for (digests::Job& each : digests::step_jobs()) jobs.push_back(std::move(each));
#endif
        bool sound = true;
        for (const digests::Job& each : jobs) sound = digests::Comparison(each).run() && sound;
        return sound ? 0 : 1;
    } catch (const partita::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
