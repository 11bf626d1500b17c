// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>
#include <partita/data/reads.hpp>
#include <partita/evaluate/block_terms.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/math/count.hpp>
#include <partita/math/exact_sum.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI {

/// The mean absolute error, Σ w |y - p| / Σ w, in the target's unit. Lower is better; 0 is perfect.
///
/// Undefined without rows of positive weight. Errors: NonFiniteValue, with the row, for a target or prediction that is not
/// finite; NumericOverflow when errors leave the range of double. Determinism: sums are exact between blocks of 4096 rows.
/// Cost: one pass, about 1 ns a row.
template <Name Target, Name Prediction = "prediction">
struct Mae {
    using metric_concept = MetricTag;
    static constexpr const char* name = "MAE";
    using Inputs = Columns<Read<Target, number_kinds>, Read<Prediction, float_kinds>>;

    struct Summary {
        ExactSum absolute_errors;
        Count rows;

        template <class Y, class P>
        void update(const Y& target, const P& prediction, Weights weights) {
            detail::for_each_tile(
                target, prediction, weights, Target.view(), Prediction.view(),
                [&](const detail::TargetsAndPredictions& tile) {
                    absolute_errors.add(detail::finite_sum(detail::sum_of_absolute_errors(tile), Target.view()));
                    rows.update(tile.rows, tile.weights);
                });
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (absolute_errors, rows), (), ())
    };

    Score finish(const Summary& summary) const {
        if (summary.rows.rows() == 0) return Score::undefined(detail::no_rows);
        return Score(summary.absolute_errors.value() / summary.rows.weight());
    }
};

}  // namespace partita::inline PARTITA_ABI
