// SPDX-License-Identifier: Apache-2.0
// A user's program over processes: without a launcher there is one.
#include <partita/comm/mpi.hpp>
#include <partita/comm/run.hpp>

namespace pt = partita;

int main() {
    return pt::run<pt::RingAllReduce<pt::Mpi>>({.threads = 1}, [](pt::Session& session) {
        std::int64_t processes = 1;
        session.communicator().all_reduce({&processes, 1});
        session.print("{} of {}\n", processes, session.size());
        return processes == static_cast<std::int64_t>(session.size()) ? 0 : 1;
    });
}
