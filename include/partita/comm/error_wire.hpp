// SPDX-License-Identifier: Apache-2.0
#pragma once

// Errors as bytes: what one worker threw is thrown by the others under its own type.

#include <partita/comm/bytes.hpp>
#include <partita/core/error.hpp>

#include <cxxabi.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace partita::inline PARTITA_ABI::detail {

/// Leaves a worker that was killed on purpose (Channel::kill). No std::exception: nobody should take it for an error.
struct Killed {};

/// The order among errors that meet in a collective: the lowest block first, errors of no block last, then the lowest rank.
struct ErrorKey {
    std::int64_t block = -1;
    std::uint64_t rank = 0;

    friend bool operator<(const ErrorKey& a, const ErrorKey& b) {
        const auto place = [](std::int64_t id) { return id < 0 ? std::numeric_limits<std::int64_t>::max() : id; };
        return place(a.block) != place(b.block) ? place(a.block) < place(b.block) : a.rank < b.rank;
    }
};

inline std::string readable_type_name(const std::type_info* type) {
    if (type == nullptr) return "an unknown type";
    int status = 0;
    char* plain = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    std::string name = status == 0 && plain != nullptr ? plain : type->name();
    std::free(plain);
    return name;
}

inline ErrorKey key_of_error(std::span<const std::byte> wire) {
    ByteReader reader(wire);
    ErrorKey key;
    key.block = reader.read<std::int64_t>();
    key.rank = reader.read<std::uint64_t>();
    return key;
}

/// No text of an error travels in more bytes, so that each error fits the slot in which a worker says goodbye.
inline constexpr std::size_t most_error_text_bytes = 4096;

inline Bytes write_error(ErrorKey key, std::string_view cause, std::string_view type, std::string_view sentence,
                         const Place& place) {
    Bytes wire;
    ByteWriter writer(wire);
    writer.write(key.block);
    writer.write(key.rank);
    for (const std::string_view text :
         {cause, type, sentence, std::string_view(place.file), std::string_view(place.column),
          std::string_view(place.stage), std::string_view(place.setting)}) {
        constexpr std::string_view more = " …";
        if (text.size() <= most_error_text_bytes) writer.write_sized(text);
        else writer.write_sized(std::string(text.substr(0, most_error_text_bytes - more.size())).append(more));
    }
    for (const std::int64_t number : {place.line, place.position, place.row, place.element, place.process, place.block})
        writer.write(number);
    return wire;
}

/// Builds an error of one type again, and throws it.
using ThrowAs = void (*)(const std::string& sentence, const Place& place, const std::string& type);
template <class Type>
[[noreturn, gnu::cold]] void throw_as(const std::string& sentence, const Place& place, const std::string& type) {
    if constexpr (std::is_same_v<Type, RemoteError>) {
        throw RemoteError(sentence, place, type);
    } else {
        throw Type(sentence, place);
    }
}
struct KnownCause {
    const char* name;
    ThrowAs raise;
};
template <class List>
struct KnownCauses;
template <class... Types>
struct KnownCauses<ErrorList<Types...>> {
    static constexpr KnownCause each[] = {{Types::name, &throw_as<Types>}...};
};
/// How to throw an error of this cause; null if it is none of AllErrors.
inline ThrowAs thrower_of(std::string_view cause) {
    for (const KnownCause& known : KnownCauses<AllErrors>::each)
        if (cause == known.name) return known.raise;
    return nullptr;
}

/// The error as bytes. `rank` is the worker that has it, `block` the block of rows it happened in if the error does not
/// know (-1: no block). An Error without a process gets `rank` as its process, in place.
inline Bytes write_error(const std::exception_ptr& error, std::int64_t block, std::size_t rank) {
    Place place{.process = static_cast<std::int64_t>(rank), .block = block};
    try {
        std::rethrow_exception(error);
    } catch (Error& known) {
        if (known.place().process < 0) known.place().process = static_cast<std::int64_t>(rank);
        if (known.place().block < 0) known.place().block = block;
        const ErrorKey key{known.place().block, static_cast<std::uint64_t>(known.place().process)};
        if (thrower_of(known.cause()) != nullptr) {
            const auto* remote = dynamic_cast<const RemoteError*>(&known);
            return write_error(key, known.cause(), remote == nullptr ? std::string_view{} : remote->type(),
                               known.what(), known.place());
        }
        place = known.place();
        const std::string type = readable_type_name(&typeid(known));
        return write_error(key, RemoteError::name, type,
                           "process " + std::to_string(key.rank) + " threw " + type + ": " + known.what(), place);
    } catch (const std::exception& other) {
        const std::string type = readable_type_name(&typeid(other));
        return write_error({block, rank}, RemoteError::name, type,
                           "process " + std::to_string(rank) + " threw " + type + ": " + other.what(), place);
    } catch (...) {
        const std::string type = readable_type_name(abi::__cxa_current_exception_type());
        return write_error({block, rank}, RemoteError::name, type, "process " + std::to_string(rank) + " threw " + type,
                           place);
    }
}

/// The error that write_error wrote, under its own type where that is one of AllErrors, as RemoteError otherwise.
inline std::exception_ptr read_error(std::span<const std::byte> wire) {
    ByteReader reader(wire);
    reader.read<std::int64_t>();
    reader.read<std::uint64_t>();
    const std::string cause = reader.read_text();
    const std::string type = reader.read_text();
    const std::string sentence = reader.read_text();
    Place place;
    place.file = reader.read_text();
    place.column = reader.read_text();
    place.stage = reader.read_text();
    place.setting = reader.read_text();
    for (std::int64_t* number :
         {&place.line, &place.position, &place.row, &place.element, &place.process, &place.block}) {
        *number = reader.read<std::int64_t>();
    }
    try {
        if (const ThrowAs raise = thrower_of(cause)) raise(sentence, place, type);
        throw RemoteError(sentence, place, cause);
    } catch (...) {
        return std::current_exception();
    }
}

/// The end of a run in which a worker was waited for in vain; `what` it did not do.
inline Bytes write_lateness(std::size_t late, std::string_view what, double deadline_seconds) {
    return write_error(std::make_exception_ptr(DeadlineExceeded(
                           "process " + std::to_string(late) + " did not " + std::string(what) + " within " +
                               std::to_string(deadline_seconds) +
                               " seconds; if its work takes longer than that, raise deadline_seconds "
                               "(PARTITA_DEADLINE_SECONDS)",
                           Place{.setting = "deadline_seconds", .process = static_cast<std::int64_t>(late)})),
                       -1, late);
}

/// Which worker's error a run ends with, where each may have ended with one (as write_error wrote it, or empty): the original of
/// an error is on the worker that it names, the others have copies of it, so an original goes before. The number of workers
/// if none has an error.
inline std::size_t decisive_error(std::span<const Bytes> ends) {
    std::size_t decisive = ends.size();
    bool decisive_is_original = false;
    ErrorKey decisive_key;
    for (std::size_t rank = 0; rank < ends.size(); ++rank) {
        if (ends[rank].empty()) continue;
        const ErrorKey key = key_of_error(ends[rank]);
        const bool original = key.rank == rank;
        if (decisive == ends.size() || (original && !decisive_is_original) ||
            (original == decisive_is_original && key < decisive_key)) {
            decisive = rank;
            decisive_is_original = original;
            decisive_key = key;
        }
    }
    return decisive;
}

}  // namespace partita::inline PARTITA_ABI::detail
