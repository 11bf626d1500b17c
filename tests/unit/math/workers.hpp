// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reduces the states of simulated workers by the protocol of accumulator.hpp: elementwise maxima and modular sums alone.

#include <partita/math/accumulator.hpp>

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
void reduce(std::vector<State>& states) {
    const auto step = [&](auto offer, auto adopt, bool sum) {
        std::vector<std::vector<std::int64_t>> words(states.size());
        for (std::size_t i = 0; i < states.size(); ++i) offer(states[i], words[i]);
        const auto result = combine(words, sum);
        for (auto& state : states) {
            partita::WordReader reader(result);
            adopt(state, reader);
            if (reader.left() != 0) throw std::logic_error("words are left over");
        }
    };
    step([](auto& s, auto& w) { partita::offer_shape(s, w); }, [](auto& s, auto& r) { partita::adopt_shape(s, r); },
         false);
    if constexpr (partita::state_is_keyed<State>()) {
        std::vector<std::string> keys(states.size());
        for (std::size_t i = 0; i < states.size(); ++i) partita::offer_keys(states[i], keys[i]);
        for (std::size_t i = 0; i < states.size(); ++i) {
            // Another order on every worker.
            for (std::size_t k = 0; k < keys.size(); ++k) partita::adopt_keys(states[i], keys[(i + k) % keys.size()]);
        }
    }
    step([](auto& s, auto& w) { partita::offer_window(s, w); }, [](auto& s, auto& r) { partita::adopt_window(s, r); },
         false);
    step([](auto& s, auto& w) { partita::pack(s, w); }, [](auto& s, auto& r) { partita::unpack(s, r); }, true);
}

}  // namespace test
