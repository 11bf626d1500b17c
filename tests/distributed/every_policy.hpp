// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bodies of tests that must give the same under every policy, whatever the workers and threads. A program that mpirun
// started takes its processes for the workers.

#include <partita/comm/run.hpp>
#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

namespace every_policy {

namespace pt = partita;

/// Runs `body` on so many workers with so many threads each, and requires of all that are here what one thread gave.
template <class Policy, class Body, class Result>
void under(const char* name, std::size_t workers, std::size_t threads, Body& body, const Result& expected) {
    std::vector<Result> results;
    std::size_t first = 0;  // of the workers that are here
    const bool in_process = std::is_same_v<typename Policy::transport, pt::InProcess>;
    if (in_process) results.resize(workers);
    pt::run<Policy>({.threads = threads, .workers = in_process ? workers : 0, .progress = pt::ShowProgress::never},
                    [&](pt::Session& session) {
                        if (in_process) {
                            results[session.rank()] = body(session);
                        } else {
                            results.push_back(body(session));
                            first = session.rank();
                            workers = session.size();
                        }
                    });
    for (std::size_t i = 0; i < results.size(); ++i) {
        INFO(name << ", worker " << first + i << " of " << workers << ", threads " << threads);
        CHECK(results[i] == expected);
    }
}

#ifdef PARTITA_HAS_MPI
template <class Body, class Result>
void under_processes(Body& body, const Result& expected) {
    const char* launched = std::getenv("PARTITA_TEST_PROCESSES");
    const auto started = pt::run<pt::TreeAggregate<pt::Mpi>>(
        {.threads = 1}, [](pt::Session& session) { return std::to_string(session.size()); });
    REQUIRE(launched != nullptr);
    REQUIRE(started == launched);
    under<pt::TreeAggregate<pt::Mpi>>("TreeAggregate", 0, 1, body, expected);
    under<pt::RingAllReduce<pt::Mpi>>("RingAllReduce", 0, 2, body, expected);
    under<pt::ParameterServer<pt::Mpi>>("ParameterServer", 0, 1, body, expected);
}
#endif

/// Runs `body(session)`, which gives something comparable, on one worker with one thread, then under every policy with
/// 1, 2, 3, 5 and 8 workers of one to three threads, and requires equal results of all workers.
template <class Body>
auto gives_the_same(Body body) {
    pt::LocalSession alone({.threads = 1, .progress = pt::ShowProgress::never});
    const auto expected = body(alone);
#ifdef PARTITA_HAS_MPI
    if (pt::Mpi::is_launched()) {
        under_processes(body, expected);
        return expected;
    }
#endif
    pt::LocalSession threads({.threads = 3, .progress = pt::ShowProgress::never});
    CHECK(body(threads) == expected);
    for (const std::size_t workers : {1u, 2u, 3u, 5u, 8u}) {
        under<pt::TreeAggregate<>>("TreeAggregate", workers, 1 + workers % 3, body, expected);
        under<pt::RingAllReduce<>>("RingAllReduce", workers, 1 + workers % 3, body, expected);
        under<pt::ParameterServer<>>("ParameterServer", workers, 1 + workers % 3, body, expected);
    }
    return expected;
}

/// What each of so many workers, which are threads, says came of an action that should fail: "cause: sentence", or "fine".
template <class Body>
std::vector<std::string> outcomes(std::size_t workers, Body body) {
    std::vector<std::string> lines(workers);
    pt::run<pt::RingAllReduce<>>({.threads = 2, .workers = workers, .progress = pt::ShowProgress::never},
                                 [&](pt::Session& session) {
                                     try {
                                         body(session);
                                         lines[session.rank()] = "fine";
                                     } catch (const pt::RemoteError& error) {
                                         lines[session.rank()] = "remote " + error.type();
                                     } catch (const pt::Error& error) {
                                         lines[session.rank()] = std::string(error.cause()) + ": " + error.what();
                                     } catch (const std::exception& error) {
                                         lines[session.rank()] = std::string("original ") + error.what();
                                     }
                                 });
    return lines;
}

}  // namespace every_policy
