// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/dataset.hpp>
#include <partita/data/rows_that_count.hpp>
#include <partita/evaluate/metric.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// The name of the column that a mistaken metric wants, and of the one it probably means.
template <class MetricType, int Input>
consteval auto wanted_column() {
    return name_from([] { return MetricType::Inputs::inputs[static_cast<std::size_t>(Input)].name; });
}
template <class Row, int Ordinal>
consteval auto column_name() {
    return name_from([] { return columns_of<Row>[static_cast<std::size_t>(Ordinal)].name; });
}
template <class MetricType, int Input>
consteval auto kinds_taken() {
    return name_from([] { return kinds_in_words(MetricType::Inputs::inputs[static_cast<std::size_t>(Input)]); });
}

/// What is wrong with a metric on a table; a class, because its body is where both compilers stop after one error.
template <class Row, class MetricType, ReadMistake::Cause Cause, int Input, int Near>
struct ExplainMetric {};
template <class Row, class MetricType, int Input, int Near>
struct ExplainMetric<Row, MetricType, ReadMistake::Cause::missing, Input, Near> {
    static_assert(
        sizeof(wrong::ColumnIsMissing<MetricType, wrong::Wanted<wanted_column<MetricType, Input>()>,
                                      wrong::DidYouMean<column_name<Row, Near>()>>) == 0,
        "a metric reads a column that is not there: correct the name, or transform the data by the model first");
};
template <class Row, class MetricType, int Input>
struct ExplainMetric<Row, MetricType, ReadMistake::Cause::missing, Input, -1> {
    static_assert(
        sizeof(wrong::ColumnIsMissing<MetricType, wrong::Wanted<wanted_column<MetricType, Input>()>>) == 0,
        "a metric reads a column that is not there: correct the name, or transform the data by the model first");
};
template <class Row, class MetricType, int Input, int Near>
struct ExplainMetric<Row, MetricType, ReadMistake::Cause::missing_values, Input, Near> {
    static_assert(
        sizeof(wrong::ColumnMayBeMissingValues<MetricType, wrong::OfColumn<wanted_column<MetricType, Input>()>>) == 0,
        "values of this column may be missing and the metric needs them all: filter such rows, or impute them");
};
template <class Row, class MetricType, int Input, int Near>
struct ExplainMetric<Row, MetricType, ReadMistake::Cause::wrong_type, Input, Near> {
    static_assert(sizeof(wrong::ColumnHasWrongType<MetricType, wrong::OfColumn<wanted_column<MetricType, Input>()>,
                                                   wrong::TakesKinds<kinds_taken<MetricType, Input>()>>) == 0,
                  "a metric cannot judge a column of this type");
};

template <class Row, class MetricType>
inline constexpr ReadMistake metric_mistake = find_read_mistake(columns_of<Row>, MetricType::Inputs::inputs);

template <class Row, class MetricType, std::size_t I>
struct MetricInput {
    static constexpr int ordinal = find_column(columns_of<Row>, MetricType::Inputs::inputs[I].name);
    static constexpr ColumnType column = columns_of<Row>[static_cast<std::size_t>(ordinal)].type;
    using type = ValueType<column>;
};

template <class Row, class Role, class MetricType>
void update_metric(const Dataset<Row, Role>& data, Block& block, typename MetricType::Summary& summary,
                   const MetricType&) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        summary.update(block.template view<typename MetricInput<Row, MetricType, I>::type>(
                           data.slot(MetricInput<Row, MetricType, I>::ordinal))...,
                       block.weights());
    }(std::make_index_sequence<MetricType::Inputs::size>());
}

/// The summaries of several metrics as one state.
template <class First, class... Rest>
struct MetricSummaries {
    First first;
    MetricSummaries<Rest...> rest;

