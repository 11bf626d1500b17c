// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a metric is: the columns it reads, an exact summary of their rows, and the number that the summary comes to.

#include <partita/core/version.hpp>
#include <partita/evaluate/score.hpp>

#include <concepts>
#include <string_view>

namespace partita::inline PARTITA_ABI {

/// A metric opts in by `using metric_concept = MetricTag;`.
struct MetricTag {};

/// What `evaluate` takes: an aggregate whose members are its settings, with
///   - `name`, as it is printed;
///   - `Inputs`, a list `Columns<…>` of the columns it reads;
///   - `Summary`, a struct of exact accumulators described with BOOST_DESCRIBE_CLASS, whose
///     `update(views…, Weights)` takes in one block of rows (at most 4096), the views in the order of Inputs;
///   - `Score finish(const Summary&) const`; where there is also a `finish(const Summary&, ThreadPool&)`, evaluate calls that.
/// Weights are frequency weights: a row of weight w counts as w copies of it, one of weight 0 as absent, whatever its values.
template <class M>
concept Metric =
    std::same_as<typename M::metric_concept, MetricTag> && std::default_initializable<typename M::Summary> &&
    requires(const M& metric, const typename M::Summary& summary) {
        typename M::Inputs;
        { M::name } -> std::convertible_to<std::string_view>;
        { metric.finish(summary) } -> std::same_as<Score>;
    };

namespace detail {

inline constexpr const char* no_rows = "there are no rows of positive weight";

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
