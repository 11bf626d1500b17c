// SPDX-License-Identifier: Apache-2.0
#pragma once

// The all-reduce of a state made of exact accumulators.

#include <partita/comm/communicator.hpp>
#include <partita/math/accumulator.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Every worker's `state` becomes the merge of all workers' states; `pending` is an error that this worker ran into while
/// it filled its state. Determinism: exact, so independent of the policy and of how rows lie on workers. Cost: up to three
/// all-reduces and, with keyed accumulators, one all-gather, whatever the number of accumulators.
template <class State>
    requires exact_state<State>
void all_reduce_state(CommunicatorBase& communicator, State& state, PendingError pending = {}) {
    if (communicator.size() == 1) return communicator.agree(pending);

    // A worker that fails on the way takes its error into the next collective, whichever that is: a link with an error
    // fits any all-reduce. Only keyed states have another kind of collective, and their shape is always exchanged first.
    std::vector<std::int64_t> words;
    const auto local = [&](auto&& action) {
        if (!pending) pending = attempt(action);
    };
    const auto exchange = [&](Reduction reduction) { communicator.all_reduce(words, reduction, pending); };

    constexpr bool keyed = state_is_keyed<State>();
    local([&] { offer_shape(state, words); });
    if (keyed || pending || !words.empty()) exchange(Reduction::maximum);
    local([&] {
        WordReader reader(words);
        adopt_shape(state, reader);
    });
    if constexpr (keyed) {
        std::string keys;
        local([&] { offer_keys(state, keys); });
        const std::vector<Bytes> everyones = communicator.all_gather(as_bytes_of(keys), pending);
        local([&] {
            for (const Bytes& theirs : everyones) {
                adopt_keys(state, std::string_view(reinterpret_cast<const char*>(theirs.data()), theirs.size()));
            }
        });
    }
    words.clear();
    local([&] { offer_window(state, words); });
    if (pending || !words.empty()) exchange(Reduction::maximum);
    local([&] {
        WordReader reader(words);
        adopt_window(state, reader);
    });
    words.clear();
    local([&] { pack(state, words); });
    exchange(Reduction::sum);
    WordReader reader(words);
    unpack(state, reader);
}

}  // namespace partita::inline PARTITA_ABI
