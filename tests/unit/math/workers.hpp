// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reduces the states of simulated workers by the protocol of accumulator.hpp: elementwise maxima and modular sums alone.

#include <partita/math/accumulator_list.hpp>

#include <algorithm>
#include <stdexcept>

namespace test {

inline std::vector<std::int64_t> combine(const std::vector<std::vector<std::int64_t>>& all, bool sum) {
    std::vector<std::int64_t> result = all.front();
    for (std::size_t worker = 1; worker < all.size(); ++worker) {
        if (all[worker].size() != result.size()) throw std::logic_error("the workers offer different numbers of words");
        for (std::size_t i = 0; i < result.size(); ++i) {
            result[i] = sum ? static_cast<std::int64_t>(static_cast<std::uint64_t>(result[i]) +
                                                        static_cast<std::uint64_t>(all[worker][i]))
                            : std::max(result[i], all[worker][i]);
        }
    }
    return result;
}

template <class State>
partita::detail::AccumulatorList accumulators_of(State& state) {
    partita::detail::AccumulatorList list;
    partita::detail::list_accumulators(state, list);
    return list;
}

template <class State>
void reduce(std::vector<State>& states) {
    using partita::detail::AccumulatorOperations;
    std::vector<partita::detail::AccumulatorList> lists;
    for (State& state : states) lists.push_back(accumulators_of(state));
    const auto step = [&](auto AccumulatorOperations::* offer, auto AccumulatorOperations::* adopt, bool sum) {
        std::vector<std::vector<std::int64_t>> words(states.size());
        for (std::size_t i = 0; i < states.size(); ++i)
            for (const auto& each : lists[i])
                if (each.operations != nullptr) (each.operations->*offer)(each.object, words[i]);
        const auto result = combine(words, sum);
        for (const auto& list : lists) {
            partita::WordReader reader(result);
            for (const auto& each : list)
                if (each.operations != nullptr) (each.operations->*adopt)(each.object, reader);
            if (reader.left() != 0) throw std::logic_error("words are left over");
        }
    };
    step(&AccumulatorOperations::offer_shape, &AccumulatorOperations::adopt_shape, false);
    if constexpr (partita::state_is_keyed<State>()) {
        std::vector<std::string> keys(states.size());
        for (std::size_t i = 0; i < states.size(); ++i) partita::detail::offer_list_keys(lists[i], keys[i]);
        for (std::size_t i = 0; i < states.size(); ++i) {
            // Another order on every worker.
            for (std::size_t k = 0; k < keys.size(); ++k)
                partita::detail::adopt_list_keys(lists[i], keys[(i + k) % keys.size()]);
        }
    }
    step(&AccumulatorOperations::offer_window, &AccumulatorOperations::adopt_window, false);
    step(&AccumulatorOperations::pack, &AccumulatorOperations::unpack, true);
}

}  // namespace test
