// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws about weights: they say how often a row counts. Where row ids or places in a block change, results agree to a tolerance.

#include <partita/pipeline/check_stage/bench.hpp>

namespace partita::inline PARTITA_ABI::detail {

inline void check_weights(LawBench& bench) {
    const auto weights_of = [&] {
        const ColumnSlice column = bench.sound->column(bench.sound->column_count() - 1).all();
        return std::vector<double>(column.as<double>(), column.as<double>() + column.rows);
    };
    bench.law("unit weights are no weights", [&]() -> std::string {
        bench.only_for_learners();
        const ChunkPointer units = with_weights(*bench.sound, std::vector<double>(bench.sound->rows(), 1.0));
        const FittedPointer model = bench.fit(units, true);
        if (model->bytes() == bench.bytes) return {};
        const std::string text = bench.compare(*bench.result, *bench.transform(*model, bench.sound));
        return "with the weight 1 in every row the model has other bytes" +
               (text.empty() ? bench.at_seed() : "; " + text);
    });
    bench.law("a row of weight 0 is absent", [&]() -> std::string {
        bench.only_for_learners();
        std::vector<double> weights(bench.sound->rows(), 1.0);
        std::vector<std::uint32_t> kept, absent;
        for (std::size_t row = 0; row < weights.size(); ++row) {
            weights[row] = row % 3 == 1 ? 0.0 : 1.0;
            (row % 3 == 1 ? absent : kept).push_back(static_cast<std::uint32_t>(row));
        }
        const ChunkPointer present = keep_rows(*bench.sound, kept);
        const FittedPointer weighted = bench.fit(with_weights(*exaggerated(*bench.sound, absent), weights), true),
                            without = bench.fit(present);
        return bench.compare(*bench.transform(*without, present), *bench.transform(*weighted, present), {},
                             bench.settings.tolerance);
    });
    bench.law("a row of weight k is k rows", [&]() -> std::string {
        bench.only_for_learners();
        bench.only_for(!bench.facts.resamples, "a resampler draws anew for each copy of a row");
        const std::vector<double> weights = weights_of();
        std::vector<std::uint32_t> copies;
        for (std::size_t row = 0; row < weights.size(); ++row)
            for (double left = weights[row]; left > 0; left -= 1) copies.push_back(static_cast<std::uint32_t>(row));
        const FittedPointer weighted = bench.fit(bench.sound, true),
                            repeated = bench.fit(pick_rows(*bench.sound, copies));
        const ChunkPointer present = pick_rows(*bench.sound, copies);
        return bench.compare(*bench.transform(*repeated, present), *bench.transform(*weighted, present), {},
                             bench.settings.tolerance);
    });
    bench.law("no rows, or none of positive weight, give EmptyDataset", [&]() -> std::string {
        const Ending without =
            ending_of([&] { static_cast<void>(bench.probe.fit(bench.session, {{}, false}, ProbeStage::fresh)); });
        if (!without.is(EmptyDataset::name))
            return "a fit without rows gave " + without.text() + " instead of EmptyDataset";
        if (!bench.facts.learns) return {};
        FittedPointer model;
        const ChunkPointer weightless = with_weights(*bench.sound, std::vector<double>(bench.sound->rows(), 0.0));
        const Ending ending = ending_of([&] { model = bench.fit(weightless, true); });
        if (ending.is(EmptyDataset::name)) return {};
        if (ending.threw) return "a fit on rows of weight 0 gave " + ending.text() + " instead of EmptyDataset";
        const std::string text = not_finite(bench.facts.result, *bench.transform(*model, bench.sound));
        return text.empty() ? ""
                            : "a fit on rows of weight 0 gave no EmptyDataset but a model with this result: " + text;
    });
}

}  // namespace partita::inline PARTITA_ABI::detail
