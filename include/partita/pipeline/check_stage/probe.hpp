// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stage behind virtual functions, so that the laws are compiled once and not for every stage.

#include <partita/comm/run.hpp>
#include <partita/data/split.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/pipeline/check_stage/rows.hpp>
#include <partita/pipeline/check_stage/values.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe/class.hpp>

#include <memory>

namespace partita::inline PARTITA_ABI::detail {

/// The rows of one worker, and whether the last column is their weight.
struct WorkerRows {
    Chunks chunks;
    bool weighted = false;
};

/// A fitted stage.
class FittedProbe {
  public:
    virtual ~FittedProbe() = default;
    virtual std::string bytes() const = 0;
    virtual std::span<const ColumnInfo> columns() const = 0;  ///< of what transform gives
    virtual ChunkPointer transform(Session& session, const Chunks& chunks) const = 0;
    virtual ChunkPointer transform_frame(const ChunkPointer& frame) const = 0;
    /// The bytes of what one row gives for the columns that the stage writes, as far as a single row has them.
    virtual void transform_row(const Chunk& frame, std::size_t row, std::string& values) const = 0;
};

/// What the laws need to know of a stage.
struct StageFacts {
    std::string title;
    std::vector<CheckedColumn> columns;  ///< of the table that it is given
    std::vector<ColumnInfo> result;      ///< the columns of the table that it makes
    std::vector<bool> single;            ///< of the result, whether transform of one row gives it
    bool learns = false, predicts = false, resamples = false, validates = false;
    std::size_t refused = 0;  ///< how many settings are to be refused
};

/// Which stage to fit.
enum class ProbeStage : unsigned char { fresh, same, longer };

class StageProbe {
  public:
    virtual ~StageProbe() = default;
    virtual StageFacts facts() const = 0;
    virtual std::unique_ptr<FittedProbe> fit(Session& session, const WorkerRows& rows,
                                             ProbeStage which = ProbeStage::fresh) const = 0;
    virtual void fit_refused(Session& session, const WorkerRows& rows, std::size_t index) const = 0;
    virtual std::unique_ptr<FittedProbe> load(std::string bytes) const = 0;
    virtual void load_as_another(std::string bytes) const = 0;
};

/// Measures what a resampler does: how much weight reaches the fit of the next stage.
template <Name ColumnName>
struct WeightTally {
    using stage_concept = Estimator;
    static constexpr std::string_view id = "WeightTally";
    using Inputs = Columns<Read<ColumnName, ~KindSet{0}, true>>;
    using Outputs = Columns<Column<"total weight", double>, Column<"sum of squared weights", double>>;
    struct Summary {
        ExactSum weight, squares;
        template <class View>
        void update(const View& view, Weights weights) {
            for (std::size_t i = 0; i < view.size(); ++i) {
                weight.add(weights[i]);
                squares.add(weights[i] * weights[i]);
            }
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (weight, squares), (), ())
    };
    struct Model {
        double weight = 0, squares = 0;
        template <class View>
        void operator()(const View&, std::span<double> weights, std::span<double> of_squares) const {
            for (double& value : weights) value = weight;
            for (double& value : of_squares) value = squares;
        }
        BOOST_DESCRIBE_CLASS(Model, (), (weight, squares), (), ())
    };
    Model finish(const Summary& summary) const {
        if (!(summary.weight.value() > 0)) throw EmptyDataset("no row of positive weight is left");
        return {summary.weight.value(), summary.squares.value()};
    }
};

/// Stands before or behind a stage: reads a column of any kind and writes one of its own.
template <Name ColumnName, Name Output>
struct Neighbour {
    using stage_concept = Transformer;
    static constexpr std::string_view id = "Neighbour";
    using Inputs = Columns<Read<ColumnName, ~KindSet{0}, true>>;
    using Outputs = Columns<Column<Output, std::uint8_t>>;  // a type that few selectors choose
    template <class View>
    void operator()(const View&, std::span<std::uint8_t> out) const {
        for (std::uint8_t& value : out) value = 1;
    }
};

template <class View>
auto value_of_row(const View& view, std::size_t row) {
    if constexpr (requires { view.valid(row); }) {
        using Value = decltype(value_of_row(view.values(), row));
        return view.valid(row) ? std::optional<Value>(value_of_row(view.values(), row)) : std::optional<Value>();
    } else if constexpr (requires {
                             view.offsets;
                             view.indices;
                         }) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(view.values)>>;
        const auto first = static_cast<std::size_t>(view.offsets[row]),
                   count = static_cast<std::size_t>(view.offsets[row + 1]) - first;
        return SparseVector<T>{{view.indices + first, count}, {view.values + first, count}, view.columns};
    } else if constexpr (std::is_same_v<View, OneHotView>) {
        return OneHot{view.codes[row], view.columns};
    } else {
        return view[row];
    }
}

