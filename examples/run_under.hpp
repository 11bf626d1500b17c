// SPDX-License-Identifier: Apache-2.0
// The communication policy chosen by its name while the program runs: a policy is a type, so every name has a call of its own.
#pragma once

#include <partita/comm/run.hpp>
#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif

#include <cstdio>
#include <cstdlib>
#include <string_view>

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

/// Runs `body(session)` under the policy that the arguments from `at` on name, [threads | tree | ring | server | stale] [WORKERS], over the
/// processes that mpirun started if it did, and over threads otherwise; the program's exit status.
template <class Body>
int run_under(int argc, char** argv, int at, Body body) {
    const char*     policy = argc > at ? argv[at] : "threads";
    pt::RunSettings settings;
    settings.workers = argc > at + 1 ? static_cast<std::size_t>(std::atoi(argv[at + 1])) : 0;
    try {
#ifdef PARTITA_HAS_MPI
        const bool known = pt::Mpi::is_launched() ? run_over<pt::Mpi>(policy, settings, body) : run_over<pt::InProcess>(policy, settings, body);
#else
        const bool known = run_over<pt::InProcess>(policy, settings, body);
#endif
        if (known) return 0;
        std::fprintf(stderr, "there is no policy \"%s\": use threads, tree, ring, server or stale\n", policy);
        return 2;
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
