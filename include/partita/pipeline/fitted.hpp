// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/dataset.hpp>
#include <partita/pipeline/after.hpp>
#include <partita/pipeline/explain.hpp>
#include <partita/pipeline/row.hpp>
#include <partita/pipeline/step.hpp>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A coefficient of a linear model with the name of its feature.
struct NamedCoefficient {
    std::string name;
    double value = 0;
};

namespace detail {

/// Models of one stage, one for each column that its selector chose. A tuple of many is slow to compile.
template <class First, class... Rest>
struct ModelList {
    static constexpr bool same = sizeof...(Rest) != 0 && (std::is_same_v<First, Rest> && ...);
    using type = std::conditional_t<same, std::array<First, 1 + sizeof...(Rest)>, std::tuple<First, Rest...>>;
};
template <class N, class Sequence>
struct ModelsOf;
template <class N, int... I>
struct ModelsOf<N, std::integer_sequence<int, I...>> {
    using type = typename ModelList<typename N::template InstanceAt<I>::Model...>::type;
};
template <class N>
using StageModels = typename ModelsOf<N, std::make_integer_sequence<int, N::instance_count>>::type;

template <class NodeTypes>
struct AllModels;
template <class... Nodes>
struct AllModels<Types<Nodes...>> {
    using type = std::tuple<StageModels<Nodes>...>;
};

/// What instances of a stage differ in, besides their models.
struct InstanceFacts {
    std::span<const int> inputs;
    int first_output, outputs;
    std::string (*title)(int);
    int instance;
};
template <class N, int I>
inline constexpr InstanceFacts instance_facts{N::template InstanceAt<I>::inputs, N::data.first + I* N::outputs_each,
                                              N::outputs_each, &instance_title<N>, I};

/// Puts one fitted instance behind a plan. `base` maps the pipeline's slots to the plan's; `owner` keeps the model.
template <class StepType, class Model>
[[gnu::noinline]] void append_instance(Plan& plan, const std::vector<int>& base,
                                       const std::shared_ptr<const void>& owner, const InstanceFacts& facts,
                                       const Model& model) {
    add_step(plan, new StepType(place_step(plan, base, facts.inputs, facts.first_output, facts.outputs,
                                           facts.title(facts.instance), owner),
                                model));
}
template <class N, int I>
void append_step(Plan& plan, const std::vector<int>& base, const std::shared_ptr<const void>& owner,
                 const typename N::template InstanceAt<I>::Model& model) {
    using At = typename N::template InstanceAt<I>;
    append_instance<
        ModelStep<typename At::Model, typename At::Values, typename OutputValues<typename At::Outputs>::type>>(
        plan, base, owner, instance_facts<N, I>, model);
}

/// Gives every slot of the pipeline a slot in the plan; those of the row are where the dataset has them.
inline std::vector<int> extend_plan(const NodeData& last, Plan& plan, std::vector<int> slots) {
    for (int slot = static_cast<int>(slots.size()); slot < slot_count(last); ++slot) {
        const SlotInfo& info = slot_info(last, slot);
        slots.push_back(static_cast<int>(plan.slots.size()));
        plan.slots.push_back({info.name, info.type, -1, -1});
    }
    return slots;
}

/// A pipeline fitted on rows of a type that it fits on.
template <class Row, class... Stages>
class FittedPipeline {
  public:
    using pipeline_type = Pipeline<Stages...>;
    using row_type = Row;
    using Last = LastNode<Row, Stages...>;
    using Nodes = typename NodeList<Last>::type;
    using Models = typename AllModels<Nodes>::type;

    FittedPipeline() : models_(std::make_shared<Models>()) {}
    FittedPipeline(std::shared_ptr<const Models> models, std::uint64_t seed, std::int64_t rows)
        : models_(std::move(models)), seed_(seed), rows_(rows) {}

