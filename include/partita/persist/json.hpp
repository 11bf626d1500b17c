// SPDX-License-Identifier: Apache-2.0
#pragma once

// The JSON of model files: objects, arrays, strings, 64-bit integers and booleans; no floating-point numbers, no null.
// A reader that is pulled by the code that knows the structure, so that nothing is built in memory that the caller did
// not ask for (a tree of values can be twenty times its text), and a writer with one spelling for everything.

#include <partita/core/error.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The length in bytes of the UTF-8 character at the start of `text`, or 0 when there is none that is well formed.
inline std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and what lies beyond U+10FFFF.
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return length;
}

inline void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

/// The start of a text that a file holds, short enough for an error's sentence.
inline std::string excerpt(std::string_view text) {
    std::size_t length = 100;
    if (text.size() <= length) return std::string(text);
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
    return std::string(text.substr(0, length)) + "…";
}

}  // namespace detail

/// Whether `text` is well-formed UTF-8.
inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = detail::utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// What the next value of a JSON text is.
enum class JsonKind { object, array, string, integer, boolean };

/// Reads a JSON text value by value, in its order.
///
/// Requirements: the caller asks for what must come; it refuses keys it has met before. `text` and `source` outlive the reader.
/// Errors: ModelFileMalformed, with the offset, for anything else, for numbers that are no 64-bit integers, for text that
/// is not UTF-8, and for more than 16 values inside each other.
class JsonReader {
  public:
    static constexpr int depth_limit = 16;

    /// `source` is the file's name, `part` says what of it the text is; both are for the error's sentence.
    JsonReader(std::string_view text, std::string_view source, std::string_view part)
        : text_(text), source_(source), part_(part) {}

    JsonKind peek() {
        skip_space();
        switch (at_ < text_.size() ? text_[at_] : '\0') {
            case '{': return JsonKind::object;
            case '[': return JsonKind::array;
            case '"': return JsonKind::string;
            case 't':
            case 'f': return JsonKind::boolean;
            default: return JsonKind::integer;  // or nothing at all, which reading it finds out
        }
    }

    void begin_object() { begin('{', "an object"); }
    /// Reads the next key of the object; false at its end.
    bool next_key(std::string& key) {
        if (!next('}')) return false;
        string(key);
        skip_space();
        expect(':', "a colon after the key");
        return true;
    }
    void begin_array() { begin('[', "an array"); }
    /// Goes to the next item of the array; false at its end.
    bool next_item() { return next(']'); }

    /// Reads the next key, which must be `key`.
    void key(std::string_view key) {
        std::string found;
        if (!next_key(found) || found != key) fail("the key \"" + std::string(key) + "\" is missing");
    }
    void end_object() {
        std::string key;
        if (next_key(key)) fail("the key \"" + detail::excerpt(key) + "\" is unknown");
    }
    void end_array() {
        if (next_item()) fail("the array is too long");
    }

    void string(std::string& out) {
        out.clear();
        skip_space();
        expect('"', "a text");
        const std::size_t begin = at_;
        skip_plain();
        if (at_ < text_.size() && text_[at_] == '"') {  // as nearly all are
            out.assign(text_, begin, at_++ - begin);
            return;
        }
        // Growing step by step would take three times the memory for a moment.
        out.reserve(end_of_string() - begin);
        out.append(text_, begin, at_ - begin);
        for (;;) {
            if (at_ >= text_.size()) fail("a text does not end");
            if (text_[at_] == '"') {
                ++at_;
                return;
            }
            if (text_[at_] == '\\') {
                ++at_;
                escape(out);
            } else {
                const std::size_t length = detail::utf8_length(text_.substr(at_));
                if (length < 2) fail("a text has a byte that is neither UTF-8 nor allowed unescaped");
                out.append(text_, at_, length);
                at_ += length;
            }
            const std::size_t start = at_;
            skip_plain();
            out.append(text_, start, at_ - start);
        }
    }
    std::string string() {
        std::string out;
        string(out);
        return out;
    }

