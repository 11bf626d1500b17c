// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <partita/io/csv/parse_value.hpp>
#include <partita/io/csv/scan.hpp>
#include <partita/io/csv/write.hpp>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace csv_number_test {

namespace pt = partita;
using namespace pt::detail;

namespace {

/// Whether the fast parser, where it takes a text at all, gives the very value of std::from_chars.
template <class T>
bool agrees(const std::string& number) {
    const std::string text = std::string(16, '7') + number;  // what stands before must not matter
    const char* begin = text.data() + 16;
    const char* end = text.data() + text.size();
    T fast{}, exact{};
    if (!parse_number_fast(begin, end, 16, fast)) return true;
    if (std::is_unsigned_v<T> && number[0] == '-') return fast == 0;  // "-0", which std::from_chars refuses
    const auto [stop, problem] = std::from_chars(begin, end, exact);
    if (problem != std::errc() || stop != end) return false;
    if constexpr (std::is_floating_point_v<T>) return fast == exact && std::signbit(fast) == std::signbit(exact);
    else return fast == exact;
}

bool all_agree(const std::string& number) {
    return agrees<float>(number) && agrees<double>(number) && agrees<std::int8_t>(number) &&
           agrees<std::int32_t>(number) && agrees<std::int64_t>(number) && agrees<std::uint16_t>(number) &&
           agrees<std::uint64_t>(number);
}

template <class T>
bool is_taken(const std::string& number) {
    const std::string text = std::string(16, ' ') + number;
    T value{};
    return parse_number_fast(text.data() + 16, text.data() + text.size(), 16, value);
}

}  // namespace

TEST_CASE("short decimals are read as std::from_chars reads them", "[csv][number]") {
    for (const char* number : {"0",
                               "-0",
                               "1",
                               "-1",
                               "1.",
                               ".5",
                               "-.5",
                               ".",
                               "-",
                               "",
                               "1.2.3",
                               "1..2",
                               "12345678",
                               "123456789",
                               "1234567890123456",
                               "12345678901234567",
                               "0.1234567890123456",
                               "0.123456789012345.",
                               "9007199254740993",
                               "16777217",
                               "16777217.0000001",
                               "1e5",
                               "1e",
                               "1e+",
                               "1e-5",
                               "1E05",
                               "1.000000000000000000e+00",
                               "1e22",
                               "1e23",
                               "8.5e-23",
                               "3.4028235e38",
                               "3.4028236e38",
                               "1e-45",
                               "127",
                               "128",
                               "-128",
                               "-129",
                               "65535",
                               "65536",
                               "2147483647",
                               "2147483648",
                               "18446744073709551615",
                               "12a",
                               "1 2",
                               "+1",
                               "0x1p3",
                               "-9223372036854775808",
                               "000000000000001",
                               "0000000000000000000000001.5"})
        CHECK((all_agree(number) ? std::string(number) : "differs: " + std::string(number)) == number);
    CHECK(is_taken<float>("-12.345678"));
    CHECK(is_taken<double>("0.1234567890123456"));
    CHECK(is_taken<double>("-1.2345678901234567e-05"));
    CHECK(is_taken<int>("-123456"));
    CHECK(!is_taken<int>("1.5"));
}

TEST_CASE("random decimals, and those half-way between two floats, are read as std::from_chars reads them",
          "[csv][number]") {
    std::mt19937_64 random(20240229);
    char buffer[512];
    int differing = 0;
    const auto check = [&](const std::string& number) {
        if (!all_agree(number) && ++differing < 10) WARN(number);
    };
    for (int i = 0; i < 100000; ++i) {
        std::string noise;
        for (auto length = random() % 20; length > 0; --length) noise += "01234567890123456789..-+eE "[random() % 27];
        check(noise);
        const auto bits = random();
        const double any = std::bit_cast<double>(bits);
        if (std::isfinite(any)) check(std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, any).ptr));
        const auto scaled = static_cast<double>(static_cast<std::int64_t>(random())) *
                            std::pow(10.0, static_cast<int>(random() % 40) - 20);
        check(std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, scaled, std::chars_format::fixed).ptr));
        std::string digits = std::to_string(random() >> random() % 64);
        digits.insert(random() % (digits.size() + 1), ".");
        check(digits);
        check("-" + digits);
        const auto low = static_cast<float>(
            std::ldexp(static_cast<double>(0x800000 + random() % 0x800000), static_cast<int>(random() % 40) - 30));
        const double half = (static_cast<double>(low) + static_cast<double>(std::nextafter(low, 1e38F))) / 2;
        std::string border(buffer, std::to_chars(buffer, buffer + sizeof buffer, half, std::chars_format::fixed).ptr);
        check(border);
        check(border + (border.find('.') == std::string::npos ? ".1" : "1"));
    }
    CHECK(differing == 0);
}

