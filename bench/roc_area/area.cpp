// SPDX-License-Identifier: Apache-2.0

// The exact ROC area of the scores of generate.py; prints the best and the median of several runs, as peers.py does.
//   usage: area FOLDER [RUNS [THREADS]]

#include <partita/evaluate/roc_area.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace pt = partita;

template <class T>
std::vector<T> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        std::fprintf(stderr, "cannot open %s: run generate.py first\n", path.c_str());
        std::exit(1);
    }
    std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
    return values;
}

template <class Run>
void measure(const std::string& name, const char* how, int runs, Run run) {
    std::vector<double> seconds;
    double area = 0;
    for (int i = 0; i < runs; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        area = run();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(seconds.begin(), seconds.end());
    std::printf("%-24s %-24s best %8.2f ms  median %8.2f ms  area %.16f\n", name.c_str(), how, seconds[0] * 1e3,
                seconds[seconds.size() / 2] * 1e3, area);
}

int main(int argc, char** argv) {
    if (argc < 2) return std::fprintf(stderr, "usage: area FOLDER [RUNS [THREADS]]\n"), 1;
    const std::string folder = argv[1];
    const int runs = argc > 2 ? std::atoi(argv[2]) : 41;
    pt::ThreadPool pool(argc > 3 ? static_cast<std::size_t>(std::atoi(argv[3])) : 2);
    std::printf("# partita, %s, %zu threads\n", PARTITA_INSTRUCTION_SET, pool.threads());
    const auto labels = read<std::uint8_t>(folder + "/labels.u8");
    const auto weights = read<double>(folder + "/weights.f64");
    const std::span<const std::uint8_t> label_span(labels);

    const auto shape = [&]<class T>(T, const std::string& name, const char* suffix) {
        const auto scores = read<T>(folder + "/" + name + "." + suffix);
        const std::span<const T> span(scores);
        measure(name + " " + suffix, "partita", runs, [&] { return roc_area(span, label_span, {}, pool).value(); });
        if (name != "continuous") return;
        // The metric as a dataset drives it: rows are taken in block by block, then judged.
        measure(name + " " + suffix, "partita, by blocks", runs, [&] {
            pt::RocArea<"label">::Summary summary;
            for (std::size_t first = 0; first < scores.size(); first += 4096) {
                const std::size_t rows = std::min<std::size_t>(4096, scores.size() - first);
                summary.update(label_span.subspan(first, rows), span.subspan(first, rows), pt::Weights());
            }
            return pt::RocArea<"label">{}.finish(summary, pool).value();
        });
        measure(name + " " + suffix + " weighted", "partita", runs,
                [&] { return roc_area(span, label_span, pt::Weights(weights.data()), pool).value(); });
    };
    for (const char* name : {"continuous", "tied", "margins", "rare"}) {
        shape(float{}, name, "f32");
        shape(double{}, name, "f64");
    }
}
