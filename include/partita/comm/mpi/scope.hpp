// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which processes a run over Mpi is made of.

#include <partita/core/error.hpp>

#include <mpi.h>

namespace partita::inline PARTITA_ABI {

/// While it lives, runs over Mpi are made of the processes of this communicator (a boost::mpi::communicator will do) instead of
/// those of MPI_COMM_WORLD. All of them make the scope and the runs in it; other processes make neither. What runs need of a
/// communicator (two copies of it at most, and memory shared between its processes) stays until the program ends, so keep one
/// that is used again instead of making it anew.
/// Errors: InvalidSetting for MPI_COMM_NULL.
class MpiScope {
  public:
    explicit MpiScope(MPI_Comm processes) : former_(current()) {
        if (processes == MPI_COMM_NULL)
            throw InvalidSetting(
                "MpiScope was given MPI_COMM_NULL: this process is none of the communicator's, so it makes no run of "
                "theirs");
        current() = processes;
    }
    MpiScope(const MpiScope&) = delete;
    MpiScope& operator=(const MpiScope&) = delete;
    ~MpiScope() { current() = former_; }

    /// The communicator whose processes make the next run.
    static MPI_Comm& current() noexcept {
        static MPI_Comm processes = MPI_COMM_WORLD;
        return processes;
    }

  private:
    MPI_Comm former_;
};

}  // namespace partita::inline PARTITA_ABI
