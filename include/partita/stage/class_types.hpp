// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a classifier makes of the type of its target.

#include <partita/data/column_type.hpp>

#include <string>
#include <type_traits>

namespace partita::inline PARTITA_ABI::detail {

/// How a model keeps classes: as numbers, or as texts.
template <class Y>
using ClassLabel = std::conditional_t<(kind_bit(column_type<Y>.kind) & text_kinds) != 0, std::string, double>;
/// The type of predictions: the target's; texts come as categories.
template <class Y>
using PredictedLabel = std::conditional_t<(kind_bit(column_type<Y>.kind) & text_kinds) != 0, Category, Y>;

}  // namespace partita::inline PARTITA_ABI::detail
