// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a fit of a sparse logistic regression is told.

#include <partita/comm/checkpoints.hpp>
#include <partita/comm/parameter_table.hpp>
#include <partita/linear/sparse_logistic_regression/steps.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

/// The settings, without the names of the pipeline's types.
struct SparsePlan {
    bool adagrad = false;
    double alpha = 0.1, beta = 1, l1 = 0, l2 = 0;
    int epochs = 1;
    bool intercept = true, shuffle = true;
    std::size_t blocks = 1, rows = 512;
    std::string_view features, target;
    std::uint64_t seed = 0;
    TableExchange exchange = TableExchange::automatic;

    SparseSteps steps() const {
        using Penalty = SparseSteps::Penalty;
        const Penalty penalty = l1 == 0 && l2 == 0 ? Penalty::none : adagrad ? Penalty::adagrad : Penalty::ftrl;
        return {static_cast<float>(alpha), static_cast<float>(beta), static_cast<float>(l1), static_cast<float>(l2),
                penalty};
    }
    /// For checkpoints: every setting that decides what the fit does. What workers that do not wait for each other came to is
    /// for their like alone.
    FitIdentity identity(TableConsistency consistency) const {
        FitIdentity all("SparseLogisticRegression");
        all.add("update", adagrad).add("alpha", alpha).add("beta", beta).add("l1", l1).add("l2", l2);
        all.add("epochs", epochs).add("fit_intercept", intercept).add("shuffle", shuffle);
        all.add("blocks", blocks).add("rows of a block", rows);
        all.add("async", consistency.kind == TableConsistency::Kind::unbounded).add("staleness", consistency.staleness);
        return all.add("features", features).add("target", target);
    }
};

}  // namespace partita::inline PARTITA_ABI::detail
