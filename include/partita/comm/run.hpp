// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a program starts: the policy as a template argument, the settings, and the body that every worker runs.

#include <partita/comm/local_threads.hpp>
#include <partita/comm/parameter_server.hpp>
#include <partita/comm/ring_all_reduce.hpp>
#include <partita/comm/session.hpp>
#include <partita/comm/tree_aggregate.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The work of one worker, without its policy.
inline void run_worker(CommunicatorBase& communicator, const RunSettings& resolved, const Channel& channel,
                       FunctionRef<void(Session&, bool)> work) {
    Session session(communicator, resolved, channel.workers_on_machine());
    work(session, channel.leads_process());
    if (communicator.service() != nullptr) communicator.service()->finish();
}

template <class Policy>
void run_workers(RunSettings settings, FunctionRef<void(Session&, bool)> work) {
    using Transport = typename Policy::transport;
    RunSettings resolved;
    const PendingError refused = attempt([&] {
        if constexpr (requires { Transport::check(settings); }) Transport::check(settings);
        resolved = with_environment(std::move(settings));
    });
    if constexpr (!requires { requires Transport::spans_processes; })
        if (refused) std::rethrow_exception(refused.error);
    Transport::launch(resolved, [&](Channel& channel) {
        if (ConsistencyOf<Policy>::table.kind != TableConsistency::Kind::replicated) channel.open_service_lane();
        if (refused) std::rethrow_exception(refused.error);
        Link link(channel, resolved.instruments, resolved.ring_from_bytes);
        CommunicatorOf<Policy> communicator(link);
        run_worker(communicator, resolved, channel, work);
    });
}

}  // namespace detail

/// Runs `body(session)` on every worker of the policy and returns what worker 0 of this process returned.
/// Errors: what a worker's body threw; the others are told and stop at their next collective. Of several errors the one of
/// the lowest block wins, then of the lowest rank. InvalidSetting for settings or PARTITA_… variables out of range.
template <Communicator Policy, class Body>
auto run(RunSettings settings, Body&& body) {
    using Result = std::invoke_result_t<Body&, Session&>;
    std::conditional_t<std::is_void_v<Result>, bool, std::optional<std::decay_t<Result>>> result{};
    detail::run_workers<Policy>(std::move(settings),
                                [&]([[maybe_unused]] Session& session, [[maybe_unused]] bool leads_process) {
                                    if constexpr (std::is_void_v<Result>) {
                                        body(session);
                                    } else if (leads_process) {
                                        result.emplace(body(session));
                                    } else {
                                        static_cast<void>(body(session));
                                    }
                                });
    if constexpr (!std::is_void_v<Result>) return std::move(*result);
}

}  // namespace partita::inline PARTITA_ABI
