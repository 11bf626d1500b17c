// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values in text: `{}` for a value in its shortest exact form, `{:.3f}` and the like for another. A pattern that does not
// fit its values does not compile.

#include <partita/core/version.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace partita::inline PARTITA_ABI {

namespace detail {

struct FormatSpec {
    char align = 0;  // '<', '>', '^', or 0: numbers to the right, all else to the left
    int width = 0;
    int precision = -1;
    char type = 0;  // 'f', 'e', 'g', 'd', 's' or 0
};

enum class FormatKind { boolean, character, integer, real, text };

template <class T>
concept HasToText = requires(const T& value) {
    { value.to_text() } -> std::convertible_to<std::string>;
};

template <class T>
consteval FormatKind format_kind() {
    if constexpr (std::is_same_v<T, bool>) {
        return FormatKind::boolean;
    } else if constexpr (std::is_same_v<T, char>) {
        return FormatKind::character;
    } else if constexpr (std::is_integral_v<T>) {
        return FormatKind::integer;
    } else if constexpr (std::is_floating_point_v<T>) {
        return FormatKind::real;
    } else if constexpr (std::is_convertible_v<const T&, std::string_view> || HasToText<T>) {
        return FormatKind::text;
    } else {
        static_assert(std::is_constructible_v<double, const T&>,
                      "partita: this value cannot be printed; give a number, a text, or a type with a member "
                      "std::string to_text() const");
        return FormatKind::real;
    }
}

// What follows is reached only while a pattern is compiled: the call of a function that is no constant stops it there and
// puts the function's name into the message.
inline void pattern_has_more_placeholders_than_values() {}
inline void pattern_has_fewer_placeholders_than_values() {}
inline void pattern_has_an_unclosed_or_stray_brace() {}
inline void pattern_asks_for_a_form_that_this_value_does_not_have() {}

/// Reads the spec that starts at `at`, just behind "{" or "{:"; leaves `at` on the closing brace.
constexpr FormatSpec parse_spec(std::string_view pattern, std::size_t& at) {
    FormatSpec spec;
    if (at >= pattern.size() || pattern[at] != ':') return spec;
    ++at;
    const auto number = [&] {
        int value = 0;
        while (at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9' && value < 1000) {
            value = value * 10 + (pattern[at++] - '0');
        }
        return value;
    };
    if (at < pattern.size() && (pattern[at] == '<' || pattern[at] == '>' || pattern[at] == '^'))
        spec.align = pattern[at++];
    spec.width = number();
    if (at < pattern.size() && pattern[at] == '.') {
        ++at;
        spec.precision = number();
    }
    if (at < pattern.size() && pattern[at] != '}') spec.type = pattern[at++];
    return spec;
}

constexpr bool spec_fits(const FormatSpec& spec, FormatKind kind) {
    if (spec.width > 256 || spec.precision > 64) return false;
    switch (spec.type) {
        case 0: return spec.precision < 0 || kind == FormatKind::real;
        case 'f':
        case 'e':
        case 'g': return kind == FormatKind::real;
        case 'd': return kind == FormatKind::integer && spec.precision < 0;
        case 's': return kind == FormatKind::text && spec.precision < 0;
        default: return false;
    }
}

inline void append_padded(std::string& target, std::string_view value, const FormatSpec& spec, bool right);
inline void append_real(std::string& target, double value, bool single, const FormatSpec& spec);

template <class T>
void append_value(std::string& target, const T& value, const FormatSpec& spec) {
    constexpr FormatKind kind = format_kind<T>();
    if constexpr (kind == FormatKind::boolean) {
        append_padded(target, value ? "true" : "false", spec, false);
    } else if constexpr (kind == FormatKind::character) {
        append_padded(target, std::string_view(&value, 1), spec, false);
    } else if constexpr (kind == FormatKind::integer) {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        append_padded(target, {digits, static_cast<std::size_t>(end - digits)}, spec, true);
    } else if constexpr (kind == FormatKind::real) {
        if constexpr (requires { value.defined(), value.reason(); }) {  // a number that may be undefined says why it is
            if (!value.defined()) {
                append_padded(target, "undefined (" + std::string(value.reason()) + ")", spec, true);
                return;
            }
        }
        append_real(target, static_cast<double>(value), std::is_same_v<T, float>, spec);
    } else if constexpr (HasToText<T>) {
        append_padded(target, value.to_text(), spec, false);
    } else {
        append_padded(target, static_cast<std::string_view>(value), spec, false);
    }
}

/// Copies the pattern up to its next placeholder, which it reads; gives false at the end of the pattern.
inline bool next_placeholder(std::string_view pattern, std::size_t& at, std::string& target, FormatSpec& spec) {
    while (at < pattern.size()) {
        const char c = pattern[at++];
        if ((c == '{' || c == '}') && at < pattern.size() && pattern[at] == c) {
            ++at;
            target += c;
        } else if (c == '{') {
            spec = parse_spec(pattern, at);
            ++at;
            return true;
        } else {
            target += c;
        }
    }
    return false;
}

inline void append_padded(std::string& target, std::string_view value, const FormatSpec& spec, bool right) {
    const auto width = static_cast<std::size_t>(spec.width);
    const std::size_t padding = width > value.size() ? width - value.size() : 0;
    const char align = spec.align != 0 ? spec.align : (right ? '>' : '<');
    const std::size_t before = align == '>' ? padding : (align == '^' ? padding / 2 : 0);
    target.append(before, ' ').append(value).append(padding - before, ' ');
}

inline void append_real(std::string& target, double value, bool single, const FormatSpec& spec) {
    char digits[512];
    char* const last = digits + sizeof digits;
    std::to_chars_result result{};
    const int precision = spec.precision < 0 ? 6 : spec.precision;
    if (spec.type == 'f') {
        result = std::to_chars(digits, last, value, std::chars_format::fixed, precision);
    } else if (spec.type == 'e') {
        result = std::to_chars(digits, last, value, std::chars_format::scientific, precision);
    } else if (spec.type == 'g' || spec.precision >= 0) {
        result = std::to_chars(digits, last, value, std::chars_format::general, precision);
    } else if (single) {
        result = std::to_chars(digits, last, static_cast<float>(value));
    } else {
        result = std::to_chars(digits, last, value);
    }
    append_padded(target, {digits, static_cast<std::size_t>(result.ptr - digits)}, spec, true);
}

}  // namespace detail

