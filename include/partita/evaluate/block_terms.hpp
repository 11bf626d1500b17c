// SPDX-License-Identifier: Apache-2.0
#pragma once

// What metrics that are sums over rows share: a block's columns as finite doubles, and sums of terms in one fixed order.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/weights.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace partita::inline PARTITA_ABI::detail {

inline constexpr std::size_t score_tile_rows = 4096;

[[noreturn]] inline void refuse_scored_value(std::string_view column, std::size_t row) {
    Place place;
    place.column = column;
    place.row = static_cast<std::int64_t>(row);
    throw NonFiniteValue(
        "column \"" + std::string(column) +
            "\" holds a NaN or an infinity, which a metric cannot judge; filter such rows out or impute them",
        std::move(place));
}
[[noreturn]] inline void refuse_overflow(std::string_view column) {
    Place place;
    place.column = column;
    throw NumericOverflow("the terms of a metric over column \"" + std::string(column) +
                              "\" are beyond the range of double; scale the column down",
                          std::move(place));
}

inline bool all_finite(const double* values, std::size_t count) {
    double zeros = 0;  // x - x is not a number for what is not finite
    for (std::size_t i = 0; i < count; ++i) zeros += values[i] - values[i];
    return zeros == 0;
}

/// The column as doubles in which rows of weight 0 hold zero; `first` is the row of the block that it begins with.
/// Errors: NonFiniteValue for the first row of positive weight that is not finite.
template <class T>
const double* finite_values(std::span<const T> column, Weights weights, std::string_view name, std::size_t first,
                            double* scratch) {
    const double* values = scratch;
    const std::size_t count = column.size();
    if constexpr (std::is_same_v<T, double>) {
        if (weights.unit()) values = column.data();
    }
    if (values == scratch) {
        for (std::size_t i = 0; i < count; ++i) scratch[i] = static_cast<double>(column[i]);
        if (!weights.unit()) {
            for (std::size_t i = 0; i < count; ++i) scratch[i] = weights[i] > 0 ? scratch[i] : 0.0;
        }
    }
    if constexpr (std::is_floating_point_v<T>) {
        if (!all_finite(values, count)) {
            for (std::size_t i = 0;; ++i) {
                if (!all_finite(values + i, 1)) refuse_scored_value(name, first + i);
            }
        }
    }
    return values;
}

/// A run of rows as the kernels see it: finite targets and predictions.
struct TargetsAndPredictions {
    const double* target;
    const double* prediction;
    std::size_t rows;
    Weights weights;
};

/// Calls `use` for each 4096 rows (a block has no more) with both columns as finite doubles.
template <class Y, class P, class Use>
void for_each_tile(const Y& target, const P& prediction, Weights weights, std::string_view target_name,
                   std::string_view prediction_name, Use use) {
    double targets[score_tile_rows], predictions[score_tile_rows];
    for (std::size_t first = 0; first < target.size(); first += score_tile_rows) {
        const std::size_t rows = std::min(score_tile_rows, target.size() - first);
        const Weights tile_weights = weights.from(first);
        use(TargetsAndPredictions{
            finite_values(target.subspan(first, rows), tile_weights, target_name, first, targets),
            finite_values(prediction.subspan(first, rows), tile_weights, prediction_name, first, predictions), rows,
            tile_weights});
    }
}

inline constexpr std::size_t term_lanes = 8;

/// Sums what `add(row, sum)` makes of one of eight running sums, row i into sum i mod 8, then the sums along one fixed tree:
/// the same bits on every machine, and eight additions at a time.
template <class Add>
double lane_sum(std::size_t rows, Add add) {
    double sums[term_lanes] = {};
    std::size_t i = 0;
    for (; i + term_lanes <= rows; i += term_lanes) {
        for (std::size_t lane = 0; lane < term_lanes; ++lane) sums[lane] = add(i + lane, sums[lane]);
    }
    for (std::size_t lane = 0; i + lane < rows; ++lane) sums[lane] = add(i + lane, sums[lane]);
    for (std::size_t half = term_lanes / 2; half > 0; half /= 2) {
        for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    }
    return sums[0];
}

/// Σ w (target - prediction)².
inline double sum_of_squared_errors(const TargetsAndPredictions& tile) {
    const double *y = tile.target, *p = tile.prediction, *w = tile.weights.data();
    if (tile.weights.unit()) {
        return lane_sum(tile.rows, [=](std::size_t i, double sum) { return fused(y[i] - p[i], y[i] - p[i], sum); });
    }
    return lane_sum(tile.rows, [=](std::size_t i, double sum) {
        const double error = y[i] - p[i];
        return fused(w[i] * error, error, sum);
    });
}
/// Σ w |target - prediction|.
inline double sum_of_absolute_errors(const TargetsAndPredictions& tile) {
    const double *y = tile.target, *p = tile.prediction, *w = tile.weights.data();
    if (tile.weights.unit()) {
        return lane_sum(tile.rows, [=](std::size_t i, double sum) { return sum + __builtin_fabs(y[i] - p[i]); });
    }
    return lane_sum(tile.rows,
                    [=](std::size_t i, double sum) { return fused(w[i], __builtin_fabs(y[i] - p[i]), sum); });
}
/// Σ w.
inline double weight_of_tile(std::size_t rows, Weights weights) {
    if (weights.unit()) return static_cast<double>(rows);
    const double* w = weights.data();
    return lane_sum(rows, [=](std::size_t i, double sum) { return sum + w[i]; });
}

/// The sum of a block, unless it overflowed.
inline double finite_sum(double sum, std::string_view column) {
    if (!all_finite(&sum, 1)) refuse_overflow(column);
    return sum;
}

}  // namespace partita::inline PARTITA_ABI::detail
