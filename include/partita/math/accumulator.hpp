// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the states of a summary are built from, and how they meet: in one process by `merge`, across workers by nothing but
// elementwise maxima and modular sums of 64-bit words, which every collective algorithm may split and order as it likes.
//
// A reduction over the workers takes four steps, of which most accumulators need one or two:
//   1. shape:  offer_shape of every worker, elementwise maximum, adopt_shape          (sizes; word count fixed by the type)
//   2. keys:   offer_keys of every worker, adopt_keys of every worker's bytes on all  (only accumulators with `keyed`)
//   3. window: offer_window, elementwise maximum, adopt_window                        (ranges; word count fixed by the shape)
//   4. sums:   pack, elementwise sum modulo 2^64, unpack                              (word count fixed by 1 to 3)
// (comm/reduce.hpp takes them for a whole state: one message each.)
// After that every worker holds the same state, as if the states had been merged. Up to 4095 workers are safe.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/math/word_reader.hpp>

#include <boost/describe/bases.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A state whose merge is exact, associative and commutative, with the default or freshly constructed state as its identity,
/// and that can be reduced across workers by the steps above. `offer_keys` appends to the bytes; `adopt_keys` is called once
/// with each worker's bytes, its own among them, in any order, and gives the same state in every order.
template <class A>
concept ExactAccumulator =
    std::copyable<A> && requires(A& a, const A& other, std::vector<std::int64_t>& words, WordReader& reader) {
        a.merge(other);
        { A::keyed } -> std::convertible_to<bool>;
        a.offer_shape(words);
        a.adopt_shape(reader);
        a.offer_window(words);
        a.adopt_window(reader);
        a.pack(words);
        a.unpack(reader);
    } && (!A::keyed || requires(A& a, std::string& bytes, std::string_view others) {
        a.offer_keys(bytes);
        a.adopt_keys(others);
    });

namespace detail {

template <class T>
inline constexpr bool is_sequence = false;
template <class T>
inline constexpr bool is_sequence<std::vector<T>> = true;
template <class T, std::size_t Size>
inline constexpr bool is_sequence<std::array<T, Size>> = true;

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

template <class T>
consteval bool exact_state() {
    if constexpr (ExactAccumulator<T>) {
        return true;
    } else if constexpr (is_sequence<T>) {
        return exact_state<typename T::value_type>();
    } else if constexpr (boost::describe::has_describe_members<T>::value) {
        return []<class... Member>(boost::mp11::mp_list<Member...>*) {
            return sizeof...(Member) != 0 &&
                   (exact_state<std::remove_cvref_t<decltype(std::declval<T&>().*Member::pointer)>>() && ...);
        }(static_cast<boost::mp11::mp_rename<Members<T>, boost::mp11::mp_list>*>(nullptr));
    } else {
        return false;
    }
}

[[noreturn]] inline void refuse_lengths() {
    throw CollectiveMismatch(
        "two states hold sequences of accumulators of different lengths; construct them from the same "
        "settings everywhere");
}

}  // namespace detail

/// Whether T is an exact accumulator, a std::array or std::vector of exact states, or a struct described with
/// BOOST_DESCRIBE_STRUCT or BOOST_DESCRIBE_CLASS all of whose members are exact states (at least one).
template <class T>
inline constexpr bool exact_state = detail::exact_state<T>();

/// Calls f with each accumulator of one or several states of a type, in the order of the members (bases first).
///
/// Requires exact_state<State>. Errors: CollectiveMismatch if vectors of accumulators differ in length.
template <class F, class State, class... States>
constexpr void for_each_accumulator(F&& f, State& state, States&... states) {
    using T = std::remove_const_t<State>;
    static_assert((std::is_same_v<T, std::remove_const_t<States>> && ...));
    if constexpr (ExactAccumulator<T>) {
        f(state, states...);
    } else if constexpr (detail::is_sequence<T>) {
        if (((states.size() != state.size()) || ...)) detail::refuse_lengths();
        for (std::size_t i = 0; i < state.size(); ++i) for_each_accumulator(f, state[i], states[i]...);
    } else {
        boost::mp11::mp_for_each<detail::Members<T>>(
            [&](auto member) { for_each_accumulator(f, state.*member.pointer, states.*member.pointer...); });
    }
}
template <class State, class F>
    requires exact_state<std::remove_const_t<State>> && (!exact_state<std::remove_cvref_t<F>>)
constexpr void for_each_accumulator(State& state, F&& f) {
    for_each_accumulator([&](auto& accumulator) { f(accumulator); }, state);
}

/// Adds all of `other` to `state`. Determinism: exact, associative, commutative.
template <class State>
    requires exact_state<State>
void merge_state(State& state, const State& other) {
    for_each_accumulator([](auto& mine, const auto& theirs) { mine.merge(theirs); }, state, other);
}
namespace detail {

template <class State>
consteval bool state_can_withdraw() {
    if constexpr (ExactAccumulator<State>) {
        return requires(State& state, const State& part) { state.withdraw(part); };
    } else if constexpr (is_sequence<State>) {
        return state_can_withdraw<typename State::value_type>();
    } else {
        return []<class... Member>(boost::mp11::mp_list<Member...>*) {
            return (state_can_withdraw<std::remove_cvref_t<decltype(std::declval<State&>().*Member::pointer)>>() &&
                    ...);
        }(static_cast<boost::mp11::mp_rename<Members<State>, boost::mp11::mp_list>*>(nullptr));
    }
}

}  // namespace detail

/// Takes all of `other`, which was merged into `state` before, out again: for states of sums and counts. Extremes cannot forget.
template <class State>
    requires(exact_state<State> && detail::state_can_withdraw<State>())
void withdraw_state(State& state, const State& other) {
    for_each_accumulator([](auto& mine, const auto& theirs) { mine.withdraw(theirs); }, state, other);
}

/// Whether a reduction of the state needs the exchange of keys.
template <class State>
consteval bool state_is_keyed() {
    if constexpr (ExactAccumulator<State>) {
        return State::keyed;
    } else if constexpr (detail::is_sequence<State>) {
        return state_is_keyed<typename State::value_type>();
    } else {
        return []<class... Member>(boost::mp11::mp_list<Member...>*) {
            return (state_is_keyed<std::remove_cvref_t<decltype(std::declval<State&>().*Member::pointer)>>() || ...);
        }(static_cast<boost::mp11::mp_rename<detail::Members<State>, boost::mp11::mp_list>*>(nullptr));
    }
}

}  // namespace partita::inline PARTITA_ABI