template <class Wanted, class Given>
Wanted as_value(const Given& given) {
    if constexpr (std::is_convertible_v<const Given&, Wanted>) {
        return given;
    } else if constexpr (column_type<Wanted>.nullable) {
        return given ? Wanted(as_value<typename Wanted::value_type>(*given)) : Wanted();
    } else if constexpr (requires { Wanted(given.data(), given.size()); }) {
        return Wanted(given.data(), given.size());
    } else {
        Wanted value{};
        std::copy(given.begin(), given.end(), value.begin());
        return value;
    }
}

template <class T>
void put_value(std::string& bytes, const SparseElements<T>& value) {
    put_raw(bytes, value.width);
    put_raw(bytes, value.indices.size());
    bytes.append(reinterpret_cast<const char*>(value.indices.data()), value.indices.size() * sizeof(std::int32_t));
    bytes.append(reinterpret_cast<const char*>(value.values.data()), value.values.size() * sizeof(T));
}

template <class Row, class... Stages>
class FittedProbeOf final : public FittedProbe {
  public:
    using Model = Fitted<Pipeline<Stages...>, Row>;
    using Result = After<Pipeline<Stages...>, Row>;

    explicit FittedProbeOf(Model model) : model_(std::move(model)) {}

    std::string bytes() const override { return to_bytes(model_); }
    std::span<const ColumnInfo> columns() const override { return columns_of<Result>; }
    ChunkPointer transform(Session& session, const Chunks& chunks) const override {
        return model_.transform(make_dataset<Row, Test>(session, chunks)).collect().chunk();
    }
    ChunkPointer transform_frame(const ChunkPointer& frame) const override {
        return model_.transform(Frame<Row>(frame)).chunk();
    }
    void transform_row(const Chunk& frame, std::size_t row, std::string& values) const override {
        RowOf<Row> one;
        one.for_each_value([&]<class T>(std::size_t column, T& value) {
            value = as_value<T>(value_of_row(view_of<T>(frame.column(column).all()), row));
        });
        put_all(one, values, std::make_index_sequence<columns_of<Result>.size()>());
    }

    template <std::size_t I>
    static constexpr bool is_single =
        find_slot(Model::Last::data, columns_of<Result>[I].name) >= static_cast<int>(columns_of<Row>.size()) &&
        requires(const Cell<typename AsSchema<Result>::template At<I>::type::value_type>& cell) { cell.get(); };
    template <std::size_t... I>
    static std::vector<bool> single(std::index_sequence<I...>) {
        return {is_single<I>...};
    }

  private:
    template <std::size_t... I>
    void put_all(const RowOf<Row>& one, std::string& values, std::index_sequence<I...>) const {
        const auto put = [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>) {
            if constexpr (is_single<Index>) {
                put_value(values, model_.template transform<AsSchema<Result>::template At<Index>::name>(one));
            }
        };
        (put(std::integral_constant<std::size_t, I>{}), ...);
    }

    Model model_;
};

