// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>
#include <partita/data/reads.hpp>
#include <partita/evaluate/block_terms.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/evaluate/roc_area/kernel.hpp>
#include <partita/evaluate/roc_area/ranked_rows.hpp>
#include <partita/evaluate/two_classes.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI {

/// The exact area under the ROC curve: the chance that a row of the positive class scores higher than one of the negative
/// class, ties counting half. 1 is perfect, 0.5 is chance.
///
/// The target is a bool or a number that is 1 (positive) or 0 or -1 (negative); a target of texts or categories names its
/// positive class: `RocArea<"churned", "probability", "yes">`, and all others are negative. Any score will do that orders the
/// rows; the default is the column of probabilities.
/// Undefined without rows of positive weight, or where they are of one class. Errors, each with the row: NonFiniteValue;
/// WrongClassCount for a label that names no class. Determinism: counted in integers, exact; weights are taken as multiples
/// of 2^-62 of the heaviest row of their class. Cost: one pass; 5 bytes a row of float scores, 9 of double, 8 more with
/// weights, gathered on every worker; `finish` 12 to 15 ns a row, shared among the threads of the pool it is given.
template <Name Target, Name ScoreColumn = "probability", Name Positive = "">
struct RocArea {
    using metric_concept = MetricTag;
    static constexpr const char* name = "ROC area";
    static constexpr KindSet score_kinds =
        float_kinds | kinds_of(Kind::int8, Kind::int16, Kind::int32, Kind::uint8, Kind::uint16, Kind::uint32);
    using Inputs = Columns<Read<Target, detail::class_kinds<Positive>>, Read<ScoreColumn, score_kinds>>;

    struct Summary {
        detail::RankedRows rows;

        template <class Y, class S>
        void update(const Y& target, const S& scores, Weights weights) {
            using T = std::remove_cvref_t<decltype(scores[0])>;
            std::vector<std::uint8_t> labels(target.size());
            detail::read_labels<Target, Positive>(target, weights, labels.data());
            if constexpr (std::is_same_v<T, float>) {
                for (std::size_t i = 0; i < scores.size(); ++i) {
                    if (!(scores[i] - scores[i] == 0) && weights[i] > 0)
                        detail::refuse_scored_value(ScoreColumn.view(), i);
                }
                rows.add(scores, labels.data(), weights);
            } else {
                double scratch[detail::score_tile_rows];
                for (std::size_t first = 0; first < labels.size(); first += detail::score_tile_rows) {
                    const std::size_t count = std::min(detail::score_tile_rows, labels.size() - first);
                    const Weights here = weights.from(first);
                    const double* values =
                        detail::finite_values(scores.subspan(first, count), here, ScoreColumn.view(), first, scratch);
                    rows.add(std::span(values, count), labels.data() + first, here);
                }
            }
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (rows), (), ())
    };

    Score finish(const Summary& summary) const {
        ThreadPool alone(1);
        return finish(summary, alone);
    }
    Score finish(const Summary& summary, ThreadPool& pool) const { return summary.rows.area(pool); }
};

}  // namespace partita::inline PARTITA_ABI
