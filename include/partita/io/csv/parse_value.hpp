// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bools, times and missing values in text.

#include <partita/data/column_type.hpp>
#include <partita/io/csv/parse_number.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// The spellings of a missing value.
class MissingWords {
  public:
    MissingWords() = default;
    explicit MissingWords(const std::vector<std::string>& words) : words_(words) {
        for (const std::string& word : words_) {
            if (word.size() > longest_) longest_ = word.size();
            may_be_numbers_ = may_be_numbers_ || (!word.empty() && is_numeric(word[0]));
            if (word.empty()) {
                has_empty_ = true;
            } else {
                begins_[static_cast<unsigned char>(word[0])] = true;
            }
        }
    }
    bool contains(std::string_view text) const {
        if (text.empty()) return has_empty_;
        if (text.size() > longest_ || !begins_[static_cast<unsigned char>(text[0])]) return false;
        for (const std::string& word : words_)
            if (text == word) return true;
        return false;
    }

    /// Whether a word may look like a number or a time, so that these have to be compared with the words first.
    bool may_be_numbers() const { return may_be_numbers_; }

  private:
    static bool is_numeric(char first) { return (first >= '0' && first <= '9') || first == '-' || first == '.'; }

    std::vector<std::string> words_;
    std::size_t longest_ = 0;
    bool has_empty_ = false, may_be_numbers_ = false;
    bool begins_[256] = {};
};

inline std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// true, false, t, f, yes, no, y, n, 1 and 0, in upper or lower case.
inline Spelt parse_bool(std::string_view text, bool& result) {
    char lower[8];  // "false" is the longest
    if (text.empty() || text.size() > 5) return Spelt::no_value;
    for (std::size_t i = 0; i < text.size(); ++i)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    const std::string_view word(lower, text.size());
    for (std::string_view yes : {"1", "true", "t", "yes", "y"})
        if (word == yes) return result = true, Spelt::value;
    for (std::string_view no : {"0", "false", "f", "no", "n"})
        if (word == no) return result = false, Spelt::value;
    return Spelt::no_value;
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: years start in March, so that leap days come last.
constexpr std::int64_t days_from_date(std::int64_t year, std::int64_t month, std::int64_t day) {
    const std::int64_t shifted = month <= 2 ? year - 1 : year;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    const std::int64_t year_of_era = shifted - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

constexpr int days_in_month(int year, int month) {
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/// Reads `YYYY-MM-DD`, alone or followed by a blank or `T` and `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f…` (1 to 9 digits, of which
/// six count) and perhaps `Z`. Remembers the last date, since neighbours often share it.
class TimestampReader {
  public:
    Spelt parse(std::string_view text, Timestamp& result) {
        if (text.size() < 10) return Spelt::no_value;
        std::uint64_t first;
        std::uint16_t second;
        std::memcpy(&first, text.data(), 8);
        std::memcpy(&second, text.data() + 8, 2);
        if (first != first_ || second != second_) {
            if (!read_date(text)) return Spelt::no_value;
            first_ = first;
            second_ = second;
        }
        std::int64_t microseconds = 0;
        if (text.size() > 10) {
            if (text.back() == 'Z') text.remove_suffix(1);
            if (text.size() < 16 || (text[10] != ' ' && text[10] != 'T') || text[13] != ':') return Spelt::no_value;
            const int hour = two(text, 11), minute = two(text, 14);
            int seconds = 0;
            if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return Spelt::no_value;
            if (text.size() > 16) {
                if (text.size() < 19 || text[16] != ':') return Spelt::no_value;
                seconds = two(text, 17);
                if (seconds < 0 || seconds > 59) return Spelt::no_value;
            }
            if (text.size() > 19 && !read_fraction(text.substr(19), microseconds)) return Spelt::no_value;
            microseconds += (hour * 3600 + minute * 60 + seconds) * std::int64_t{1000000};
        }
        result.microseconds = days_ * 86400000000 + microseconds;
        return Spelt::value;
    }

    /// The same for the 19 bytes of `YYYY-MM-DD HH:MM:SS` on the date of the last time; false: take the slow way.
    bool parse_usual(const char* text, Timestamp& result) const {
        std::uint64_t first, time;
        std::uint16_t second;
        std::memcpy(&first, text, 8);
        std::memcpy(&second, text + 8, 2);
        if constexpr (std::endian::native != std::endian::little) return false;
        if (first != first_ || second != second_ || (text[10] != ' ' && text[10] != 'T')) return false;
        std::memcpy(&time, text + 11, 8);
        time ^= 0x30303A30303A3030;  // the digits' values, and zeros for the colons
        if ((bytes_above_nine(time) | (time & 0x0000FF0000FF0000)) != 0) return false;
        const std::uint64_t pairs = time * 10 + (time >> 8);  // in bytes 0, 3 and 6
        const std::uint64_t hour = pairs & 0xFF, minute = pairs >> 24 & 0xFF, seconds = pairs >> 48 & 0xFF;
        if (hour > 23 || minute > 59 || seconds > 59) return false;
        const auto of_day = static_cast<std::int64_t>(hour * 3600 + minute * 60 + seconds);
        result.microseconds = days_ * 86400000000 + of_day * 1000000;
        return true;
    }

  private:
    /// Two digits, or -1.
    static int two(std::string_view text, std::size_t at) {
        const int tens = text[at] - '0', ones = text[at + 1] - '0';
        return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
    }
    static bool read_fraction(std::string_view text, std::int64_t& microseconds) {
        if (text[0] != '.' || text.size() < 2 || text.size() > 10) return false;
        for (std::size_t i = 1; i < text.size(); ++i)
            if (text[i] < '0' || text[i] > '9') return false;
        for (std::size_t i = 1; i <= 6; ++i) microseconds = microseconds * 10 + (i < text.size() ? text[i] - '0' : 0);
        return true;
    }
    bool read_date(std::string_view text) {
        const int century = two(text, 0), years = two(text, 2), month = two(text, 5), day = two(text, 8);
        if (century < 0 || years < 0 || text[4] != '-' || text[7] != '-') return false;
        const int year = century * 100 + years;
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return false;
        days_ = days_from_date(year, month, day);
        return true;
    }

    std::uint64_t first_ = 0;  // the bytes of the last date; no valid date has these
    std::uint16_t second_ = 0;
    std::int64_t days_ = 0;
};

/// What a field's text, without quotes, spells as a value of T; blanks around it do not matter.
template <class T>
Spelt parse_any(std::string_view text, const MissingWords& missing, TimestampReader& times, T& result) {
    text = without_blanks(text);
    if (missing.contains(text)) return Spelt::missing;
    if (text.empty()) return Spelt::no_value;
    const char* begin = text.data();
    const char* end = begin + text.size();
    if constexpr (std::is_same_v<T, bool>) return parse_bool(text, result);
    else if constexpr (std::is_same_v<T, Timestamp>) return times.parse(text, result);
    else if constexpr (std::is_floating_point_v<T>) return parse_any_float(begin, end, result);
    else return parse_any_integer(begin, end, result);
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
