// SPDX-License-Identifier: Apache-2.0

// Any bytes as a text table: the parallel reader must agree with a slow and obvious one about every value, every record
// left out, and the first error. The first byte chooses the settings.

#include <boost/describe/class.hpp>
#include <partita/io/csv.hpp>

#include "fuzz/csv_mutator.hpp"
#include "fuzz/sanitizer_options.hpp"
#include "unit/io/slow_csv.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace pt = partita;

namespace {

struct FuzzRow {
    double a;
    std::optional<float> b;
    std::optional<pt::Category> c;
    pt::Text d;
    std::optional<std::int32_t> e;
    std::optional<pt::Timestamp> f;
    std::optional<bool> g;
};
BOOST_DESCRIBE_STRUCT(FuzzRow, (), (a, b, c, d, e, f, g))

[[noreturn]] void differ(const std::string& expected, const std::string& found) {
    std::fprintf(stderr, "the readers differ\n--- slow ---\n%s\n--- fast ---\n%s\n", expected.c_str(), found.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Threads cost more than all the rest, and their races are looked for elsewhere: every eighth input gets some.
    static pt::LocalSession alone({.threads = 1}), together({.threads = 3});
    pt::Session& session = size % 8 == 0 ? together : alone;
    if (size == 0) return 0;
    const unsigned choice = data[0];
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    pt::CsvReport report;
    pt::CsvSettings settings;
    settings.report = &report;
    settings.chunk_blocks = 1;
    settings.range_bytes = std::size_t{1} << (4 + choice % 8);  // so that small texts have many ranges
    settings.on_bad_record = choice & 8    ? pt::BadRecords::skip
                             : choice & 16 ? pt::BadRecords::collect
                                           : pt::BadRecords::fail;
    settings.bad_record_limit = choice & 32 ? 3 : 1000;
    if (choice & 64) settings.quote = '\0';
    if (choice & 128) settings.column_names = {"d", "a", "b", "c", "e", "f", "g"};

    const std::string expected = slow_csv::read(text, pt::columns_of<FuzzRow>, settings);
    std::string found;
    try {
        const auto dataset = pt::read_csv_text<FuzzRow>(session, text, settings);
        found = slow_csv::print(dataset.state().chunks, pt::columns_of<FuzzRow>, report);
    } catch (const pt::Error& error) {
        found = slow_csv::print(error);
    }
    if (found != expected) differ(expected, found);
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    sample::Random random{seed};
    std::string text(reinterpret_cast<const char*>(data), size);
    if (size > 1500 && random.below(4) != 0) sample::shorten(text, random);
    if (size < 1500 && size > 1 && random.below(32) == 0) sample::lengthen(text, 1000 + random.below(6000), random);
    const std::size_t words = random.below(4);
    for (std::size_t i = 0; i < words; ++i) sample::put_word(text, random);
    const std::size_t length = std::min(text.size(), max_size);
    std::memcpy(data, text.data(), length);
    return words == 0 || random.below(4) == 0 ? LLVMFuzzerMutate(data, length, max_size) : length;
}