    /// The dataset with the columns of every stage, computed when they are read. Shares the fitted stages.
    /// Predictions on training rows have the role InSample, which nothing is fitted on.
    template <class Role>
    auto transform(const Dataset<Row, Role>& data) const {
        using Result = std::conditional_t<predicts<Nodes> && std::is_same_v<Role, Train>, InSample, Role>;
        auto state = std::make_shared<DatasetState>(data.state());
        return Dataset<After<pipeline_type, Row>, Result>(state, append(state->plan, data.slots()));
    }
    /// The same for a frame, computed at once.
    Frame<After<pipeline_type, Row>> transform(const Frame<Row>& frame) const {
        Plan plan;
        std::vector<int> slots;
        for (const ColumnInfo& column : columns_of<Row>) {
            slots.push_back(static_cast<int>(plan.slots.size()));
            plan.slots.push_back({column.name, column.type, slots.back(), -1});
        }
        const std::vector<int> visible = append(plan, slots);
        Block block(plan);
        std::vector<ColumnBuilder> builders;
        for (int slot : visible) builders.emplace_back(plan.slots[static_cast<std::size_t>(slot)].type);
        std::vector<std::int64_t> ids;
        for (std::size_t i = 0; i < frame.chunk()->block_count(); ++i) {
            block.move_to(*frame.chunk(), i);
            for (std::size_t c = 0; c < visible.size(); ++c) builders[c].append(block.column(visible[c]));
            for (std::size_t row = 0; row < block.rows(); ++row) ids.push_back(block.row_id(row));
        }
        std::vector<ColumnData> columns;
        for (ColumnBuilder& builder : builders) columns.push_back(builder.finish());
        return Frame<After<pipeline_type, Row>>(std::make_shared<const Chunk>(std::move(ids), std::move(columns)));
    }
    /// One row with the columns that were asked for: `transform<"features">(row)`.
    ///
    /// `row` is any described struct with the columns that the stages need. No allocation while vectors take 4 KiB in all;
    /// safe from many threads at once.
    template <Name ColumnName, class Request>
    auto transform(const Request& row) const {
        return on_stack<slot_named<ColumnName>()>(row);
    }

    /// The learner's prediction for one row: double for regression, the target's type for classification.
    template <class Request>
    auto predict(const Request& row) const {
        return on_stack<slot_predicted<0>()>(row);
    }
    /// The probability of the second class for one row.
    template <class Request>
    double predict_probability(const Request& row) const {
        return on_stack<slot_predicted<1>()>(row);
    }

    /// Scores rows whose vectors take more than 4 KiB without allocating for each. One scorer a thread; it must not outlive
    /// the model.
    class Scorer {
      public:
        explicit Scorer(const FittedPipeline& model) : model_(&model) {}
        template <class Request>
        auto predict(const Request& row) {
            return in_memory<slot_predicted<0>()>(row);
        }
        template <class Request>
        double predict_probability(const Request& row) {
            return in_memory<slot_predicted<1>()>(row);
        }
        template <Name ColumnName, class Request>
        auto transform(const Request& row) {
            return in_memory<slot_named<ColumnName>()>(row);
        }

      private:
        template <int Slot, class Request>
        auto in_memory(const Request& row) {
            std::byte* aligned = memory_.data() + (64 - reinterpret_cast<std::uintptr_t>(memory_.data()) % 64) % 64;
            RowScratch scratch(aligned, memory_.empty() ? 0 : memory_.size() - 64);
            const auto value = evaluate_row<Row, Nodes, Slot>(*model_->models_, row, scratch);
            if (scratch.wanted_bytes() + 64 > memory_.size()) memory_.resize(scratch.wanted_bytes() + 64);
            return value;
        }
        const FittedPipeline* model_;
        std::vector<std::byte> memory_;
    };
    Scorer scorer() const { return Scorer(*this); }

    /// The fitted part of a stage, named by its type (`get<StandardScale<"features">>()`) or by its place from 1.
    template <class StageType>
    const auto& get() const {
        return stage_at<position_of<StageType>(), wrong::Given<StageType>>();
    }
    template <int Position>
    const auto& stage() const {
        return stage_at<Position, wrong::AtStage<Position>>();
    }

    /// The category with the id that the fit gave it, for rows that are scored often: one past the last where the fit has not
    /// seen it. Errors: UnseenCategory where the stage refuses those.
    template <Name ColumnName>
    Category intern(std::string_view text) const {
        const auto& encoder =
            stage_at<interning_position<ColumnName>(), wrong::Wanted<"an encoder">, wrong::OfColumn<ColumnName>>();
        Category category(text);
        if constexpr (interning_position<ColumnName>() > 0) category.id = encoder.intern(text);
        return category;
    }

    /// The coefficients of the learner, each with the name of its feature: through Assemble and OneHotEncode, "zone=JFK".
    std::vector<NamedCoefficient> coefficients() const {
        static_assert(wrong::unless<predicts<Nodes>,
                                    wrong::PipelineLacksStage<wrong::Wanted<"a learner">, wrong::Given<pipeline_type>>>,
                      "the pipeline has no learner, so no coefficients");
        return named_slots(static_cast<Nodes*>(nullptr)).coefficients;
    }

