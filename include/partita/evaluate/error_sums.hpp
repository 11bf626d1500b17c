// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/name.hpp>
#include <partita/evaluate/block_terms.hpp>
#include <partita/math/count.hpp>
#include <partita/math/exact_sum.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// What the mean of an error over rows is made of: `sum_of` adds up the errors of a tile.
template <Name Target, Name Prediction, double (*sum_of)(const TargetsAndPredictions&)>
struct ErrorSums {
    ExactSum errors;
    Count rows;

    template <class Y, class P>
    void update(const Y& target, const P& prediction, Weights weights) {
        for_each_tile(target, prediction, weights, Target.view(), Prediction.view(),
                      [&](const TargetsAndPredictions& tile) { add(tile); });
    }
    void add(const TargetsAndPredictions& tile) {
        errors.add(finite_sum(sum_of(tile), Target.view()));
        rows.update(tile.rows, tile.weights);
    }
    bool empty() const { return rows.rows() == 0; }
    double mean() const { return errors.value() / rows.weight(); }

    BOOST_DESCRIBE_CLASS(ErrorSums, (), (errors, rows), (), ())
};

}  // namespace partita::inline PARTITA_ABI::detail
