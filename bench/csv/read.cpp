// SPDX-License-Identifier: Apache-2.0

// Reads the tables of generate.py, the file included, and prints the best and the median of several runs, and the CPU time of all threads.
//   usage: read FOLDER [RUNS [THREADS]]

#include <boost/describe/class.hpp>
#include <partita/io/csv.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace pt = partita;

struct Numeric {
    int label;
    pt::Vector<float, 28> f;
};
BOOST_DESCRIBE_STRUCT(Numeric, (), (label, f))

struct Mixed {
    pt::Timestamp pickup;
    pt::Category zone_from, zone_to;
    std::optional<float> passengers;
    float distance, fare;
    int meter;
    float tip;
    pt::Category payment;
};
BOOST_DESCRIBE_STRUCT(Mixed, (), (pickup, zone_from, zone_to, passengers, distance, fare, meter, tip, payment))

struct Quoted {
    std::int64_t id;
    pt::Category brand;
    pt::Text note;
    double price;
    int stock;
    pt::Category word;
};
BOOST_DESCRIBE_STRUCT(Quoted, (), (id, brand, note, price, stock, word))

template <class Row>
void measure(pt::Session& session, const std::string& folder, const char* name, int runs) {
    std::vector<double> seconds, cpu_seconds;
    std::int64_t rows = 0;
    for (int run = 0; run < runs; ++run) {
        const auto start = std::chrono::steady_clock::now();
        const auto cpu_start = std::clock();
        rows = pt::read_csv<Row>(session, folder + "/" + name + ".csv").count();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        cpu_seconds.push_back(static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    }
    std::sort(cpu_seconds.begin(), cpu_seconds.end());
    std::sort(seconds.begin(), seconds.end());
    std::printf("partita %-8s %9lld rows  best %.4f s  median %.4f s  best CPU %.4f s\n", name,
                static_cast<long long>(rows), seconds.front(), seconds[seconds.size() / 2], cpu_seconds.front());
}

int main(int count, char** arguments) {
    if (count < 2) {
        std::fprintf(stderr, "usage: read FOLDER [RUNS [THREADS]]\n");
        return 2;
    }
    const int runs = count > 2 ? std::atoi(arguments[2]) : 9;
    pt::LocalSession session({.threads = count > 3 ? static_cast<std::size_t>(std::atoi(arguments[3])) : 2});
    measure<Numeric>(session, arguments[1], "numeric", runs);
    measure<Mixed>(session, arguments[1], "mixed", runs);
    measure<Quoted>(session, arguments[1], "quoted", runs);
}
