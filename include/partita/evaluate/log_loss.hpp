// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>
#include <partita/data/reads.hpp>
#include <partita/evaluate/block_terms.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/evaluate/two_classes.hpp>
#include <partita/math/count.hpp>
#include <partita/math/elementary.hpp>
#include <partita/math/exact_sum.hpp>

#include <boost/describe/class.hpp>

#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

[[noreturn]] inline void refuse_probability(std::string_view column, std::size_t row) {
    Place place;
    place.column = column;
    place.row = static_cast<std::int64_t>(row);
    throw InvalidSetting(
        "column \"" + std::string(column) +
            "\" holds a number outside [0, 1], which is no probability; give the metric the probability "
            "column of the classifier rather than its score",
        std::move(place));
}

/// Σ -w log q, where q is the probability given to the class that came, cut to [clip, 1 - clip].
inline double sum_of_log_losses(const double* p, const std::uint8_t* labels, std::size_t rows, Weights weights,
                                double clip) {
    const auto loss = [=](std::size_t i) {
        const double cut = minimum(maximum(p[i], clip), 1.0 - clip);
        return -partita::log(labels[i] ? cut : 1.0 - cut);
    };
    if (weights.unit()) return lane_sum(rows, [=](std::size_t i, double sum) { return sum + loss(i); });
    const double* w = weights.data();
    return lane_sum(rows, [=](std::size_t i, double sum) { return fused(w[i], loss(i), sum); });
}

inline void check_probabilities(const double* p, std::size_t rows, std::string_view column, std::size_t first) {
    bool inside = true;
    for (std::size_t i = 0; i < rows; ++i) inside = inside & (p[i] >= 0) & (p[i] <= 1);
    for (std::size_t i = 0; !inside && i < rows; ++i) {
        if (!(p[i] >= 0 && p[i] <= 1)) refuse_probability(column, first + i);
    }
}

}  // namespace detail

/// The mean of -log q, where q is the probability that was given to the class that came (natural logarithm). Lower is better.
///
/// The target is a bool or a number that is 1 (positive) or 0 or -1 (negative); a target of texts or categories names its
/// positive class: `LogLoss<"churned", "probability", "yes">`. Probabilities are of the positive class and are cut to
/// [c, 1 - c], with c the resolution of the column's type (2^-52 for double, 2^-23 for float), so that a certain and wrong
/// prediction costs 36 (16) instead of infinity.
/// Undefined without rows of positive weight. Errors, each with the row: NonFiniteValue; InvalidSetting for a probability
/// outside [0, 1]; WrongClassCount for a label that names no class. Determinism: sums are exact between blocks of 4096 rows,
/// the logarithm is ours. Cost: one pass, about 10 ns a row.
template <Name Target, Name Probability = "probability", Name Positive = "">
struct LogLoss {
    using metric_concept = MetricTag;
    static constexpr const char* name = "log loss";
    using Inputs = Columns<Read<Target, detail::class_kinds<Positive>>, Read<Probability, float_kinds>>;

    struct Summary {
        ExactSum losses;
        Count rows;

        template <class Y, class P>
        void update(const Y& target, const P& probability, Weights weights) {
            constexpr double clip = sizeof(probability[0]) == sizeof(float) ? 0x1p-23 : 0x1p-52;
            std::vector<std::uint8_t> labels(target.size());
            detail::read_labels<Target, Positive>(target, weights, labels.data());
            double scratch[detail::score_tile_rows];
            for (std::size_t first = 0; first < labels.size(); first += detail::score_tile_rows) {
                const std::size_t count = std::min(detail::score_tile_rows, labels.size() - first);
                const Weights here = weights.from(first);
                const double* p =
                    detail::finite_values(probability.subspan(first, count), here, Probability.view(), first, scratch);
                detail::check_probabilities(p, count, Probability.view(), first);
                losses.add(detail::sum_of_log_losses(p, labels.data() + first, count, here, clip));
                rows.update(count, here);
            }
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (losses, rows), (), ())
    };

    Score finish(const Summary& summary) const {
        if (summary.rows.rows() == 0) return Score::undefined(detail::no_rows);
        return Score(summary.losses.value() / summary.rows.weight());
    }
};

}  // namespace partita::inline PARTITA_ABI
