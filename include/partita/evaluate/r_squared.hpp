// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>
#include <partita/data/reads.hpp>
#include <partita/evaluate/error_sums.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/moments.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The sums over the target that its variance is made of. Blocks deposit deviations from their own mean and move them to the
/// origin without rounding, so nothing cancels however far the mean is from zero.
struct TargetMoments {
    ExactSum squares, sum, weight;
    Min<double> smallest;
    Max<double> largest;

    void update(const double* y, std::size_t rows, Weights weights) {
        smallest.update(std::span(y, rows), weights);
        largest.update(std::span(y, rows), weights);
        const double* w = weights.data();
        const bool unit = weights.unit();
        const double total = weight_of_tile(rows, weights);
        if (!(total > 0)) return;
        const double plain_sum =
            unit ? lane_sum(rows, [=](std::size_t i, double part) { return part + y[i]; })
                 : lane_sum(rows, [=](std::size_t i, double part) { return fused(w[i], y[i], part); });
        const double mean = plain_sum / total;
        const double first =
            unit ? lane_sum(rows, [=](std::size_t i, double part) { return part + (y[i] - mean); })
                 : lane_sum(rows, [=](std::size_t i, double part) { return fused(w[i], y[i] - mean, part); });
        const double second =
            unit ? lane_sum(rows, [=](std::size_t i, double part) { return fused(y[i] - mean, y[i] - mean, part); })
                 : lane_sum(rows,
                            [=](std::size_t i, double part) { return fused(w[i] * (y[i] - mean), y[i] - mean, part); });
        const DoublePair moved = DoublePair::product(mean, total);  // Σ w m
        const DoublePair high = DoublePair::product(moved.high, mean), low = DoublePair::product(moved.low, mean);
        const DoublePair cross = DoublePair::product(2 * mean, first);
        const double square_terms[] = {second, high.high, high.low, low.high, low.low, cross.high, cross.low};
        const double sum_terms[] = {first, moved.high, moved.low};
        squares.add(square_terms);
        sum.add(sum_terms);
        weight.add(total);
    }
    bool varies() const { return smallest.seen() && *smallest.value() != *largest.value(); }
    /// Σ w (y - mean)².
    double total_square() const { return moments_of(weight.value(), sum.value2(), squares.value2()).centred_squares; }

    BOOST_DESCRIBE_CLASS(TargetMoments, (), (squares, sum, weight, smallest, largest), (), ())
};

}  // namespace detail

/// The share of the target's variance that the predictions explain, 1 - Σ w (y - p)² / Σ w (y - ȳ)², with the mean ȳ of the
/// judged rows. 1 is perfect, 0 is what their mean achieves; worse predictions are negative.
///
/// Undefined without rows of positive weight, and where all targets are equal. Errors: NonFiniteValue, with the row, for a
/// target or prediction that is not finite; NumericOverflow when squares leave the range of double. Determinism: sums are
/// exact between blocks of 4096 rows. Cost: one pass, about 2 ns a row.
template <Name Target, Name Prediction = "prediction">
struct RSquared {
    using metric_concept = MetricTag;
    static constexpr const char* name = "R²";
    using Inputs = Columns<Read<Target, number_kinds>, Read<Prediction, float_kinds>>;

    struct Summary {
        detail::ErrorSums<Target, Prediction, detail::sum_of_squared_errors> errors;
        detail::TargetMoments target;

        template <class Y, class P>
        void update(const Y& targets, const P& predictions, Weights weights) {
            detail::for_each_tile(targets, predictions, weights, Target.view(), Prediction.view(),
                                  [&](const detail::TargetsAndPredictions& tile) {
                                      errors.add(tile);
                                      target.update(tile.target, tile.rows, tile.weights);
                                  });
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (errors, target), (), ())
    };

    Score finish(const Summary& summary) const {
        if (summary.errors.empty()) return Score::undefined(detail::no_rows);
        if (!summary.target.varies())
            return Score::undefined("all targets are equal, so there is no variance to explain");
        const double total = summary.target.total_square();
        if (!(total > 0) || !detail::all_finite(&total, 1)) {
            return Score::undefined("the targets' variance is beyond the range of double");
        }
        return Score(1.0 - summary.errors.errors.value() / total);
    }
};

}  // namespace partita::inline PARTITA_ABI
