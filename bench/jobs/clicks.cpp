// SPDX-License-Identifier: Apache-2.0
// One pass of FTRL-proximal over a million rows of 39 features (bench/peers/generate_clicks.py), as rows in memory.
//   clicks FOLDER [THREADS [RUNS [VARIANT [POLICY [ROWS]]]]]
// VARIANT: 20 (ids below 2^20) or 24 (the same, hashed below 2^24). POLICY: threads, or with two workers of THREADS threads each
// server (sharded), touched or dense (the replicated twin, reduced by key or whole); these count the bytes that travel.

#include "job.hpp"

#include <partita/comm/counting.hpp>
#include <partita/comm/run.hpp>
#include <partita/linear/sparse_logistic_regression.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <mutex>

namespace {

constexpr std::size_t entries = 39;
using Row = pt::Schema<pt::Column<"features", pt::SparseVector<float>>, pt::Column<"click", bool>>;
using Learner = pt::SparseLogisticRegression<"features", "click">;

template <class T>
std::vector<T> read_all(const std::string& path, std::size_t count) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    std::vector<T> values(count);
    if (!file || std::fread(values.data(), sizeof(T), count, file) != count) {
        std::fprintf(stderr, "cannot read %s: run bench/peers/generate_clicks.py first\n", path.c_str());
        std::exit(1);
    }
    std::fclose(file);
    return values;
}

struct Clicks {
    std::vector<std::int32_t> ids;
    std::vector<std::uint8_t> labels;
    std::vector<std::int64_t> offsets;
    std::vector<float> ones;
    std::size_t width;

    Clicks(const std::string& folder, const std::string& variant, std::size_t rows)
        : ids(read_all<std::int32_t>(folder + "/ids" + variant + ".i32", rows * entries)),
          labels(read_all<std::uint8_t>(folder + "/clicks.u8", rows)),
          offsets(rows + 1),
          ones(rows * entries, 1.0f),
          width(std::size_t{1} << (variant == "24" ? 24 : 20)) {
        for (std::size_t i = 0; i < offsets.size(); ++i) offsets[i] = static_cast<std::int64_t>(i * entries);
    }

    /// This worker's rows, borrowed.
    auto dataset(pt::Session& session) const {
        auto chunks = pt::detail::share_of_rows<pt::Chunk>(
            session, labels.size(), pt::detail::default_chunk_blocks, [&](std::size_t first, std::size_t count) {
                std::vector<pt::ColumnData> columns(2);
                columns[0].type = pt::column_type<pt::SparseVector<float>>;
                columns[0].rows = columns[1].rows = count;
                columns[0].width = width;
                columns[0].values = pt::Buffer::borrow(ones.data() + first * entries, count * entries * sizeof(float));
                columns[0].indices =
                    pt::Buffer::borrow(ids.data() + first * entries, count * entries * sizeof(std::int32_t));
                columns[0].offsets = pt::Buffer::borrow(offsets.data(), (count + 1) * sizeof(std::int64_t));
                columns[1].type = pt::column_type<bool>;
                columns[1].values = pt::Buffer::borrow(labels.data() + first, count);
                return std::make_shared<const pt::Chunk>(static_cast<std::int64_t>(first), count, std::move(columns));
            });
        return pt::as_train(pt::detail::make_dataset<Row>(session, std::move(chunks)));
    }
};

Learner learner() { return {.alpha = 0.2}; }

std::vector<double> fit(pt::Session& session, const Clicks& clicks) {
    const auto model = pt::pipeline(learner()).fit(clicks.dataset(session));
    const auto& fitted = model.stage<1>();
    return {fitted.progressive_loss(), static_cast<double>(fitted.indices().size())};
}

/// The same fit below its public face, which leaves it to the table how deltas travel.
std::vector<double> fit(pt::Session& session, const Clicks& clicks, pt::TableExchange exchange) {
    pt::detail::SlicedRows rows;
    rows.width = clicks.width;
    pt::detail::SliceSizes sizes;
    pt::detail::SlicePacker packer(learner().rows, true, "features");
    const std::size_t all = (clicks.labels.size() + 4095) / 4096;
    const pt::Share share = pt::share_of(all, session.rank(), session.size());
    for (std::size_t block = share.first; block < share.first + share.count; ++block) {
        const std::size_t first = 4096 * block, count = std::min<std::size_t>(4096, clicks.labels.size() - first);
        rows.ids.push_back(static_cast<std::int64_t>(block));
        rows.blocks.push_back(
            packer.pack(pt::SparseView<float>{clicks.offsets.data(), clicks.ids.data() + first * entries,
                                              clicks.ones.data(), count, clicks.width},
                        std::span<const std::uint8_t>(clicks.labels.data() + first, count), {}, sizes));
    }
    pt::all_reduce_state(session.communicator(), sizes);
    rows.sizes = sizes;
    pt::detail::SparsePlan plan;
    plan.alpha = learner().alpha;
    plan.blocks = learner().blocks;
    plan.exchange = exchange;
    const auto found = pt::detail::fit_sparse(session, rows, plan, [] { return pt::FitIdentity("clicks"); });
    return {found.losses[0], static_cast<double>(found.weights.indices().size())};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr,
                     "usage: clicks FOLDER [THREADS [RUNS [20 | 24 [threads | server | touched | dense [ROWS]]]]]\n");
        return 2;
    }
    const std::size_t threads = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 2;
    const int runs = argc > 3 ? std::atoi(argv[3]) : 5;
    const std::string variant = argc > 4 ? argv[4] : "20", policy = argc > 5 ? argv[5] : "threads";
    const Clicks clicks(argv[1], variant, argc > 6 ? static_cast<std::size_t>(std::atol(argv[6])) : 1'000'000);
    const std::string job = "clicks" + variant + " " + policy;
    if (policy == "threads") {
        pt::RunSettings alone;
        alone.threads = threads;
        pt::LocalSession session(alone);
        measure(session, job, threads, runs, [&] { return fit(session, clicks); });
        return 0;
    }
    pt::MessageLog log;
    pt::RunSettings settings;
    settings.threads = threads;
    settings.workers = 2;
    settings.instruments.messages = &log;
    const auto body = [&](pt::Session& session) {
        measure(session, job, threads, runs, [&] {
            session.communicator().barrier();
            if (session.primary()) log.clear();
            session.communicator().barrier();
            auto result =
                fit(session, clicks, policy == "dense" ? pt::TableExchange::dense : pt::TableExchange::touched);
            session.communicator().barrier();
            double bytes = 0;
            for (const pt::MessageRecord& message : log.messages()) bytes += static_cast<double>(message.payload_bytes);
            result.push_back(bytes);
            session.communicator().barrier();
            return result;
        });
    };
    if (policy == "server") pt::run<pt::ParameterServer<pt::Counting<pt::InProcess>>>(settings, body);
    else pt::run<pt::RingAllReduce<pt::Counting<pt::InProcess>>>(settings, body);
}
