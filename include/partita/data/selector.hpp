// SPDX-License-Identifier: Apache-2.0
#pragma once

// Selectors: names that stand for several columns and are resolved at compile time against the table at hand.
// A selector is itself a Name ("all<float> & except<fare>"), so a stage over one column is a stage over many.

#include <partita/core/name.hpp>
#include <partita/data/schema.hpp>

namespace partita {

namespace detail {

template <std::size_t A, std::size_t B>
consteval Name<A + B - 1> join(const Name<A>& a, const Name<B>& b) {
    char text[A + B - 1]{};
    for (std::size_t i = 0; i + 1 < A; ++i) text[i] = a.text[i];
    for (std::size_t i = 0; i < B; ++i) text[A - 1 + i] = b.text[i];
    return Name<A + B - 1>(text);
}

template <class T>
consteval auto kind_as_name() {
    return name_from([] { return kind_name(column_type<T>.kind); });
}

template <Name... ColumnNames>
struct JoinedNames;
template <Name First>
struct JoinedNames<First> {
    static constexpr auto value = First;
};
template <Name First, Name... Rest>
struct JoinedNames<First, Rest...> {
    static constexpr auto value = join(join(First, Name(",")), JoinedNames<Rest...>::value);
};

}  // namespace detail

/// All columns that hold exactly T: `StandardScale<all<float>>`.
template <class T>
inline constexpr auto all =
    detail::join(detail::join(Name("all<"), detail::kind_as_name<std::remove_cv_t<T>>()), Name(">"));
template <class T>
inline constexpr auto all<std::optional<T>> =
    detail::join(detail::join(Name("all<optional "), detail::kind_as_name<std::remove_cv_t<T>>()), Name(">"));

/// All columns whose name begins so.
template <Name Prefix>
inline constexpr auto starts_with = detail::join(detail::join(Name("starts_with<"), Prefix), Name(">"));

/// All columns but these.
template <Name... ColumnNames>
inline constexpr auto except =
    detail::join(detail::join(Name("except<"), detail::JoinedNames<ColumnNames...>::value), Name(">"));

/// The columns that both selectors choose.
template <std::size_t A, std::size_t B>
consteval auto operator&(const Name<A>& a, const Name<B>& b) {
    return detail::join(detail::join(a, Name(" & ")), b);
}

/// Whether a name is a selector rather than one column's name.
constexpr bool is_selector(std::string_view name) { return !name.empty() && name.back() == '>'; }

/// Whether a selector chooses a column.
constexpr bool selects(std::string_view selector, std::string_view name, ColumnType type) {
    while (!selector.empty()) {
        const std::size_t joint = selector.find(" & ");
        const std::string_view term = selector.substr(0, joint);
        selector = joint == std::string_view::npos ? std::string_view{} : selector.substr(joint + 3);
        const std::size_t open = term.find('<');
        const std::string_view verb = term.substr(0, open);
        std::string_view argument = term.substr(open + 1, term.size() - open - 2);
        if (verb == "all") {
            const bool nullable = argument.starts_with("optional ");
            if (nullable) argument.remove_prefix(9);
            if (type.nullable != nullable || kind_name(type.kind) != argument) return false;
        } else if (verb == "starts_with") {
            if (!name.starts_with(argument)) return false;
        } else {  // except
            while (!argument.empty()) {
                const std::size_t comma = argument.find(',');
                if (argument.substr(0, comma) == name) return false;
                argument = comma == std::string_view::npos ? std::string_view{} : argument.substr(comma + 1);
            }
        }
    }
    return true;
}

}  // namespace partita
