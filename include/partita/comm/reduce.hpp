// SPDX-License-Identifier: Apache-2.0
#pragma once

// The all-reduce of a state made of exact accumulators.

#include <partita/comm/communicator.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/math/accumulator_list.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// all_reduce_state without the state's type. `keyed`: whether a state of the type may hold keyed accumulators.
inline void all_reduce_list(CommunicatorBase& communicator, const AccumulatorList& list, bool keyed,
                            PendingError pending) {
    // A worker that fails on the way takes its error into the next collective, whichever that is: a link with an error
    // fits any all-reduce. Only keyed states have another kind of collective, and their shape is always exchanged first.
    std::vector<std::int64_t> words;
    const auto local = [&](FunctionRef<void()> action) {
        if (!pending) pending = attempt(action);
    };
    const auto offer = [&](void (*AccumulatorOperations::*step)(void*, std::vector<std::int64_t>&)) {
        words.clear();
        local([&] {
            for (const AnyAccumulator& each : list)
                if (each.operations != nullptr) (each.operations->*step)(each.object, words);
        });
    };
    const auto adopt = [&](void (*AccumulatorOperations::*step)(void*, WordReader&)) {
        WordReader reader(words);
        for (const AnyAccumulator& each : list)
            if (each.operations != nullptr) (each.operations->*step)(each.object, reader);
    };

    offer(&AccumulatorOperations::offer_shape);
    if (keyed || pending || !words.empty()) communicator.all_reduce(words, Reduction::maximum, pending);
    local([&] { adopt(&AccumulatorOperations::adopt_shape); });
    if (keyed) {
        std::string keys;
        local([&] { offer_list_keys(list, keys); });
        const std::vector<Bytes> everyones = communicator.all_gather(as_bytes_of(keys), pending);
        local([&] {
            for (const Bytes& theirs : everyones)
                adopt_list_keys(list, std::string_view(reinterpret_cast<const char*>(theirs.data()), theirs.size()));
        });
    }
    offer(&AccumulatorOperations::offer_window);
    if (pending || !words.empty()) communicator.all_reduce(words, Reduction::maximum, pending);
    local([&] { adopt(&AccumulatorOperations::adopt_window); });
    offer(&AccumulatorOperations::pack);
    communicator.all_reduce(words, Reduction::sum, pending);
    adopt(&AccumulatorOperations::unpack);
}

}  // namespace detail

/// Every worker's `state` becomes the merge of all workers' states; `pending` is an error that this worker ran into while
/// it filled its state. Determinism: exact, so independent of the policy and of how rows lie on workers. Cost: up to three
/// all-reduces and, with keyed accumulators, one all-gather, whatever the number of accumulators.
template <class State>
    requires exact_state<State>
void all_reduce_state(CommunicatorBase& communicator, State& state, PendingError pending = {}) {
    if (communicator.size() == 1) return communicator.agree(pending);
    detail::AccumulatorList list;
    detail::list_accumulators(state, list);
    detail::all_reduce_list(communicator, list, state_is_keyed<State>(), std::move(pending));
}

}  // namespace partita::inline PARTITA_ABI
