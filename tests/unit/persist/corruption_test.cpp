// SPDX-License-Identifier: Apache-2.0

// Whatever the bytes are, loading gives a model or a typed error, and takes memory in proportion to them.

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <map>
#include <new>

#include <malloc.h>

#include "unit/persist/model_mutator.hpp"
#include "unit/persist/sample_model.hpp"

namespace corruption_test {

namespace {

std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

void count_allocation(void* memory) {
    const std::size_t now = live_bytes.fetch_add(::malloc_usable_size(memory)) + ::malloc_usable_size(memory);
    std::size_t peak = peak_bytes.load();
    while (peak < now && !peak_bytes.compare_exchange_weak(peak, now)) {
    }
}
void release(void* memory) {
    if (memory == nullptr) return;
    live_bytes.fetch_sub(::malloc_usable_size(memory));
    std::free(memory);
}

}  // namespace

}  // namespace corruption_test

void* operator new(std::size_t size) {
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    corruption_test::count_allocation(memory);
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory != nullptr) corruption_test::count_allocation(memory);
    return memory;
}
void operator delete(void* memory) noexcept { corruption_test::release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { corruption_test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { corruption_test::release(memory); }

namespace corruption_test {

namespace {

namespace pt = partita;

/// Loads a copy of `file`; gives the cause of the error, or "" when it gave a model. Fails when the memory that was
/// needed at any moment, the file's bytes included, is more than four times the file's size and 64 KiB (for
/// sentences, names and the model's own small parts, which do not grow with the file).
std::string outcome(const std::string& file, pt::Place* place = nullptr) {
    const std::size_t before = live_bytes.load();
    peak_bytes.store(before);
    std::string cause;
    {
        std::string copy = file;
        try {
            const sample::Model model = sample::load(std::move(copy));
            cause.clear();
        } catch (const pt::ModelFileError& error) {
            cause = error.cause();
            if (place != nullptr) *place = error.place();
        }
    }
    const std::size_t used = peak_bytes.load() - before;
    INFO(file.size() << " bytes, needed " << used << ", " << cause);
    if (used > 4 * file.size() + 65536) FAIL("loading takes too much memory");
    return cause;
}

}  // namespace

TEST_CASE("10,000 random corruptions are all refused under a type of their own", "[persist]") {
    const std::string file = sample::save(sample::make(40));
    REQUIRE(outcome(file).empty());
    sample::Random random{1};
    std::map<std::string, int> causes;
    for (int i = 0; i < 10000; ++i) {
        std::string damaged = file;
        sample::corrupt(damaged, random);
        ++causes[outcome(damaged)];
    }
    for (const auto& [cause, count] : causes) UNSCOPED_INFO(cause << ": " << count);
    CHECK(causes.count("") == 0);
    CHECK(causes["model_file_corrupt"] > 5000);
    CHECK(causes["model_file_truncated"] > 500);
    CHECK(causes["model_file_malformed"] > 0);
}

TEST_CASE("every single byte changed and every length cut off is refused", "[persist]") {
    const std::string file = sample::save(sample::make(2));
    for (std::size_t i = 0; i < file.size(); ++i) {
        std::string damaged = file;
        damaged[i] ^= static_cast<char>(1 << (i % 8));
        if (outcome(damaged).empty()) FAIL("a change of byte " << i << " was accepted");
        const std::string cause = outcome(file.substr(0, i));
        if (cause != "model_file_truncated" && cause != "model_file_corrupt") FAIL(i << " bytes gave " << cause);
    }
    CHECK(outcome(file + '\0') == "model_file_malformed");
}

TEST_CASE("10,000 corruptions of the structure with the checksums repaired give a model or a typed error",
          "[persist]") {
    const std::string small = sample::save(sample::make(6));
    const std::string large = sample::save(sample::make(3000));
    sample::Random random{2};
    std::map<std::string, int> causes;
    for (int i = 0; i < 10000; ++i) {
        std::string damaged = i % 20 == 0 ? large : small;
        sample::mutate_structure(damaged, random);
        ++causes[outcome(damaged)];
    }
    for (const auto& [cause, count] : causes) UNSCOPED_INFO(cause << ": " << count);
    // The corruptions reach every check: the structure's, the values', the names', and the numbers that mean something.
    CHECK(causes["model_file_malformed"] > 500);
    CHECK(causes["model_file_invalid"] > 500);
    CHECK(causes["model_file_mismatch"] > 0);
    CHECK(causes["model_file_version"] > 0);
    CHECK(causes[""] > 500);
}

TEST_CASE("what is loaded from a corrupted file can be saved and is the same again", "[persist]") {
    const std::string file = sample::save(sample::make(6));
    sample::Random random{3};
    int loaded = 0;
    for (int i = 0; i < 2000; ++i) {
        std::string damaged = file;
        sample::mutate_structure(damaged, random);
        try {
            const std::string again = sample::save(sample::load(damaged));
            REQUIRE(sample::save(sample::load(again)) == again);
            ++loaded;
        } catch (const pt::ModelFileError&) {
            continue;
        }
    }
    CHECK(loaded > 100);
}

TEST_CASE("headers made to take memory take no more than their share", "[persist]") {
    const auto with_header = [](const std::string& rest, const std::string& manifest) {
        std::string file(8, '\0');
        sample::set_header(
            file,
            R"({"__metadata__":{"partita_format":"1","partita_checksum":"0000000000000000","partita_manifest":")" +
                manifest + "\"}" + rest + "}");
        sample::repair(file);
        return file;
    };
    const int count = 20000;
    std::string tensors, names, lists, stages;
    for (int i = 0; i < count; ++i) {
        const std::string name = std::to_string(i);
        tensors += ",\"" + name + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
        names += "\\\"" + name + "\\\":\\\"0000000000000000\\\",";
        lists += "[";
        stages += R"({\"id\":\"a\",\"version\":1,\"tensors\":{}},)";
    }
    names.pop_back();
    stages.pop_back();
    const std::string start =
        R"({\"provenance\":{\"library\":\"\",\"instruction_set\":\"\",\"compiler\":\"\",\"seed\":\"0\",\"rows\":0},\"fingerprint\":\"\",\"stages\":[)";
    CHECK(outcome(with_header(tensors, "")) == "model_file_malformed");
    CHECK(outcome(with_header(tensors, start + R"({\"id\":\"a\",\"version\":1,\"tensors\":{)" + names + "}}]}")) ==
          "model_file_mismatch");
    CHECK(outcome(with_header("", start + stages + "]}")) == "model_file_malformed");  // beyond the limit of stages
    stages.resize(4000 * (stages.size() + 1) / count - 1);
    CHECK(outcome(with_header("", start + stages + "]}")) == "model_file_mismatch");
    CHECK(outcome(with_header("", start + lists)) == "model_file_malformed");
    CHECK(outcome(with_header(",\"x\":" + lists, "")) == "model_file_malformed");
    CHECK(outcome(with_header("", std::string(1000000, ' '))) == "model_file_malformed");
    CHECK(outcome(with_header(",\"x\":{\"dtype\":\"" + std::string(1000000, 'F') + "\"}", "")) ==
          "model_file_malformed");
    CHECK(outcome(with_header(",\"" + std::string(1000000, 'F') + "\":{}", "")) == "model_file_malformed");
}

}  // namespace corruption_test