template <class StageType, class Row>
class StageProbeOf final : public StageProbe {
    static constexpr auto first_name = Name<columns_of<Row>[0].name.size() + 1>(columns_of<Row>[0].name);
    using Before = Neighbour<first_name, "before the stage">;
    using Behind = Neighbour<first_name, "behind the stage">;
    using Another = Pipeline<Neighbour<first_name, "another stage">>;
    static constexpr bool resamples = is_resampler<StageType>;

  public:
    StageProbeOf(const StageType& stage, std::span<const StageType> refused) : stage_(stage), refused_(refused) {}

    StageFacts facts() const override {
        StageFacts facts;
        facts.title = stage_title<StageType>();
        facts.columns = checked_columns<StageType, Row>();
        facts.learns = is_estimator<StageType> || resamples;
        facts.predicts = std::is_same_v<typename StageType::stage_concept, Predictor>;
        facts.resamples = resamples;
        facts.validates = requires { stage_.validate(); };
        facts.refused = refused_.size();
        describe_result(facts, make(stage_));
        return facts;
    }
    std::unique_ptr<FittedProbe> fit(Session& session, const WorkerRows& rows, ProbeStage which) const override {
        if (which == ProbeStage::same) return fitted(same_, session, rows);
        if (which == ProbeStage::fresh) return fitted(make(stage_), session, rows);
        return fitted(pipeline(Before{}) | make(stage_) | pipeline(Behind{}), session, rows);
    }
    void fit_refused(Session& session, const WorkerRows& rows, std::size_t index) const override {
        fitted(make(refused_[index]), session, rows);
    }
    std::unique_ptr<FittedProbe> load(std::string bytes) const override {
        return loaded(make(stage_), std::move(bytes));
    }
    void load_as_another(std::string bytes) const override {
        static_cast<void>(from_bytes<Fitted<Another, Row>>(std::move(bytes)));
    }

  private:
    static auto make(const StageType& stage) {
        if constexpr (resamples) {
            return pipeline(stage, WeightTally<first_name>{});
        } else {
            return pipeline(stage);
        }
    }
    template <class... Stages>
    static void describe_result(StageFacts& facts, const Pipeline<Stages...>&) {
        using Result = After<Pipeline<Stages...>, Row>;
        facts.result.assign(columns_of<Result>.begin(), columns_of<Result>.end());
        facts.single = FittedProbeOf<Row, Stages...>::single(std::make_index_sequence<columns_of<Result>.size()>());
    }
    template <class... Stages>
    static std::unique_ptr<FittedProbe> fitted(const Pipeline<Stages...>& stages, Session& session,
                                               const WorkerRows& rows) {
        auto state = std::make_shared<DatasetState>();
        state->session = &session;
        state->chunks = rows.chunks;
        std::vector<int> slots;
        for (const ColumnInfo& column : columns_of<Row>) {
            slots.push_back(static_cast<int>(slots.size()));
            state->plan.slots.push_back({column.name, column.type, slots.back(), -1});
        }
        const int weight = static_cast<int>(slots.size());
        state->plan.slots.push_back({"weight", column_type<double>, weight, -1});
        if (rows.weighted) state->plan.weight_slot = weight;
        return std::make_unique<FittedProbeOf<Row, Stages...>>(
            FitWithAbsentRows::fit(stages, Dataset<Row, Train>(std::move(state), std::move(slots))));
    }
    template <class... Stages>
    static std::unique_ptr<FittedProbe> loaded(const Pipeline<Stages...>&, std::string bytes) {
        return std::make_unique<FittedProbeOf<Row, Stages...>>(
            from_bytes<Fitted<Pipeline<Stages...>, Row>>(std::move(bytes)));
    }

    StageType stage_;
    std::span<const StageType> refused_;
    decltype(make(std::declval<const StageType&>())) same_ = make(stage_);
};

}  // namespace partita::inline PARTITA_ABI::detail