    template <std::size_t I>
    auto& get() {
        return at<I>(*this);
    }
    template <std::size_t I>
    const auto& get() const {
        return at<I>(*this);
    }
    template <std::size_t I, class Self>
    static auto& at(Self& self) {
        if constexpr (I == 0) {
            return self.first;
        } else {
            return self.rest.template get<I - 1>();
        }
    }
    BOOST_DESCRIBE_CLASS(MetricSummaries, (), (first, rest), (), ())
};
template <class First>
struct MetricSummaries<First> {
    First first;

    template <std::size_t I>
    auto& get() {
        return first;
    }
    template <std::size_t I>
    const auto& get() const {
        return first;
    }
    BOOST_DESCRIBE_CLASS(MetricSummaries, (), (first), (), ())
};

template <class MetricType>
Score finish_metric(const MetricType& metric, const typename MetricType::Summary& summary, ThreadPool& pool) {
    if constexpr (requires { metric.finish(summary, pool); }) {
        return metric.finish(summary, pool);
    } else {
        return metric.finish(summary);
    }
}

template <class Row, class Role, class... Metrics>
auto score(const Dataset<Row, Role>& data, const Metrics&... metrics) {
    (static_cast<void>(sizeof(ExplainMetric<Row, Metrics, metric_mistake<Row, Metrics>.cause,
                                            metric_mistake<Row, Metrics>.input, metric_mistake<Row, Metrics>.near>)),
     ...);
    if constexpr (((metric_mistake<Row, Metrics>.cause == ReadMistake::Cause::none) && ...)) {
        using Summaries = MetricSummaries<typename Metrics::Summary...>;
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto total = aggregate_blocks(
                rows_that_count(data.state()), Summaries{}, [&](Summaries& summaries, Block& block, std::size_t) {
                    (update_metric(data, block, summaries.template get<I>(), metrics), ...);
                });
            if constexpr (sizeof...(Metrics) == 1) {
                return finish_metric(metrics..., total.first, data.session().pool());
            } else {
                return std::array<Score, sizeof...(Metrics)>{
                    finish_metric(metrics, total.template get<I>(), data.session().pool())...};
            }
        }(std::index_sequence_for<Metrics...>());
    }
}

}  // namespace detail

/// Judges predictions on rows that their model has not seen: `evaluate(model.transform(test), Rmse<"fare">{})`. Several metrics
/// share one pass, and their scores come back as an array in their order.
///
/// Takes data whose role is Validation or Test; other roles do not compile. A metric that is undefined on the rows says so in
/// its Score. Rows of weight 0 are absent, whatever they hold. Errors: NonFiniteValue, with the row. Determinism: the same bits on
/// any threads, workers and chunks. A collective. Cost: one pass over the columns that the metrics read.
template <class Row, class Role, Metric... Metrics>
auto evaluate(const Dataset<Row, Role>& data, const Metrics&... metrics) {
    if constexpr (std::is_same_v<Role, Validation> || std::is_same_v<Role, Test>) {
        return detail::score(data, metrics...);
    } else {
        static_assert(sizeof(wrong::MetricNeedsHeldOutData<wrong::Given<Role>>) == 0,
                      "evaluate takes Validation or Test data: a score on rows that a model was fitted on says nothing "
                      "of new ones; evaluate_in_sample says so by its name");
        return Score::undefined("not computed");
    }
}

/// Judges predictions on the rows that their model was fitted on: how well it fits, not how well it predicts.
/// Takes data whose role is InSample, which is what `model.transform(train)` gives; otherwise as evaluate.
template <class Row, class Role, Metric... Metrics>
auto evaluate_in_sample(const Dataset<Row, Role>& data, const Metrics&... metrics) {
    if constexpr (std::is_same_v<Role, InSample>) {
        return detail::score(data, metrics...);
    } else {
        static_assert(sizeof(wrong::MetricNeedsInSamplePredictions<wrong::Given<Role>>) == 0,
                      "evaluate_in_sample takes predictions on training rows: model.transform(train); held-out data "
                      "belong to evaluate");
        return Score::undefined("not computed");
    }
}

}  // namespace partita::inline PARTITA_ABI
