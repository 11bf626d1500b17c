// SPDX-License-Identifier: Apache-2.0
// The communication policy chosen by its name while the program runs: a policy is a type, so every name has a call of its own.
#pragma once

#include <partita/comm/run.hpp>
#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif

#include <charconv>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace pt = partita;

/// False if there is no such policy.
template <class Transport, class Body>
bool run_over(std::string_view policy, const pt::RunSettings& settings, Body body) {
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

/// Runs `body(session)` under the policy that the arguments from `at` on name, [threads | tree | ring | server | stale] [WORKERS]; the
/// program's exit status. Started by mpirun, and built with partita::mpi, its processes are the workers, by default under `ring`.
template <class Body>
int run_under(int argc, char** argv, int at, Body body) {
#ifdef PARTITA_HAS_MPI
    const bool launched = pt::Mpi::is_launched();
#else
    const bool launched = false;
#endif
    const std::string_view policy = argc > at ? argv[at] : launched ? "ring" : "threads";
    pt::RunSettings        settings;
    if (argc > at + 1) {
        const std::string_view workers = argv[at + 1];
        const auto             read = std::from_chars(workers.data(), workers.data() + workers.size(), settings.workers);
        if (read.ec != std::errc() || read.ptr != workers.data() + workers.size() || settings.workers == 0) {
            std::fprintf(stderr, "\"%s\" is no number of workers\n", argv[at + 1]);
            return 2;
        }
    }
    if (launched && policy == "threads") {
        std::fprintf(stderr, "processes need a policy that connects them: use tree, ring, server or stale\n");
        return 2;
    }
    try {
#ifdef PARTITA_HAS_MPI
        const bool known = launched ? run_over<pt::Mpi>(policy, settings, body) : run_over<pt::InProcess>(policy, settings, body);
#else
        const bool known = run_over<pt::InProcess>(policy, settings, body);
#endif
        if (known) return 0;
        std::fprintf(stderr, "there is no policy \"%s\": use threads, tree, ring, server or stale\n", argv[at]);
        return 2;
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
