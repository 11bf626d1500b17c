// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>
#include <partita/data/reads.hpp>
#include <partita/evaluate/error_sums.hpp>
#include <partita/evaluate/metric.hpp>

namespace partita::inline PARTITA_ABI {

/// The root of the mean squared error, sqrt(Σ w (y - p)² / Σ w), in the target's unit. Lower is better; 0 is perfect.
///
/// Undefined without rows of positive weight. Errors: NonFiniteValue, with the row, for a target or prediction that is not
/// finite; NumericOverflow when squares leave the range of double. Determinism: sums are exact between blocks of 4096 rows.
/// Cost: one pass, about 1 ns a row.
template <Name Target, Name Prediction = "prediction">
struct Rmse {
    using metric_concept = MetricTag;
    static constexpr const char* name = "RMSE";
    using Inputs = Columns<Read<Target, number_kinds>, Read<Prediction, float_kinds>>;

    using Summary = detail::ErrorSums<Target, Prediction, detail::sum_of_squared_errors>;

    Score finish(const Summary& summary) const {
        if (summary.empty()) return Score::undefined(detail::no_rows);
        return Score(__builtin_sqrt(summary.mean()));
    }
};

}  // namespace partita::inline PARTITA_ABI
