// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws about values that break things: NaN, infinity, the very large and the very small, constants, a single row. What a stage
// makes of them is its own affair, but it says so by a typed error or harms no other row.

#include <partita/pipeline/check_stage/bench.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Fits rows of which one holds `number`: a typed error that names the row, or a model that is sound for all other rows.
inline std::string fit_with(LawBench& bench, double number, const char* called) {
    bench.only_for_learners();
    const std::vector<std::size_t> columns = bench.floating(true);
    bench.only_for(!columns.empty(), "the fit reads no floating-point numbers");
    for (std::size_t column : columns) {
        ChunkPointer rows = bench.sound;
        const std::size_t row = bench.put_in_the_middle(rows, column, number);
        const std::int64_t id = rows->row_id(row);
        const std::string where = std::string(called) + " in column \"" +
                                  std::string(bench.facts.columns[column].info.name) + "\", row " + std::to_string(id);
        FittedPointer model;
        const Ending ending = ending_of([&] { model = bench.fit(rows); });
        if (ending.threw) {
            if (!ending.typed) return where + ": " + ending.text();
            if (ending.place.row != id)
                return where + ": the error names " +
                       (ending.place.row < 0 ? "no row" : "row " + std::to_string(ending.place.row)) + ": " +
                       ending.text();
            continue;
        }
        const ChunkPointer others = keep_rows(*bench.sound, bench.all_rows_but(*bench.sound, row));
        std::string text;
        const Ending after = ending_of([&] {
            // One row of thousands: what ignores it, or takes it for missing, gives nearly what a fit without it gives.
            const ChunkPointer found = bench.transform(*model, others);
            text = not_finite(bench.facts.result, *found);
            if (text.empty()) text = bench.compare(*bench.transform(*bench.fit(others), others), *found, {}, 0.05);
        });
        if (after.threw) return where + ": the fit took it, and then other rows gave " + after.text();
        if (!text.empty()) return where + ": the fit took it, and the model spoils other rows: " + text;
    }
    return {};
}

/// Transforms rows of which one holds `number`: a typed error that names the row, or every other row keeps its values.
inline std::string transform_with(LawBench& bench, double number, const char* called) {
    const std::vector<std::size_t> columns = bench.floating(false);
    bench.only_for(!columns.empty(), "the stage transforms no floating-point numbers");
    for (std::size_t column : columns) {
        ChunkPointer rows = bench.sound;
        const std::size_t row = bench.put_in_the_middle(rows, column, number);
        const std::int64_t id = rows->row_id(row);
        const std::string where = std::string(called) + " in column \"" +
                                  std::string(bench.facts.columns[column].info.name) + "\", row " + std::to_string(id);
        ChunkPointer result;
        const Ending ending = ending_of([&] { result = bench.transform(*bench.fitted, rows); });
        if (ending.threw) {
            if (!ending.typed) return where + ": " + ending.text();
            if (ending.is(NumericOverflow::name)) continue;
            if (ending.place.row != id)
                return where + ": the error names " +
                       (ending.place.row < 0 ? "no row" : "row " + std::to_string(ending.place.row)) + ": " +
                       ending.text();
            continue;
        }
        const std::vector<std::uint32_t> others = bench.all_rows_but(*rows, row);
        const std::string text = bench.compare(*keep_rows(*bench.result, others), *keep_rows(*result, others));
        if (!text.empty()) return where + " changes other rows: " + text;
    }
    return {};
}

