// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all linear models share: the features that they take, and checked margins.

#include <partita/core/number_text.hpp>
#include <partita/data/column_type.hpp>
#include <partita/math/margins.hpp>
#include <partita/stage/features.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The features that linear models take.
inline constexpr KindSet linear_feature_kinds = vector_kinds;

/// Margins with the promise that what a fit refuses throws here too.
template <class Features>
void checked_margins(const Features& x, const std::vector<double>& coefficients, double intercept,
                     std::span<double> margins, std::string_view feature_column) {
    if (feature_width(x) != coefficients.size()) refuse_width(feature_column, feature_width(x), coefficients.size());
    block_margins(x, std::span<const double>(coefficients), intercept, margins);
    double test = 0;
    for (double margin : margins) test += margin - margin;
    if (test == 0) return;
    for (std::size_t row = 0; row < margins.size(); ++row)
        if (!finite_row(x, row)) refuse_features(feature_column, "the features", static_cast<std::int64_t>(row));
}

}  // namespace partita::inline PARTITA_ABI::detail
