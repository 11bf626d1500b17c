// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a value of any type travels between the workers of one run.

#include <partita/comm/bytes.hpp>
#include <partita/core/borrows.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Writes a T into a message and reads it back. Trivially copyable types need nothing; specialise it for others:
/// `static void write(const T&, ByteWriter&)` and `static T read(ByteReader&)`. Pointers and views would not survive the journey: what
/// `borrows` has no Wire. Of a struct that is not described nobody sees the members; it is for you to keep views out of it.
template <class T>
struct Wire;

/// A type that can travel.
template <class T>
concept Travels = requires(const T& value, ByteWriter& writer, ByteReader& reader) {
    Wire<T>::write(value, writer);
    { Wire<T>::read(reader) } -> std::same_as<T>;
};

template <class T>
    requires(std::is_trivially_copyable_v<T> && !borrows<T>)
struct Wire<T> {
    static void write(const T& value, ByteWriter& writer) { writer.write(value); }
    static T read(ByteReader& reader) { return reader.template read<T>(); }
};

template <>
struct Wire<std::string> {
    static void write(const std::string& value, ByteWriter& writer) { writer.write_sized(value); }
    static std::string read(ByteReader& reader) { return reader.read_text(); }
};

template <Travels T>
struct Wire<std::vector<T>> {
    static void write(const std::vector<T>& values, ByteWriter& writer) {
        writer.write(static_cast<std::uint64_t>(values.size()));
        for (const T& value : values) Wire<T>::write(value, writer);
    }
    static std::vector<T> read(ByteReader& reader) {
        std::vector<T> values;
        for (auto count = reader.read<std::uint64_t>(); count > 0 && !reader.failed(); --count) {
            values.push_back(Wire<T>::read(reader));
        }
        return values;
    }
};

template <Travels T>
    requires(!std::is_trivially_copyable_v<std::optional<T>>)
struct Wire<std::optional<T>> {
    static void write(const std::optional<T>& value, ByteWriter& writer) {
        writer.write(value.has_value());
        if (value) Wire<T>::write(*value, writer);
    }
    static std::optional<T> read(ByteReader& reader) {
        if (!reader.read<bool>()) return std::nullopt;
        return Wire<T>::read(reader);
    }
};

template <Travels A, Travels B>
    requires(!std::is_trivially_copyable_v<std::pair<A, B>>)
struct Wire<std::pair<A, B>> {
    static void write(const std::pair<A, B>& value, ByteWriter& writer) {
        Wire<A>::write(value.first, writer);
        Wire<B>::write(value.second, writer);
    }
    static std::pair<A, B> read(ByteReader& reader) {
        A first = Wire<A>::read(reader);
        return {std::move(first), Wire<B>::read(reader)};
    }
};

}  // namespace partita::inline PARTITA_ABI