inline void check_values(LawBench& bench) {
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    bench.law("NaN in a fit is refused with its row, or harms no other row",
              [&] { return fit_with(bench, nan, "NaN"); });
    bench.law("infinity in a fit is refused with its row, or harms no other row",
              [&] { return fit_with(bench, -infinity, "infinity"); });
    bench.law("NaN in a transform is refused with its row, or changes no other row",
              [&] { return transform_with(bench, nan, "NaN"); });
    bench.law("infinity in a transform is refused with its row, or changes no other row",
              [&] { return transform_with(bench, infinity, "infinity"); });
    bench.law("what the fit refuses, transform refuses", [&]() -> std::string {
        bench.only_for_learners();
        bool refuses = false;
        for (std::size_t column : bench.floating(false)) {
            for (double number : {nan, infinity}) {
                ChunkPointer rows = bench.sound;
                bench.put_in_the_middle(rows, column, number);
                const Ending of_fit = ending_of([&] { bench.fit(rows); });
                if (!of_fit.threw || !bench.facts.columns[column].read_by_fit) continue;
                refuses = true;
                const Ending of_transform = ending_of([&] { bench.transform(*bench.fitted, rows); });
                if (!of_transform.is(of_fit.cause.c_str()))
                    return std::to_string(number) + " in column \"" +
                           std::string(bench.facts.columns[column].info.name) + "\" gives " + of_fit.cause +
                           " at fit, and at transform " + of_transform.text();
            }
        }
        bench.only_for(refuses, "the fit refuses neither NaN nor infinity in what transform reads");
        return {};
    });
    bench.law("huge, tiny and negative zero values are refused, or harm no other row", [&]() -> std::string {
        const std::vector<std::size_t> columns = bench.floating(false);
        bench.only_for(!columns.empty(), "the stage transforms no floating-point numbers");
        for (std::size_t column : columns) {
            const bool single = width_bytes(bench.facts.columns[column].info.type.kind) == 4;
            for (double number : {single ? 3e38 : 1e300, single ? 1e-42 : 1e-310, -0.0}) {
                ChunkPointer rows = bench.sound;
                const std::size_t row = bench.put_in_the_middle(rows, column, number);
                const std::vector<std::uint32_t> others = bench.all_rows_but(*rows, row);
                const std::string where = std::to_string(number) + " in column \"" +
                                          std::string(bench.facts.columns[column].info.name) + "\": ";
                ChunkPointer found;
                const Ending at_transform = ending_of([&] { found = bench.transform(*bench.fitted, rows); });
                if (at_transform.threw && !at_transform.typed) return where + at_transform.text();
                if (found) {
                    const std::string text =
                        bench.compare(*keep_rows(*bench.result, others), *keep_rows(*found, others));
                    if (!text.empty()) return where + "changes other rows: " + text;
                }
                if (!bench.facts.learns || !bench.facts.columns[column].read_by_fit) continue;
                const Ending at_fit = ending_of([&] {
                    const FittedPointer model = bench.fit(rows);
                    found = bench.transform(*model, keep_rows(*rows, others));
                });
                if (at_fit.threw && !at_fit.typed) return where + at_fit.text();
                const std::string text = at_fit.threw ? "" : not_finite(bench.facts.result, *found);
                if (!text.empty()) return where + "the model spoils other rows: " + text;
            }
        }
        return {};
    });
    const auto sound_or_typed = [&](const ChunkPointer& rows, const char* what) -> std::string {
        bench.only_for_learners();
        FittedPointer model;
        ChunkPointer result;
        const Ending ending = ending_of([&] {
            model = bench.fit(rows);
            result = bench.transform(*model, rows);
        });
        if (ending.threw) return ending.typed ? "" : std::string(what) + ": " + ending.text();
        const std::string text = not_finite(bench.facts.result, *result);
        return text.empty() ? "" : std::string(what) + ": neither an error nor a sound model: " + text;
    };
    bench.law("one row is fitted, or refused by a typed error", [&]() -> std::string {
        const std::uint32_t one[] = {0};
        return sound_or_typed(keep_rows(*bench.sound, one), "one row");
    });
    bench.law("constant columns are fitted, or refused by a typed error", [&]() -> std::string {
        RowRecipe constant = bench.recipe;
        constant.constant = true;
        return sound_or_typed(bench.make(constant), "constant columns");
    });
}

}  // namespace partita::inline PARTITA_ABI::detail
