// SPDX-License-Identifier: Apache-2.0
#pragma once

// When MPI is started, and how the program's end ends it.

#include <partita/comm/mpi/group.hpp>
#include <partita/core/error.hpp>

#include <mpi.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

/// What a launcher says of this program in the environment: Open MPI's mpirun, and those that speak PMIx or PMI (Slurm's srun,
/// MPICH's).
struct MpiLauncher {
    bool present = false;
    std::size_t processes = 0;  ///< 0: it does not say

    static MpiLauncher find() {
        MpiLauncher launcher;
        for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "MPI_LOCALNRANKS"}) {
            const char* text = std::getenv(variable);
            if (text == nullptr || *text == '\0') continue;
            launcher.present = true;
            const std::string_view name(variable), number(text);
            if (name.ends_with("_SIZE") && launcher.processes == 0)
                std::from_chars(number.data(), number.data() + number.size(), launcher.processes);
        }
        return launcher;
    }
};

/// MPI in this process.
class MpiProcess {
  public:
    MpiProcess(const MpiProcess&) = delete;
    MpiProcess& operator=(const MpiProcess&) = delete;

    /// Starts MPI unless the program has. False without a launcher: then there is one process and no need of MPI.
    /// Errors: InvalidSetting if the program started MPI without thread support or has ended it, or if the launcher is that of
    /// another MPI.
    static bool start() {
        const MpiLauncher launcher = MpiLauncher::find();
        int started = 0, ended = 0, level = 0, is_main = 0, processes = 0;
        MPI_Initialized(&started);
        MPI_Finalized(&ended);
        if (ended != 0) throw InvalidSetting("MPI has been ended in this program; make all runs before MPI_Finalize");
        if (started == 0) {
            if (!launcher.present) return false;
            MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level);
            static const MpiProcess ends_with_the_program;
        }
        MPI_Comm_size(MPI_COMM_WORLD, &processes);
        if (launcher.processes > 1 && processes == 1)
            throw InvalidSetting("the launcher started " + std::to_string(launcher.processes) +
                                 " processes, but MPI knows of this one alone: use the launcher of the MPI that the "
                                 "program was built with");
        MPI_Query_thread(&level);
        MPI_Is_thread_main(&is_main);
        if (level < MPI_THREAD_FUNNELED || (level == MPI_THREAD_FUNNELED && is_main == 0))
            throw InvalidSetting(
                "MPI was started for programs that call it from fewer threads; start it by MPI_Init_thread with "
                "MPI_THREAD_SERIALIZED (MPI_THREAD_FUNNELED, if all runs are made by the main thread), or leave it to "
                "partita");
        return true;
    }

    /// Whether MPI may be called by one thread after another.
    static bool may_change_threads() {
        int level = 0;
        MPI_Query_thread(&level);
        return level >= MPI_THREAD_SERIALIZED;
    }

    /// One run at a time: the messages of two would meet.
    class Run {
      public:
        Run() {
            if (alive().exchange(true))
                throw InvalidSetting(
                    "a run over Mpi was started while another is going on in this process; make one after the other");
        }
        Run(const Run&) = delete;
        Run& operator=(const Run&) = delete;
        ~Run() { alive().store(false); }

        static std::atomic<bool>& alive() {
            static std::atomic<bool> value{false};
            return value;
        }
    };

  private:
    MpiProcess() = default;

    /// MPI_Finalize waits for all processes. Where one of them may never come, because it is stuck in a run that the others gave
    /// up, or because this one leaves in the middle of its own, the job is ended instead.
    ~MpiProcess() {
        int ended = 0;
        MPI_Finalized(&ended);
        if (ended != 0) return;
        if (Run::alive().load() || !MpiGroup::all_have_left()) MPI_Abort(MPI_COMM_WORLD, 1);
        MPI_Finalize();
    }
};

}  // namespace partita::inline PARTITA_ABI::detail
