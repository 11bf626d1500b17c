// SPDX-License-Identifier: Apache-2.0
#pragma once

// A state's accumulators without its type, for work that is the same whatever the state: it is then compiled once in a program,
// not once for every summary.

#include <partita/math/accumulator.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// What can be done with an accumulator of a type that is no longer known.
struct AccumulatorOperations {
    bool keyed;
    void (*merge)(void*, const void*);
    void (*offer_shape)(void*, std::vector<std::int64_t>&);
    void (*adopt_shape)(void*, WordReader&);
    void (*offer_keys)(void*, std::string&);
    void (*adopt_keys)(void*, std::string_view);
    void (*offer_window)(void*, std::vector<std::int64_t>&);
    void (*adopt_window)(void*, WordReader&);
    void (*pack)(void*, std::vector<std::int64_t>&);
    void (*unpack)(void*, WordReader&);
};

template <class A>
struct OperationsOf {
    static A& at(void* object) { return *static_cast<A*>(object); }
    static void merge(void* object, const void* other) { at(object).merge(*static_cast<const A*>(other)); }
    static void offer_shape(void* object, std::vector<std::int64_t>& maxima) { at(object).offer_shape(maxima); }
    static void adopt_shape(void* object, WordReader& maxima) { at(object).adopt_shape(maxima); }
    static void offer_keys(void* object, std::string& bytes) {
        if constexpr (A::keyed) at(object).offer_keys(bytes);
    }
    static void adopt_keys(void* object, std::string_view bytes) {
        if constexpr (A::keyed) at(object).adopt_keys(bytes);
    }
    static void offer_window(void* object, std::vector<std::int64_t>& maxima) { at(object).offer_window(maxima); }
    static void adopt_window(void* object, WordReader& maxima) { at(object).adopt_window(maxima); }
    static void pack(void* object, std::vector<std::int64_t>& sums) { at(object).pack(sums); }
    static void unpack(void* object, WordReader& sums) { at(object).unpack(sums); }

    static constexpr AccumulatorOperations table{A::keyed,   merge,        offer_shape,  adopt_shape, offer_keys,
                                                 adopt_keys, offer_window, adopt_window, pack,        unpack};
};

/// An accumulator, or (without operations) the beginning of a sequence of `length` states.
struct AnyAccumulator {
    void* object;
    const AccumulatorOperations* operations;
    std::size_t length;
};
using AccumulatorList = std::vector<AnyAccumulator>;

/// Appends the accumulators of a state, in the order of for_each_accumulator. The list holds as long as the state stays where
/// it is and its sequences keep their lengths.
template <class State>
void list_accumulators(State& state, AccumulatorList& list) {
    if constexpr (ExactAccumulator<State>) {
        list.push_back({&state, &OperationsOf<State>::table, 0});
    } else if constexpr (is_sequence<State>) {
        list.push_back({nullptr, nullptr, state.size()});
        for (auto& element : state) list_accumulators(element, list);
    } else {
        boost::mp11::mp_for_each<Members<State>>([&](auto member) { list_accumulators(state.*member.pointer, list); });
    }
}

/// Adds all of `other` to `list`, which lists a state of the same type. Errors: CollectiveMismatch, as for_each_accumulator.
inline void merge_lists(const AccumulatorList& list, const AccumulatorList& other) {
    if (list.size() != other.size()) refuse_lengths();
    for (std::size_t i = 0; i < list.size(); ++i)
        if (list[i].length != other[i].length) refuse_lengths();
    for (std::size_t i = 0; i < list.size(); ++i)
        if (list[i].operations != nullptr) list[i].operations->merge(list[i].object, other[i].object);
}

/// Appends the keys of all keyed accumulators, each preceded by its length in 8 bytes.
inline void offer_list_keys(const AccumulatorList& list, std::string& bytes) {
    for (const AnyAccumulator& accumulator : list) {
        if (accumulator.operations == nullptr || !accumulator.operations->keyed) continue;
        const std::size_t start = bytes.size();
        bytes.append(8, '\0');
        accumulator.operations->offer_keys(accumulator.object, bytes);
        const std::uint64_t length = bytes.size() - start - 8;
        for (std::size_t i = 0; i < 8; ++i) bytes[start + i] = static_cast<char>(length >> (8 * i) & 255);
    }
}
/// Takes in what one worker's offer_list_keys wrote.
inline void adopt_list_keys(const AccumulatorList& list, std::string_view bytes) {
    for (const AnyAccumulator& accumulator : list) {
        if (accumulator.operations == nullptr || !accumulator.operations->keyed) continue;
        if (bytes.size() < 8) refuse_lengths();
        std::uint64_t length = 0;
        for (std::size_t i = 0; i < 8; ++i)
            length |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        bytes.remove_prefix(8);
        if (length > bytes.size()) refuse_lengths();
        accumulator.operations->adopt_keys(accumulator.object, bytes.substr(0, length));
        bytes.remove_prefix(length);
    }
}

}  // namespace partita::inline PARTITA_ABI::detail