TEST_CASE("every spelling of a float has its meaning", "[csv][number]") {
    const MissingWords missing({"", "NA"});
    TimestampReader times;
    float value = 0;
    const auto spelt = [&](const char* text) { return parse_any(text, missing, times, value); };
    CHECK((spelt(" +1.5\t") == Spelt::value && value == 1.5F));
    CHECK((spelt("inf") == Spelt::value && value == std::numeric_limits<float>::infinity()));
    CHECK((spelt("-Infinity") == Spelt::value && value < 0));
    CHECK((spelt("1e-60") == Spelt::value && value == 0 && !std::signbit(value)));
    CHECK((spelt("-0.0000000000000000000000000000000000000000000000000000001") == Spelt::value && value == 0 &&
           std::signbit(value)));
    CHECK(spelt("1e60") == Spelt::out_of_range);
    CHECK(spelt("1000000000000000000000000000000000000000000000000000e-5") == Spelt::out_of_range);
    for (const char* text : {"nan", "-NaN", "NA", "", "  "}) CHECK(spelt(text) == Spelt::missing);
    for (const char* text : {"+-1", "++1", "1,5", "0x10", "one", "1 2", "+"}) CHECK(spelt(text) == Spelt::no_value);
}

TEST_CASE("times are read, refused and written", "[csv][time]") {
    TimestampReader times;
    const auto read = [&](std::string_view text) {
        pt::Timestamp result;
        return times.parse(text, result) == Spelt::value ? result.microseconds : -1;
    };
    constexpr std::int64_t day = 86400000000;
    CHECK(read("1970-01-02") == day);
    CHECK(read("1969-12-31 23:59:59.999999") == -1);  // the microsecond before, not a refusal
    CHECK(read("2000-03-01") == 11017 * day);
    CHECK(read("2024-02-29T12:34:56.7Z") == 19782 * day + 45296700000);
    CHECK(read("2024-02-29 12:34") == 19782 * day + 45240000000);
    CHECK(read("2024-02-29 12:34:56.123456789") == 19782 * day + 45296123456);
    for (const char* text :
         {"2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01", "2024-1-01", "2024-01-01 24:00",
          "2024-01-01 12:60", "2024-01-01 12:00:60", "2024-01-01 12:00:00.", "2024-01-01 12:00:00.1234567890",
          "2024-01-01Z", "2024-01-01x12:00", "2024-01-01 12", "01/02/2024", "2024-01-01 12:00:00+01:00"})
        CHECK((read(text) == -1 ? "refused" : text) == std::string("refused"));
    for (std::int64_t days = -719162; days < 2932896; days += 97) {
        const CalendarDate date = date_from_days(days);
        REQUIRE(days_from_date(date.year, date.month, date.day) == days);
    }
}

TEST_CASE("a text is scanned the same from any byte on", "[csv][scan]") {
    std::mt19937_64 random(7);
    const CsvScanner scanner(CsvDialect{});
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (auto length = random() % 300; length > 0; --length) text += "a,\"\n\"\nb"[random() % 7];
        const std::size_t cut = text.empty() ? 0 : random() % text.size();
        const CsvRange whole = scan_csv_range(scanner, text);
        const CsvRange first = scan_csv_range(scanner, std::string_view(text).substr(0, cut));
        const CsvRange second = scan_csv_range(scanner, std::string_view(text).substr(cut));
        REQUIRE(whole.flips == (first.flips != second.flips));
        for (int start = 0; start < 2; ++start)
            REQUIRE(whole.line_ends[start] ==
                    first.line_ends[start] + second.line_ends[(start == 1) != first.flips ? 1 : 0]);
        bool inside = false;
        std::int64_t found = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '"') inside = !inside;
            if (text[i] == '\n' && !inside) REQUIRE(find_csv_record(scanner, text, false, ++found) == i + 1);
        }
        REQUIRE(found == whole.line_ends[0]);
    }
}

}  // namespace csv_number_test
