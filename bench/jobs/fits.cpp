// SPDX-License-Identifier: Apache-2.0
// Whole fits over a million rows in memory, and the floor under them: a bare read of the same bytes.
//   fits FOLDER [THREADS [RUNS [JOB]]]        FOLDER as bench/peers/generate.py writes it
// Started by mpirun, its processes are workers of THREADS threads each.

#include "job.hpp"

#ifdef PARTITA_HAS_MPI
#include <partita/comm/mpi.hpp>
#endif
#include <partita/comm/run.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/math/simd/lanes.hpp>
#include <partita/pipeline/pipeline.hpp>

namespace {

/// Adds up all bytes as lanes of float, in chunks that two threads share.
std::vector<double> bare_read(pt::Session& session, const std::vector<float>& x) {
    using Batch = pt::detail::Native<float>;
    constexpr std::size_t chunk = 16 * 4096 * feature_count;
    std::vector<double> totals((x.size() + chunk - 1) / chunk);
    session.for_each(totals.size(), [&](std::size_t index, std::size_t) {
        const float* from = x.data() + index * chunk;
        const float* end = x.data() + std::min(x.size(), (index + 1) * chunk);
        Batch a(0.0f), b(0.0f), c(0.0f), d(0.0f);
        for (; from + 4 * Batch::size <= end; from += 4 * Batch::size) {
            a = a + Batch::load_unaligned(from);
            b = b + Batch::load_unaligned(from + Batch::size);
            c = c + Batch::load_unaligned(from + 2 * Batch::size);
            d = d + Batch::load_unaligned(from + 3 * Batch::size);
        }
        float lanes[Batch::size];
        (a + b + c + d).store_unaligned(lanes);
        for (float lane : lanes) totals[index] += static_cast<double>(lane);
    });
    double total = 0;
    for (double part : totals) total += part;
    return {total};
}

std::vector<double> and_intercept(std::vector<double> coefficients, double intercept) {
    coefficients.push_back(intercept);
    return coefficients;
}

void measure_all(pt::Session& session, const std::string& folder, int runs, std::string_view only) {
    const auto wanted = [&](std::string_view job) { return only.empty() || only == job; };
    const std::size_t threads = session.size() * session.threads();
    const auto x = read_floats(folder + "/features.f32"), target = read_floats(folder + "/target.f32"),
               labels = read_floats(folder + "/labels.f32");
    const auto rows_of = [&](const std::vector<float>& values, const std::vector<float>& y) {
        return pt::as_train(pt::dataset(session, pt::MatrixView<const float>(values.data(), y.size(), feature_count),
                                        std::span<const float>(y)));
    };
    const auto numbers = rows_of(x, target), classes = rows_of(x, labels);

    if (wanted("read")) measure(session, "read", threads, runs, [&] { return bare_read(session, x); });
    if (wanted("scale")) {
        const auto pipeline = pt::pipeline(pt::StandardScale<"features">{});
        measure(session, "scale", threads, runs, [&] {
            const auto model = pipeline.fit(numbers);
            const auto& scale = model.stage<1>();
            std::vector<double> result = scale.mean();
            result.insert(result.end(), scale.scale().begin(), scale.scale().end());
            return result;
        });
    }
    if (wanted("linear")) {
        const auto pipeline = pt::pipeline(pt::LinearRegression<"features", "target">{});
        measure(session, "linear", threads, runs, [&] {
            const auto model = pipeline.fit(numbers);
            return and_intercept(model.stage<1>().coefficients(), model.stage<1>().intercept());
        });
    }
    const auto logistic = [&](std::string_view job, const decltype(classes)& rows, double tolerance) {
        if (!wanted(job)) return;
        const auto pipeline = pt::pipeline(pt::LogisticRegression<"features", "target">{
            .l2 = 1.0 / static_cast<double>(labels.size()), .standardize = false, .tolerance = tolerance});
        measure(session, job, threads, runs, [&] {
            const auto model = pipeline.fit(rows);
            return and_intercept(model.stage<1>().coefficients(), model.stage<1>().intercept());
        });
    };
    logistic("logistic", classes, 3e-6);
    if (wanted("logistic_mixed")) {
        const auto mixed = read_floats(folder + "/mixed.f32");
        logistic("logistic_mixed", rows_of(mixed, labels), 3e-6);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: fits FOLDER [THREADS [RUNS [JOB]]]\n");
        return 2;
    }
    const std::size_t threads = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 2;
    const int runs = argc > 3 ? std::atoi(argv[3]) : 9;
    const auto body = [&](pt::Session& session) { measure_all(session, argv[1], runs, argc > 4 ? argv[4] : ""); };
#ifdef PARTITA_HAS_MPI
    if (pt::Mpi::is_launched()) {
        pt::run<pt::RingAllReduce<pt::Mpi>>({.threads = threads}, body);
        return 0;
    }
#endif
    pt::run<pt::LocalThreads>({.threads = threads}, body);
}
