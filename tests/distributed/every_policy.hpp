// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bodies of tests that must give the same under every policy, whatever the workers and threads.

#include <partita/comm/run.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace every_policy {

namespace pt = partita;

/// Runs `body(session)`, which gives something comparable, on one worker with one thread, then under every policy with
/// 1, 2, 3, 5 and 8 workers of one to three threads, and requires equal results of all workers.
template <class Body>
auto gives_the_same(Body body) {
    pt::LocalSession alone({.threads = 1, .progress = pt::ShowProgress::never});
    const auto expected = body(alone);
    const auto under = [&]<class Policy>(const char* name, Policy*) {
        for (const std::size_t workers : {1u, 2u, 3u, 5u, 8u}) {
            std::vector<decltype(body(alone))> results(workers);
            pt::run<Policy>({.threads = 1 + workers % 3, .workers = workers, .progress = pt::ShowProgress::never},
                            [&](pt::Session& session) { results[session.rank()] = body(session); });
            for (std::size_t rank = 0; rank < workers; ++rank) {
                INFO(name << ", worker " << rank << " of " << workers);
                CHECK(results[rank] == expected);
            }
        }
    };
    pt::LocalSession threads({.threads = 3, .progress = pt::ShowProgress::never});
    CHECK(body(threads) == expected);
    under("TreeAggregate", static_cast<pt::TreeAggregate<>*>(nullptr));
    under("RingAllReduce", static_cast<pt::RingAllReduce<>*>(nullptr));
    under("ParameterServer", static_cast<pt::ParameterServer<>*>(nullptr));
    return expected;
}

/// What each of so many workers says came of an action that should fail: "cause: sentence", or "fine".
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
