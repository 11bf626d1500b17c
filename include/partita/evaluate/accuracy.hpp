// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>
#include <partita/data/column_view.hpp>
#include <partita/data/reads.hpp>
#include <partita/evaluate/block_terms.hpp>
#include <partita/evaluate/metric.hpp>
#include <partita/math/count.hpp>

#include <boost/describe/class.hpp>

#include <utility>

namespace partita::inline PARTITA_ABI {

namespace detail {

template <class T>
inline constexpr bool is_label_text = std::is_convertible_v<T, std::string_view>;

/// Whether two labels are the same class: numbers by value whatever their types, texts and categories by their text.
template <class A, class B>
constexpr bool same_label(const A& a, const B& b) {
    if constexpr (is_label_text<A> || is_label_text<B>) {
        static_assert(
            is_label_text<A> && is_label_text<B>,
            "one of target and prediction is a number and the other a text, so they never agree; map one of them");
        return static_cast<std::string_view>(a) == static_cast<std::string_view>(b);
    } else if constexpr (std::is_same_v<A, bool> || std::is_same_v<B, bool>) {
        return same_label(static_cast<std::conditional_t<std::is_same_v<A, bool>, int, A>>(a),
                          static_cast<std::conditional_t<std::is_same_v<B, bool>, int, B>>(b));
    } else if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
        return std::cmp_equal(a, b);
    } else if constexpr (std::is_integral_v<A>) {
        // A number beyond 2^53 may round to the other: then it must come back as itself, too.
        const auto rounded = static_cast<double>(a);
        return rounded == static_cast<double>(b) &&
               (sizeof(A) < 8 || (rounded < 0x1p+63 && static_cast<A>(rounded) == a));
    } else if constexpr (std::is_integral_v<B>) {
        return same_label(b, a);
    } else {
        return static_cast<double>(a) == static_cast<double>(b);
    }
}

template <class View>
void refuse_non_finite_labels(const View& labels, Weights weights, std::string_view column) {
    if constexpr (std::is_floating_point_v<std::remove_cvref_t<decltype(labels[0])>>) {
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const double label = labels[i];
            if (!(label - label == 0) && weights[i] > 0) refuse_scored_value(column, i);
        }
    }
}

}  // namespace detail

/// The share of rows whose prediction is the target, Σ w [y = p] / Σ w. 1 is perfect.
///
/// Labels are bools, numbers (compared by value), texts or categories (compared as text).
/// Undefined without rows of positive weight. Errors: NonFiniteValue, with the row, for a label that is NaN or infinite.
/// Determinism: exact. Cost: one pass, about 1 ns a row of numbers.
template <Name Target, Name Prediction = "prediction">
struct Accuracy {
    using metric_concept = MetricTag;
    static constexpr const char* name = "accuracy";
    using Inputs = Columns<Read<Target, number_kinds | text_kinds>, Read<Prediction, number_kinds | text_kinds>>;

    struct Summary {
        Count correct, rows;

        template <class Y, class P>
        void update(const Y& target, const P& prediction, Weights weights) {
            detail::refuse_non_finite_labels(target, weights, Target.view());
            detail::refuse_non_finite_labels(prediction, weights, Prediction.view());
            rows.update(target.size(), weights);
            if (weights.unit()) {
                std::size_t same = 0;
                for (std::size_t i = 0; i < target.size(); ++i) same += detail::same_label(target[i], prediction[i]);
                correct.update(same);
                return;
            }
            double kept[detail::score_tile_rows];
            for (std::size_t first = 0; first < target.size(); first += detail::score_tile_rows) {
                const std::size_t count = std::min(detail::score_tile_rows, target.size() - first);
                for (std::size_t i = 0; i < count; ++i) {
                    kept[i] = detail::same_label(target[first + i], prediction[first + i]) ? weights[first + i] : 0.0;
                }
                correct.update(count, Weights(kept));
            }
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (correct, rows), (), ())
    };

    Score finish(const Summary& summary) const {
        if (summary.rows.rows() == 0) return Score::undefined(detail::no_rows);
        return Score(summary.correct.weight() / summary.rows.weight());
    }
};

}  // namespace partita::inline PARTITA_ABI
