// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes to a text table that are likely to matter. What goes wrong in a long text mostly goes wrong in a short one too,
// and sooner, so most long inputs are cut down; some short ones are made long again, up to a few thousand bytes.

#include "unit/persist/model_mutator.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace sample {

/// Where the line that has this byte ends, behind its line end.
inline std::size_t next_line(const std::string& text, std::size_t at) {
    const std::size_t line_end = text.find('\n', at);
    return line_end == std::string::npos ? text.size() : line_end + 1;
}

/// Leaves the first line, and of the others at most some 800 bytes.
inline void shorten(std::string& text, Random& random) {
    const std::size_t head = next_line(text, 0);
    const std::size_t begin = next_line(text, head + random.below(text.size() - head));
    const std::size_t end = begin + 16 + random.below(800);
    if (end < text.size()) text.erase(end);
    text.erase(head, begin - head);
}

/// Repeats some of its lines until it has about `size_bytes`.
inline void lengthen(std::string& text, std::size_t size_bytes, Random& random) {
    const std::size_t head = next_line(text, 0);
    if (head == text.size()) return;
    while (text.size() < size_bytes) {
        const std::size_t begin = next_line(text, head + random.below(text.size() - head));
        const std::size_t end = next_line(text, std::min(text.size(), begin + random.below(1000)));
        text += begin == end ? std::string("\n") : text.substr(begin, end - begin);
    }
}

/// Puts a word that means something in the place of a few bytes.
inline void put_word(std::string& text, Random& random) {
    static constexpr std::string_view words[] = {"\"",
                                                 "\"\"",
                                                 "\"\"\"",
                                                 ",",
                                                 "\",\"",
                                                 "\n",
                                                 "\r\n",
                                                 "\r",
                                                 "\n\n",
                                                 "\"\n",
                                                 "\r\n\"",
                                                 ",\"",
                                                 "\",",
                                                 ",,,,,,",
                                                 " ",
                                                 "\t",
                                                 "nan",
                                                 "NA",
                                                 "-",
                                                 "+",
                                                 ".",
                                                 "-0",
                                                 "1e",
                                                 "1e400",
                                                 "-1e-400",
                                                 "0.1234567890123456",
                                                 "12345678901234567890",
                                                 "2147483648",
                                                 "-2147483648",
                                                 "1e22",
                                                 "1e23",
                                                 "16777217",
                                                 "2024-02-29",
                                                 "2023-02-29 ",
                                                 "1999-12-31T23:59:59",
                                                 ".123456",
                                                 "Z",
                                                 "24:00",
                                                 "true",
                                                 "No",
                                                 "\xEF\xBB\xBF",
                                                 "\xC3\xA9",
                                                 "sixteen bytes ..",
                                                 "more than sixteen"};
    const std::string_view word = words[random.below(std::size(words))];
    const std::size_t at = random.below(text.size() + 1);
    text.replace(at, random.below(2) == 0 ? 0 : random.below(12), word);
}

}  // namespace sample
