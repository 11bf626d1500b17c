// SPDX-License-Identifier: Apache-2.0
#pragma once

// The vocabulary of compile errors. These templates are declared and never defined: asking for the size of one prints it,
// and its arguments are the facts. Outside the ABI namespace, so that messages stay short.

#include <partita/core/name.hpp>

namespace partita::wrong {

/// `static_assert(wrong::unless<sound, Mistake<Facts…>>, "remedy")`: true if sound; otherwise a compile error whose first line
/// prints the mistake. Unlike `sound || sizeof(Mistake<…>)`, it does not look at the mistake of what is sound.
template <bool Sound, class Mistake>
inline constexpr bool unless = true;
template <class Mistake>
inline constexpr bool unless<false, Mistake> = sizeof(Mistake) != 0;

// ---- facts -------------------------------------------------------------------------------------------------------------

/// The position of the stage in its pipeline, from 1.
template <int Position>
struct AtStage;
template <Name ColumnName>
struct Wanted;
template <Name ColumnName>
struct DidYouMean;
template <Name... ColumnNames>
struct Has;
template <Name ColumnName>
struct Target;
/// The column of a learner's predictions by which something got there.
template <Name ColumnName>
struct ByPrediction;
template <class T>
struct Takes;
template <class T>
struct Given;
template <Name Column>
struct OfColumn;
/// A set of kinds in words: TakesKinds<"a number that is not missing">.
template <Name Words>
struct TakesKinds;
template <Name Words>
struct GivenKind;

// ---- mistakes ----------------------------------------------------------------------------------------------------------

template <class... Facts>
struct ColumnIsMissing;
template <class... Facts>
struct ColumnHasWrongType;
template <class... Facts>
struct ColumnMayBeMissingValues;
template <class... Facts>
struct ColumnIsDuplicate;
template <class... Facts>
struct TargetIsAmongItsFeatures;
template <class... Facts>
struct UnseenPolicyIsOpen;
template <class... Facts>
struct RowIsNotDescribed;
template <class... Facts>
struct MemberTypeIsNoColumn;
template <class... Facts>
struct StageIsIncomplete;
template <class... Facts>
struct TypeIsNoPipeline;
template <class... Facts>
struct CaptureCannotBeSaved;
/// The function of a map returns what no column can hold.
template <class... Facts>
struct ResultIsNoColumn;
/// The function of a map, or the predicate of a filter, cannot be called with the values of its columns.
template <class... Facts>
struct FunctionDoesNotTake;
template <class... Facts>
struct FitNeedsTrainingData;
template <class... Facts>
struct MetricNeedsHeldOutData;
template <class... Facts>
struct MetricNeedsInSamplePredictions;
template <class... Facts>
struct RolesDoNotMix;
template <class... Facts>
struct ColumnsDiffer;
/// A join by columns of different types.
template <class... Facts>
struct KeyTypesDiffer;
template <class... Facts>
struct SplitNeedsUnsplitData;
template <class... Facts>
struct SettingOfAnotherStage;
/// A fitted pipeline is asked for a stage that it does not have, or for what only such a stage could give.
template <class... Facts>
struct PipelineLacksStage;
template <class... Facts>
struct RowLacksColumn;

}  // namespace partita::wrong