    /// The names of the elements of a column of vectors, as coefficients() has them; none where they have no names.
    std::vector<std::string> feature_names(std::string_view column) const {
        const int slot = find_slot(Last::data, column);
        return slot < 0 ? std::vector<std::string>{}
                        : named_slots(static_cast<Nodes*>(nullptr)).names[static_cast<std::size_t>(slot)];
    }

    const Models& models() const { return *models_; }
    std::uint64_t seed() const { return seed_; }  ///< of the session that fitted it
    std::int64_t rows() const { return rows_; }   ///< how many rows it was fitted on

  private:
    template <int Slot, class Request>
    auto on_stack(const Request& row) const {
        alignas(64) std::byte bytes[4096];
        RowScratch scratch(bytes, sizeof bytes);
        return evaluate_row<Row, Nodes, Slot>(*models_, row, scratch);
    }
    /// The slot of one of the last learner's outputs, or -1.
    static constexpr int learner_slot(int output) {
        return []<class... N>(Types<N...>*, int wanted) {
            int slot = -1;
            ((slot = std::is_same_v<typename N::StageAt::stage_concept, Predictor> && wanted < N::outputs_each
                         ? N::data.first + wanted
                         : slot),
             ...);
            return slot;
        }(static_cast<Nodes*>(nullptr), output);
    }
    template <int Position, class... Facts>
    const auto& stage_at() const {
        constexpr bool exists = Position >= 1 && Position <= static_cast<int>(sizeof...(Stages));
        static_assert(
            wrong::unless<exists, wrong::PipelineLacksStage<Facts...>>,
            "the pipeline has no such stage: name it as the pipeline does, with its columns, or by its place, "
            "counted from 1");
        if constexpr (!exists) {
            return absorb;
        } else if constexpr (std::tuple_size_v<std::tuple_element_t<Position - 1, Models>> == 1) {
            return std::get<0>(std::get<Position - 1>(*models_));
        } else {
            return std::get<Position - 1>(*models_);  // one a column
        }
    }
    template <Name ColumnName>
    static consteval int slot_named() {
        constexpr int slot = find_slot(Last::data, ColumnName.view());
        static_cast<void>(
            sizeof(ExplainColumn<Last, ColumnName, (slot >= 0), near_slot(Last::data, ColumnName.view())>));
        return slot;
    }
    template <int Output>
    static consteval int slot_predicted() {
        static_cast<void>(sizeof(ExplainPrediction<pipeline_type, predicts<Nodes>, (learner_slot(Output) >= 0)>));
        return learner_slot(Output);
    }
    template <class StageType>
    static constexpr int position_of() {
        int position = 0, at = 0;
        ((++at, position = position == 0 && std::is_same_v<StageType, Stages> ? at : position), ...);
        return position;
    }
    template <Name ColumnName>
    static constexpr int interning_position() {
        int position = 0, at = 0;
        ((
             ++at,
             position = position == 0 && Stages::Inputs::inputs[0].name == ColumnName.view() &&
                                requires(const typename Stages::Model& model) { model.intern(std::string_view()); }
                            ? at
                            : position),
         ...);
        return position;
    }

