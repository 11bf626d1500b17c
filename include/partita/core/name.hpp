// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names as template arguments: StandardScale<"features"> carries the text "features" in its type.

#include <cstddef>
#include <string_view>

// Outside the ABI namespace on purpose: a name has no code that an instruction set could change, and compilers print
// inline namespaces in every message.
namespace partita {

/// A text that can be a template argument. Written as a string literal wherever a column is named.
template <std::size_t Size>
struct Name {
    char text[Size]{};

    consteval Name(const char (&literal)[Size]) {
        for (std::size_t i = 0; i < Size; ++i) text[i] = literal[i];
    }

    consteval explicit Name(std::string_view value) {
        for (std::size_t i = 0; i < Size; ++i)
            text[i] =
                i < value.size() && i + 1 < Size ? value[i] : '\0';  // to the last: clang prints only that as text
    }

    constexpr std::string_view view() const { return {text, Size - 1}; }

    template <std::size_t Other>
    friend constexpr bool operator==(const Name& a, const Name<Other>& b) {
        return a.view() == b.view();
    }
};

/// The name whose text a captureless function gives: `name_from([] { return columns_of<Row>[0].name; })`.
template <class Text>
consteval auto name_from(Text text) {
    return Name<text().size() + 1>(text());
}

}  // namespace partita
