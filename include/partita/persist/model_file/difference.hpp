// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a model file and the program that loads it differ, for people.

#include <partita/core/version.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The lines in which two texts differ, at most eight of each side: those between what both begin and end with.
inline std::string line_difference(std::string_view file, std::string_view program) {
    const auto split = [](std::string_view text) {
        std::vector<std::string_view> lines;
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            lines.push_back(text.substr(0, end));
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        }
        return lines;
    };
    const std::vector<std::string_view> a = split(file), b = split(program);
    std::size_t first = 0, a_end = a.size(), b_end = b.size();
    while (first < a_end && first < b_end && a[first] == b[first]) ++first;
    while (a_end > first && b_end > first && a[a_end - 1] == b[b_end - 1]) --a_end, --b_end;
    std::string out;
    const auto show = [&](const char* who, const std::vector<std::string_view>& lines, std::size_t end) {
        for (std::size_t i = first; i < end && i < first + 8; ++i) {
            out += "\n  " + std::to_string(i + 1) + ". " + who + " " + std::string(lines[i].substr(0, 200));
        }
        if (end > first + 8) out += "\n  … and " + std::to_string(end - first - 8) + " more";
        if (end == first) out += "\n  " + std::to_string(first + 1) + ". " + std::string(who) + " nothing";
    };
    show("the file has    ", a, a_end);
    show("the program has ", b, b_end);
    return out;
}

}  // namespace detail

}  // namespace partita::inline PARTITA_ABI
