// SPDX-License-Identifier: Apache-2.0
#pragma once

// Four workers run a body, of which one fails: each worker, at each of its collective calls, in each way. Nobody may hang, and all
// that are left end alike.

#include <partita/comm/faulty.hpp>
#include <partita/comm/session.hpp>
#include <partita/exec/function_ref.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace every_fault {

namespace pt = partita;

constexpr std::size_t workers = 4;

/// What every worker runs, and its result: that of all workers, whatever their number.
using Body = std::string (*)(pt::Session&);

/// Runs the body on so many workers, with checkpoints where a folder is given, and says what each came to: its result, a line about
/// its error, or "gone". Defined in interrupted_fits_test.cpp, one for each policy.
using Ends = std::vector<std::string>(Body body, const pt::FaultPlan* plan, const std::string& folder,
                                      std::size_t count);
Ends ring, tree, server;

/// Every worker fails at every `step`-th collective call of the body: in every way, or in turn in each. `run(plan)` gives what the
/// four workers came to; `after_kill(rank + call)` checks what a killed run left.
inline void at_calls(pt::FunctionRef<std::vector<std::string>(const pt::FaultPlan*)> run, std::uint64_t step,
                     bool in_every_way, pt::FunctionRef<void(std::size_t)> after_kill) {
    const auto same = [](const std::string& line) { return std::vector<std::string>(workers, line); };
    const std::string healthy = run(nullptr)[0];
    REQUIRE(healthy.size() > 1000);
    REQUIRE(run(nullptr) == same(healthy));
    const auto with = [&](std::size_t rank, std::uint64_t call, pt::FaultKind kind,
                          std::exception_ptr error = nullptr) {
        const pt::FaultPlan plan{{{rank, call, kind, error, 0.001}}};
        return run(&plan);
    };
    std::uint64_t calls = 1, past = 4096;  // of the body: a fault at call `past` would never come
    while (past - calls > 1) {
        const std::uint64_t middle = (calls + past) / 2;
        (with(0, middle - 1, pt::FaultKind::error)[0] == healthy ? past : calls) = middle;
    }
    REQUIRE(calls > 40);
    const std::string type = pt::detail::readable_type_name(&typeid(pt::InjectedFault));
    for (std::size_t rank = 0; rank < workers; ++rank) {
        const std::string of = " of " + std::to_string(rank);
        for (std::uint64_t call = rank % step; call < calls; call += step) {
            CAPTURE(rank, call, calls);
            const std::uint64_t turn = (rank + call / step) % 4;
            if (in_every_way || turn == 0)
                CHECK(with(rank, call, pt::FaultKind::error,
                           std::make_exception_ptr(pt::NonFiniteValue("not finite"))) == same("non_finite_value" + of));
            if (in_every_way || turn == 1) {
                auto thrown = same("remote_error" + of + ": " + type);
                thrown[rank] = "original a fault that a test asked for";
                CHECK(with(rank, call, pt::FaultKind::leave) == thrown);
            }
            if (in_every_way || turn == 2) CHECK(with(rank, call, pt::FaultKind::delay) == same(healthy));
            if (in_every_way || turn == 3) {
                auto killed = same("worker_lost" + of);
                killed[rank] = "gone";
                CHECK(with(rank, call, pt::FaultKind::kill) == killed);
                after_kill(rank + call);
            }
        }
    }
}

/// The same of a body that keeps no checkpoints.
inline void at_calls(Ends* ends, Body body, std::uint64_t step, bool in_every_way) {
    at_calls([&](const pt::FaultPlan* plan) { return ends(body, plan, "", workers); }, step, in_every_way,
             [](std::size_t) {});
}

}  // namespace every_fault
