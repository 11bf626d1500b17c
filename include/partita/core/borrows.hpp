// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which types are views: their bytes mean nothing where the memory that they refer to is not.

#include <partita/core/version.hpp>

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace partita::inline PARTITA_ABI {

namespace detail {

template <class T>
consteval bool a_member_borrows();

}  // namespace detail

/// Whether a T refers to memory that is not its own: pointers, views, and described structs with such members. Specialise it for
/// views of your own.
template <class T>
inline constexpr bool borrows = std::is_pointer_v<T> || detail::a_member_borrows<T>();
template <class C, class Traits>
inline constexpr bool borrows<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t Extent>
inline constexpr bool borrows<std::span<T, Extent>> = true;
template <class T>
inline constexpr bool borrows<std::optional<T>> = borrows<T>;
template <class... Ts>
inline constexpr bool borrows<std::variant<Ts...>> = (borrows<Ts> || ...);
template <class T, std::size_t Size>
inline constexpr bool borrows<std::array<T, Size>> = borrows<T>;
template <class T, std::size_t Size>
inline constexpr bool borrows<T[Size]> = borrows<T>;

namespace detail {

template <class T, template <class...> class List, class... Descriptors>
consteval bool one_borrows(List<Descriptors...>*) {
    bool found = false;
    for (const bool one : {false, borrows<std::remove_cvref_t<decltype(std::declval<T&>().*Descriptors::pointer)>>...})
        found |= one;
    return found;
}

template <class T>
consteval bool a_member_borrows() {
    if constexpr (boost::describe::has_describe_members<T>::value) {
        using Members =
            boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;
        return one_borrows<T>(static_cast<Members*>(nullptr));
    } else {
        return false;
    }
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