    /// The names of what each slot holds: of a vector those of its elements, none where they have no names.
    struct NamedSlots {
        std::vector<std::vector<std::string>> names;
        std::vector<NamedCoefficient> coefficients;
    };
    template <class... N>
    NamedSlots named_slots(Types<N...>*) const {
        NamedSlots named;
        for (const ColumnInfo& column : columns_of<Row>)
            named.names.push_back(is_vector(column.type) ? std::vector<std::string>{}
                                                         : std::vector{std::string(column.name)});
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            (name_stage<N>(named, std::get<S>(*models_), std::make_integer_sequence<int, N::instance_count>()), ...);
        }(std::index_sequence_for<N...>());
        return named;
    }
    static constexpr bool is_vector(ColumnType type) {
        return (kind_bit(type.kind) & (dense_vector_kinds | sparse_vector_kinds)) != 0;
    }
    template <class N, class ModelTuple, int... I>
    static void name_stage(NamedSlots& named, const ModelTuple& models, std::integer_sequence<int, I...>) {
        (name_outputs<typename N::StageAt>(named, std::get<static_cast<std::size_t>(I)>(models), instance_facts<N, I>),
         ...);
    }
    template <class StageType, class Model>
    static void name_outputs(NamedSlots& named, const Model& model, const InstanceFacts& facts) {
        std::vector<std::vector<std::string>> inputs;
        for (int slot : facts.inputs) inputs.push_back(named.names[static_cast<std::size_t>(slot)]);
        if constexpr (std::is_same_v<typename StageType::stage_concept, Predictor>) {
            if constexpr (requires { model.coefficients(); }) {
                std::size_t at = 0;
                for (double value : model.coefficients()) {
                    const std::string unnamed =
                        std::string(StageType::Inputs::inputs[0].name) + "[" + std::to_string(at) + "]";
                    named.coefficients.push_back({at < inputs[0].size() ? inputs[0][at] : unnamed, value});
                    ++at;
                }
            }
        }
        for (int output = 0; output < facts.outputs; ++output) {
            const SlotInfo& slot = slot_info(Last::data, facts.first_output + output);
            if constexpr (requires { model.feature_names(std::span<const std::vector<std::string>>()); }) {
                named.names.push_back(model.feature_names(std::span<const std::vector<std::string>>(inputs)));
            } else if constexpr (requires { model.feature_names(std::string_view()); }) {
                named.names.push_back(model.feature_names(slot.name));
            } else if (is_vector(slot.type)) {
                named.names.push_back(inputs.size() == 1 ? inputs[0] : std::vector<std::string>{});
            } else {
                named.names.push_back({std::string(slot.name)});
            }
        }
    }

    std::vector<int> append(Plan& plan, const std::vector<int>& row_slots) const {
        const std::vector<int> base = extend_plan(Last::data, plan, row_slots);
        append_all(plan, base, models_, static_cast<Nodes*>(nullptr));
        std::vector<int> visible;
        for (int slot : FinalTable<Last>::slots) visible.push_back(base[static_cast<std::size_t>(slot)]);
        return visible;
    }
    template <class... N>
    void append_all(Plan& plan, const std::vector<int>& base, const std::shared_ptr<const void>& owner,
                    Types<N...>*) const {
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            (append_stage<N>(plan, base, owner, std::get<S>(*models_),
                             std::make_integer_sequence<int, N::instance_count>()),
             ...);
        }(std::index_sequence_for<N...>());
    }
    template <class N, class ModelTuple, int... I>
    static void append_stage(Plan& plan, const std::vector<int>& base, const std::shared_ptr<const void>& owner,
                             const ModelTuple& models, std::integer_sequence<int, I...>) {
        if constexpr (!is_resampler<typename N::StageAt>)  // which is the identity once it was fitted
            (append_step<N, I>(plan, base, owner, std::get<static_cast<std::size_t>(I)>(models)), ...);
    }

    std::shared_ptr<const Models> models_;
    std::uint64_t seed_ = 0;
    std::int64_t rows_ = 0;
};

template <class PipelineType, class Row>
struct FittedBase {
    static_assert(sizeof(wrong::TypeIsNoPipeline<wrong::Given<PipelineType>>) == 0,
                  "Fitted<P, Row> takes the type of a pipeline, without const or &: "
                  "Fitted<decltype(fare_pipeline()), Trip>, or std::remove_cvref_t<decltype(pipeline)>");
    using type = Absorb;
};
template <class... Stages, class Row>
    requires(!is_table<Row> || LastNode<Row, Stages...>::mistake.cause != Mistake::Cause::none)
struct FittedBase<Pipeline<Stages...>, Row> : ExplainRow<Row, is_table<Row>> {
    using type = Absorb;
};
template <class... Stages, class Row>
    requires(is_table<Row> && LastNode<Row, Stages...>::mistake.cause == Mistake::Cause::none)
struct FittedBase<Pipeline<Stages...>, Row> {
    using type = FittedPipeline<Row, Stages...>;
};

}  // namespace detail

/// A pipeline fitted on rows of type Row: transforms datasets, frames and single rows, predicts, and can be saved and loaded.
/// Copies share the fitted stages. Safe from many threads at once.
template <class PipelineType, class Row>
class Fitted : public detail::FittedBase<PipelineType, Row>::type {
  public:
    using Base = typename detail::FittedBase<PipelineType, Row>::type;
    using Base::Base;
    Fitted() = default;
};

}  // namespace partita::inline PARTITA_ABI
