// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws of distribution: a model depends on the rows in their order, and on nothing about how they were dealt out.

#include <partita/pipeline/check_stage/bench.hpp>

namespace partita::inline PARTITA_ABI::detail {

enum class PolicyToTry : unsigned char { tree, ring, server };

/// Runs `body` on in-process workers: three policies, compiled once for all stages.
inline void run_workers(PolicyToTry policy, std::size_t workers, FunctionRef<void(Session&)> body) {
    const auto call = [&](Session& session) { body(session); };
    switch (policy) {
        case PolicyToTry::tree: run<TreeAggregate<>>(quiet(1, workers), call); break;
        case PolicyToTry::ring: run<RingAllReduce<>>(quiet(1, workers), call); break;
        case PolicyToTry::server: run<ParameterServer<>>(quiet(1, workers), call); break;
    }
}

/// The chunks of one worker: equal shares, or everything for one of them.
inline Chunks chunks_of_worker(const Chunks& chunks, std::size_t rank, std::size_t size) {
    const Share share = share_of(chunks.size(), rank, size);
    return Chunks(chunks.begin() + static_cast<std::ptrdiff_t>(share.first),
                  chunks.begin() + static_cast<std::ptrdiff_t>(share.first + share.count));
}

/// Fits on workers and compares every worker's model; `of_worker` deals the chunks.
inline std::string fit_on_workers(LawBench& bench, PolicyToTry policy, std::size_t workers,
                                  FunctionRef<Chunks(std::size_t)> of_worker) {
    std::vector<std::string> bytes(workers);
    const Ending ending = ending_of([&] {
        run_workers(policy, workers, [&](Session& session) {
            bytes[session.rank()] =
                bench.probe.fit(session, {of_worker(session.rank()), false}, ProbeStage::fresh)->bytes();
        });
    });
    const std::string where = std::to_string(workers) + " workers";
    if (ending.threw) return where + ": " + ending.text();
    for (std::size_t rank = 0; rank < workers; ++rank)
        if (bytes[rank] != bench.bytes)
            return "of " + where + ", worker " + std::to_string(rank) +
                   " has a model with other bytes than one process" + bench.at_seed();
    return {};
}

inline void check_workers(LawBench& bench) {
    const Chunks chunks = in_chunks(*bench.sound, 1);
    const auto under = [&](PolicyToTry policy) -> std::string {
        bench.only_for_learners();
        for (std::size_t workers : {1U, 2U, 3U, 5U}) {
            std::string text = fit_on_workers(
                bench, policy, workers, [&](std::size_t rank) { return chunks_of_worker(chunks, rank, workers); });
            if (!text.empty()) return text;
        }
        return {};
    };
    bench.law("chunks do not matter", [&]() -> std::string {
        for (std::int64_t blocks : {1, 4, 16}) {
            const Chunks other = in_chunks(*bench.sound, blocks);
            const FittedPointer model = bench.probe.fit(bench.session, {other, false}, ProbeStage::fresh);
            const std::string where = "with chunks of " + std::to_string(blocks) + " blocks ";
            if (model->bytes() != bench.bytes) return where + "the model has other bytes" + bench.at_seed();
            const std::string text = bench.compare(*bench.result, *model->transform(bench.session, other));
            if (!text.empty()) return where + text;
        }
        return {};
    });
    bench.law("threads do not matter", [&]() -> std::string {
        for (std::size_t threads : {1U, 2U, 3U, 8U}) {
            LocalSession session(quiet(threads));
            const FittedPointer model = bench.probe.fit(session, {chunks, false}, ProbeStage::fresh);
            const std::string where = "with " + std::to_string(threads) + " threads ";
            if (model->bytes() != bench.bytes) return where + "the model has other bytes" + bench.at_seed();
            const std::string text = bench.compare(*bench.result, *model->transform(session, chunks));
            if (!text.empty()) return where + text;
        }
        return {};
    });
    bench.law("workers of a tree do not matter", [&] { return under(PolicyToTry::tree); });
    bench.law("workers of a ring do not matter", [&] { return under(PolicyToTry::ring); });
    bench.law("workers of a parameter server do not matter", [&] { return under(PolicyToTry::server); });
    bench.law("how the rows are dealt to workers does not matter", [&]() -> std::string {
        bench.only_for_learners();
        for (std::size_t owner = 0; owner < 3; ++owner) {  // one worker has all, the others nothing
            std::string text = fit_on_workers(bench, PolicyToTry::ring, 3,
                                              [&](std::size_t rank) { return rank == owner ? chunks : Chunks(); });
            if (!text.empty()) return "worker " + std::to_string(owner) + " holds all rows: " + text;
        }
        for (std::size_t cut = 1; cut < chunks.size(); ++cut) {
            std::string text = fit_on_workers(bench, PolicyToTry::tree, 2, [&](std::size_t rank) {
                const auto border = chunks.begin() + static_cast<std::ptrdiff_t>(cut);
                return rank == 0 ? Chunks(chunks.begin(), border) : Chunks(border, chunks.end());
            });
            if (!text.empty()) return "cut behind block " + std::to_string(cut) + ": " + text;
        }
        return {};
    });
    bench.law("an error of one worker is thrown on all", [&]() -> std::string {
        bench.only_for_learners();
        std::vector<double> weights(bench.sound->rows(), 1.0);
        weights.back() = -1;
        const Chunks bad = in_chunks(*with_weights(*bench.sound, weights), 1);
        std::vector<Ending> endings(3);
        static_cast<void>(ending_of([&] {
            run_workers(PolicyToTry::tree, 3, [&](Session& session) {
                endings[session.rank()] = ending_of([&] {
                    static_cast<void>(
                        bench.probe.fit(session, {chunks_of_worker(bad, session.rank(), 3), true}, ProbeStage::fresh));
                });
            });
        }));
        for (std::size_t rank = 0; rank < 3; ++rank)
            if (!endings[rank].is(NegativeWeight::name))
                return "a negative weight in the rows of worker 2 gave worker " + std::to_string(rank) + " " +
                       endings[rank].text() + " instead of NegativeWeight";
        return {};
    });
}

}  // namespace partita::inline PARTITA_ABI::detail