    std::int64_t integer() {
        skip_space();
        std::int64_t value = 0;
        const char* start = text_.data() + at_;
        const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), value);
        if (error != std::errc{}) fail("a 64-bit integer must come here");
        const std::size_t digits = *start == '-' ? 1 : 0;
        // One spelling per number: no leading zeros, no negative zero.
        if (start[digits] == '0' && (end - start != 1)) fail("an integer has a leading zero or is a negative zero");
        at_ = static_cast<std::size_t>(end - text_.data());
        if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E')) {
            fail("a number must be an integer");
        }
        return value;
    }
    /// Reads an integer that is not negative.
    std::uint64_t count() {
        const std::int64_t value = integer();
        if (value < 0) fail("a number must not be negative");
        return static_cast<std::uint64_t>(value);
    }

    bool boolean() {
        skip_space();
        if (text_.substr(at_, 4) == "true") {
            at_ += 4;
            return true;
        }
        if (text_.substr(at_, 5) != "false") fail("true or false must come here");
        at_ += 5;
        return false;
    }

    /// Refuses anything but white space after the value.
    void end() {
        skip_space();
        if (at_ != text_.size()) fail("text follows the end");
    }

    [[noreturn]] void fail(std::string_view why) const {
        throw ModelFileMalformed("the " + std::string(part_) + " of " + std::string(source_) +
                                     " is malformed at its byte " + std::to_string(at_) + ": " + std::string(why) +
                                     "; the file is no model file, or its writer was faulty",
                                 Place{.file = std::string(source_)});
    }

  private:
    /// Passes over the characters of a text that stand for themselves and have one byte, eight at a time.
    void skip_plain() {
        constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
        for (std::uint64_t word; text_.size() - at_ >= 8; at_ += 8) {
            std::memcpy(&word, text_.data() + at_, 8);
            const std::uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
            // The top bit of each byte that is a quote, a backslash, below a space or above 0x7F; false ones only behind a
            // true one, which is where the bytes are looked at one by one.
            if (((quote - ones) | (backslash - ones) | (word - ones * ' ') | word) & tops) break;
        }
        while (at_ < text_.size() && plain(text_[at_])) ++at_;
    }
    static bool plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) - 0x20u < 0x60u; }
    /// Where the text that is being read ends, or the whole text where that does not end.
    std::size_t end_of_string() const {
        std::size_t quote = at_;
        while (quote < text_.size() && text_[quote] != '"') quote += text_[quote] == '\\' ? 2u : 1u;
        return quote < text_.size() ? quote : text_.size();
    }

    void skip_space() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
            ++at_;
    }
    void expect(char c, std::string_view what) {
        if (at_ >= text_.size() || text_[at_] != c) fail(std::string(what) + " must come here");
        ++at_;
    }
    void begin(char bracket, std::string_view what) {
        skip_space();
        expect(bracket, what);
        if (++depth_ > depth_limit) fail("values are nested too deep");
        first_ = true;
    }
    bool next(char closing) {
        skip_space();
        if (at_ < text_.size() && text_[at_] == closing) {
            ++at_;
            --depth_;
            first_ = false;
            return false;
        }
        if (!first_) expect(',', "a comma or the end of the list");
        first_ = false;
        return true;
    }
    std::uint32_t four_digits() {
        std::uint32_t code = 0;
        const char* start = text_.data() + at_;
        if (text_.size() - at_ < 4) fail("an escape is cut off");
        const auto [end, error] = std::from_chars(start, start + 4, code, 16);
        if (error != std::errc{} || end != start + 4) fail("an escape needs four hexadecimal digits");
        at_ += 4;
        return code;
    }
    void escape(std::string& out) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        ++at_;
        switch (c) {
            case '"':
            case '\\':
            case '/': out.push_back(c); return;
            case 'b': out.push_back('\b'); return;
            case 'f': out.push_back('\f'); return;
            case 'n': out.push_back('\n'); return;
            case 'r': out.push_back('\r'); return;
            case 't': out.push_back('\t'); return;
            case 'u': break;
            default: --at_; fail("an escape is unknown");
        }
        std::uint32_t code = four_digits();
        if (code - 0xD800u < 0x800u) {  // a surrogate, which is nothing without its other half
            if (code >= 0xDC00u || text_.substr(at_, 2) != "\\u") fail("a surrogate stands alone");
            at_ += 2;
            const std::uint32_t low = four_digits();
            if (low - 0xDC00u >= 0x400u) fail("a surrogate stands alone");
            code = 0x10000u + ((code - 0xD800u) << 10) + (low - 0xDC00u);
        }
        detail::append_utf8(out, code);
    }

    std::string_view text_;
    std::string_view source_;
    std::string_view part_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool first_ = false;
};

/// Writes a JSON text without white space, keys in the order in which they come.
///
/// Errors: InvalidSetting for a text that is not UTF-8.
class JsonWriter {
  public:
    const std::string& text() const& { return text_; }
    std::string text() && { return std::move(text_); }

    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }
    void key(std::string_view name) {
        string(name);
        text_.push_back(':');
        first_ = true;
    }
    void string(std::string_view value) {
        if (!is_utf8(value)) {
            throw InvalidSetting("a name or text in a model's manifest is not UTF-8: " + printable(value));
        }
        comma();
        text_.push_back('"');
        for (const char c : value) put(c);
        text_.push_back('"');
    }
    void integer(std::int64_t value) {
        comma();
        text_ += std::to_string(value);
    }
    void count(std::uint64_t value) {
        comma();
        text_ += std::to_string(value);
    }
    void boolean(bool value) {
        comma();
        text_ += value ? "true" : "false";
    }

  private:
    static std::string printable(std::string_view text) {
        std::string out;
        for (const char c : text.substr(0, 64)) out.push_back(c >= ' ' && c <= '~' ? c : '?');
        return out;
    }
    void comma() {
        if (!first_) text_.push_back(',');
        first_ = false;
    }
    void begin(char bracket) {
        comma();
        text_.push_back(bracket);
        first_ = true;
    }
    void end(char bracket) {
        text_.push_back(bracket);
        first_ = false;
    }
    void put(char c) {
        switch (c) {
            case '"': text_ += "\\\""; return;
            case '\\': text_ += "\\\\"; return;
            case '\b': text_ += "\\b"; return;
            case '\f': text_ += "\\f"; return;
            case '\n': text_ += "\\n"; return;
            case '\r': text_ += "\\r"; return;
            case '\t': text_ += "\\t"; return;
            default: break;
        }
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20) {
            text_.push_back(c);
        } else {
            text_ += "\\u00";
            text_.push_back("0123456789abcdef"[byte >> 4]);
            text_.push_back("0123456789abcdef"[byte & 15u]);
        }
    }

    std::string text_;
    bool first_ = true;
};

}  // namespace partita::inline PARTITA_ABI
