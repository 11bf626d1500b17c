// SPDX-License-Identifier: Apache-2.0
#pragma once

// The laws that every stage keeps, for tests of one's own stages with any test framework:
//     const auto report = partita::check_stage<MyStage>();
//     REQUIRE(report.passed());    // report.text() says the rest

#include <partita/pipeline/check_stage/laws_of_files.hpp>
#include <partita/pipeline/check_stage/laws_of_fits.hpp>
#include <partita/pipeline/check_stage/laws_of_rows.hpp>
#include <partita/pipeline/check_stage/laws_of_values.hpp>
#include <partita/pipeline/check_stage/laws_of_weights.hpp>
#include <partita/pipeline/check_stage/laws_of_workers.hpp>

namespace partita::inline PARTITA_ABI {

/// What check_stage is told: `check_stage<MyStage>({.stage = {.strength = 2}, .seed = 7})`.
template <class StageType>
struct CheckSettings {
    StageType stage{};  ///< the stage with its settings
    /// Settings that must be refused at fit, by InvalidSetting: {MyStage{.strength = -1}}.
    std::vector<StageType> refused{};
    std::uint64_t seed = 1;   ///< of the rows
    std::size_t rows = 9000;  ///< how many rows to fit; more than two blocks of 4096 show most
    double tolerance = 1e-9;  ///< how far results may differ, relative to their column's largest, where ids change
    std::vector<ListedFailure> listed_failures{};  ///< laws that the stage is known to break, with the reason
};

namespace detail {

inline StageReport check_probe(const StageProbe& probe, BenchSettings settings) {
    LawBench bench(probe, settings);
    if (!find_sound_rows(bench)) return bench.report;
    check_fits(bench);
    check_rows(bench);
    check_weights(bench);
    check_values(bench);
    check_workers(bench);
    check_files(bench);
    return bench.report;
}

}  // namespace detail

/// Tries every law that a stage must keep, on rows that it draws itself, and reports one line a law.
///
/// `StageType` is a transformer, estimator, predictor or resampler; `Table` is the table it is tried on: a Schema of the columns
/// that it reads, by default one that is made of its declarations (needed for selectors, and where a column of another kind
/// is wanted). Nothing is thrown for a broken law. Determinism: the same settings give the same report.
/// Cost: some 60 fits of 9000 rows; about a second for a light stage, and its fits alone for a heavy one.
template <class StageType, class Table = detail::TableToCheck<StageType>>
StageReport check_stage(const CheckSettings<StageType>& settings = {}) {
    const detail::StageProbeOf<StageType, typename detail::AsSchema<Table>::type> probe(settings.stage,
                                                                                        settings.refused);
    return detail::check_probe(probe, {settings.seed, settings.rows, settings.tolerance, settings.listed_failures});
}

}  // namespace partita::inline PARTITA_ABI
