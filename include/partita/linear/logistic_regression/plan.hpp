// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a fit of a logistic regression is told.

#include <partita/comm/checkpoints.hpp>

#include <cstdint>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

/// The settings, without the names of the pipeline's types.
struct LogisticPlan {
    double l2 = 0;
    bool fit_intercept = true, standardize = true, balanced = false;
    int max_iterations = 0;
    double tolerance = 0;
    std::int64_t newton_limit = 0;
    std::string_view features, target;

    /// For checkpoints: every member decides what the fit does.
    FitIdentity identity() const {
        FitIdentity all("LogisticRegression");
        all.add("l2", l2).add("fit_intercept", fit_intercept).add("standardize", standardize).add("balanced", balanced);
        all.add("max_iterations", max_iterations).add("tolerance", tolerance).add("newton_limit", newton_limit);
        return all.add("features", features).add("target", target);
    }
};

}  // namespace partita::inline PARTITA_ABI::detail
