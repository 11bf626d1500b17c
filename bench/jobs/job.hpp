// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the whole jobs share: raw arrays from files, repeated runs, and one JSON line for each measurement.

#include <partita/comm/session.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace pt = partita;

constexpr std::size_t feature_count = 28;

inline std::vector<float> read_floats(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (!file) {
        std::fprintf(stderr, "cannot open %s: run bench/peers/generate.py first\n", path.c_str());
        std::exit(1);
    }
    std::fseek(file, 0, SEEK_END);
    std::vector<float> values(static_cast<std::size_t>(std::ftell(file)) / sizeof(float));
    std::rewind(file);
    if (std::fread(values.data(), sizeof(float), values.size(), file) != values.size()) std::exit(1);
    std::fclose(file);
    return values;
}

/// A warm-up, then `runs` timed ones; worker 0 prints {"job", "threads", "seconds": [...]} and what `body` returned as "result".
template <class Body>
void measure(pt::Session& session, std::string_view job, std::size_t threads, int runs, Body body) {
    std::vector<double> seconds, result = body();
    for (int run = 0; run < runs; ++run) {
        const auto begin = std::chrono::steady_clock::now();
        result = body();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    if (!session.primary()) return;
    const auto print = [](const std::vector<double>& values) {
        for (std::size_t i = 0; i < values.size(); ++i) std::printf("%s%.17g", i ? ", " : "", values[i]);
    };
    std::printf("{\"job\": \"%.*s\", \"threads\": %zu, \"isa\": \"%s\", \"seconds\": [", static_cast<int>(job.size()),
                job.data(), threads, PARTITA_INSTRUCTION_SET);
    print(seconds);
    std::printf("], \"result\": [");
    print(result);
    std::printf("]}\n");
    std::fflush(stdout);
}