/// A pattern for values of these types, checked while it is compiled. `{{` and `}}` stand for braces; a placeholder is
/// `{}` or `{:[<>^][width][.precision][f e g d s]}`.
template <class... Values>
class FormatPattern {
  public:
    template <class Text>
        requires std::is_convertible_v<const Text&, std::string_view>
    consteval FormatPattern(const Text& text) : text_(text) {
        constexpr std::size_t count = sizeof...(Values);
        const detail::FormatKind kinds[count + 1] = {detail::format_kind<Values>()..., detail::FormatKind::text};
        std::size_t placeholders = 0;
        for (std::size_t at = 0; at < text_.size(); ++at) {
            const char c = text_[at];
            if (c != '{' && c != '}') continue;
            if (at + 1 < text_.size() && text_[at + 1] == c) {
                ++at;
            } else if (c == '}') {
                detail::pattern_has_an_unclosed_or_stray_brace();
            } else {
                ++at;
                const detail::FormatSpec spec = detail::parse_spec(text_, at);
                if (at >= text_.size() || text_[at] != '}') detail::pattern_has_an_unclosed_or_stray_brace();
                if (placeholders >= count) detail::pattern_has_more_placeholders_than_values();
                if (!detail::spec_fits(spec, kinds[placeholders])) {
                    detail::pattern_asks_for_a_form_that_this_value_does_not_have();
                }
                ++placeholders;
            }
        }
        if (placeholders < count) detail::pattern_has_fewer_placeholders_than_values();
    }

    constexpr std::string_view view() const { return text_; }

  private:
    std::string_view text_;
};

/// The pattern with the values in its placeholders. Decimal point and forms do not depend on the locale.
template <class... Values>
std::string format(FormatPattern<std::type_identity_t<Values>...> pattern, const Values&... values) {
    std::string text;
    std::size_t at = 0;
    detail::FormatSpec spec;
    [[maybe_unused]] const auto one = [&](const auto& value) {
        detail::next_placeholder(pattern.view(), at, text, spec);
        detail::append_value(text, value, spec);
    };
    (one(values), ...);
    detail::next_placeholder(pattern.view(), at, text, spec);
    return text;
}

}  // namespace partita::inline PARTITA_ABI
