// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/rows_that_count.hpp>
#include <partita/pipeline/fit_task.hpp>
#include <partita/pipeline/fitted.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

template <std::size_t Count>
std::array<int, Count> mapped(const std::vector<int>& base, std::array<int, Count> slots) {
    for (int& slot : slots) slot = base[static_cast<std::size_t>(slot)];
    return slots;
}

/// `fit_inputs` are the pipeline's slots, which `base` maps to the plan's.
template <class StageType, class Model, class... V>
[[gnu::noinline]] void add_task(std::vector<std::unique_ptr<FitTask>>& tasks, const std::vector<int>& base,
                                const StageType& stage, Model& model, const std::array<int, sizeof...(V)>& fit_inputs,
                                std::string (*title)(int), int instance, Types<V...>) {
    using Summary = typename SummaryOf<StageType, V...>::type;
    std::unique_ptr<FitTask> task;
    if constexpr (std::is_void_v<Summary>) {
        task.reset(new AloneTask<StageType, Model, V...>(stage, model, title(instance), mapped(base, fit_inputs)));
    } else {
        task.reset(
            new SummaryTask<StageType, Model, Summary, V...>(stage, model, title(instance), mapped(base, fit_inputs)));
    }
    tasks.push_back(std::move(task));
}

template <class N>
std::string stage_title_at() {
    return stage_title<typename N::StageAt>();
}

/// In which pass each stage is fitted: estimators that do not depend on each other share one. 0 for what learns nothing.
/// Estimators behind a resampler wait for all before it.
template <class... N>
struct FitLevels {
    struct Levels {
        std::array<int, sizeof...(N)> fit{}, resample{};
        int last = 0;
    };
    template <class Node, std::size_t Slots>
    static constexpr void add(Levels& levels, std::array<int, Slots>& of_slot, int stage, int& floor) {
        const auto at = static_cast<std::size_t>(stage);
        int input_level = 0, fit_level = 0;
        for (int i = 0; i < Node::Failed::read.count; ++i)
            input_level = std::max(input_level, of_slot[static_cast<std::size_t>(Node::Failed::read.slots[i])]);
        for (int i = 0; i < Node::Failed::fit_read.count; ++i)
            fit_level = std::max(fit_level, of_slot[static_cast<std::size_t>(Node::Failed::fit_read.slots[i])]);
        levels.resample[at] = -1;
        int output_level = input_level;
        if (is_estimator<typename Node::StageAt>) {
            levels.fit[at] = std::max(floor, fit_level) + 1;
            levels.last = std::max(levels.last, levels.fit[at]);
            output_level = std::max(input_level, levels.fit[at]);
        } else if (is_resampler<typename Node::StageAt>) {
            floor = std::max(levels.last, input_level);
            levels.resample[at] = floor;
        }
        for (int i = 0; i < Node::data.added_count; ++i)
            of_slot[static_cast<std::size_t>(Node::data.first + i)] = output_level;
    }
    static constexpr Levels value = [] {
        Levels levels;
        std::array<int, static_cast<std::size_t>((slot_count(N::data), ...))> of_slot{};
        int stage = 0, floor = 0;
        (add<N>(levels, of_slot, stage++, floor), ...);
        return levels;
    }();
};

/// Fits a pipeline without leaving out the rows of weight 0 first, so that its stages see them, as they do behind a resampler.
struct FitWithAbsentRows {
    template <class Row, class... Stages>
    static auto fit(const Pipeline<Stages...>& pipeline, const Dataset<Row, Train>& data) {
        using Last = LastNode<Row, Stages...>;
        return pipeline.template fit_nodes<Row, Last>(data, data.state(),
                                                      static_cast<typename NodeList<Last>::type*>(nullptr));
    }
};

/// A resampler as a step: the rows' weights times how often it wants each row.
template <class StageType, class Values>
class ResampleStep;
template <class StageType, class... V>
class ResampleStep<StageType, Types<V...>> final : public Step {
  public:
    ResampleStep(const StageType& stage, std::vector<int> inputs, int output, int weight_slot)
        : Step(std::move(inputs), {output}), stage_(stage), weight_slot_(weight_slot) {}
    void run(Block& block) const override {
        std::vector<std::int64_t> ids(block.rows());
        for (std::size_t row = 0; row < ids.size(); ++row) ids[row] = block.row_id(row);
        const std::span<double> counts = block.template output<double>(outputs()[0]);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            stage_(block.template view<V>(inputs()[I])..., std::span<const std::int64_t>(ids), counts);
        }(std::index_sequence_for<V...>());
        if (weight_slot_ < 0) return;
        const Weights weights = block.weights_in(weight_slot_);
        for (std::size_t row = 0; row < counts.size(); ++row) counts[row] *= weights[row];
    }
    std::string description() const override { return stage_title<StageType>(); }

  private:
    StageType stage_;
    int weight_slot_;
};

}  // namespace detail

/// Stages in the order in which data flow through them: what `a | b | c` makes. The type lists the stages; settings are the
/// stages' public members.
template <class... Stages>
struct Pipeline {
    std::tuple<Stages...> stages;

    /// Fits every estimator on training data, in the fewest passes: estimators that do not depend on each other share one.
    ///
    /// Rows of weight 0 are absent, whatever they hold: no stage sees them.
    /// Errors: the typed errors of the stages, InvalidSetting, EmptyDataset. Determinism: the same model, bit for bit, for any
    /// number of threads and workers, any policy and any chunks. A collective: every worker calls it.
    template <class Data>
    auto fit(const Data& data) const {
        if constexpr (!requires { typename Data::role_type; }) {
            static_assert(sizeof(wrong::FitNeedsTrainingData<wrong::Given<Data>>) == 0,
                          "fit takes a Dataset whose role is Train");
            return detail::Absorb{};
        } else if constexpr (!std::is_same_v<typename Data::role_type, Train>) {
            static_assert(sizeof(wrong::FitNeedsTrainingData<wrong::Given<typename Data::role_type>>) == 0,
                          "fit takes training data only: split the dataset first (split_by_time, split_at_random), or "
                          "say as_train if it comes already split");
            return detail::Absorb{};
        } else {
            using Row = typename Data::row_type;
            using Last = detail::LastNode<Row, Stages...>;
            if constexpr (Last::mistake.cause != detail::Mistake::Cause::none) {
                static_cast<void>(sizeof(detail::Explanation<Last>));
                return detail::Absorb{};
            } else {
                return fit_nodes<Row, Last>(data, detail::rows_that_count(data.state()),
                                            static_cast<typename detail::NodeList<Last>::type*>(nullptr));
            }
        }
    }

    /// A copy with one setting changed, named by its member pointer: `with(&LinearRegression<"x", "y">::l2, 0.1)`.
    template <class StageType, class Setting, class Value>
    Pipeline with(Setting StageType::* setting, Value value) const {
        Pipeline copy = *this;
        if constexpr ((std::is_same_v<StageType, Stages> || ...)) {
            std::get<StageType>(copy.stages).*setting = static_cast<Setting>(value);
        } else {
            static_assert(sizeof(wrong::SettingOfAnotherStage<wrong::Given<StageType>>) == 0,
                          "the pipeline has no such stage, so none with this setting");
        }
        return copy;
    }

    /// The passes that a fit on a table of this row type makes, as text.
    template <class Row>
    std::string explain() const {
        static_cast<void>(sizeof(detail::ExplainRow<Row, detail::is_table<Row>>));
        if constexpr (detail::is_table<Row>) {
            using Last = detail::LastNode<Row, Stages...>;
            if constexpr (Last::mistake.cause == detail::Mistake::Cause::none) {
                return explain_nodes(static_cast<typename detail::NodeList<Last>::type*>(nullptr));
            } else {
                static_cast<void>(sizeof(detail::Explanation<Last>));
            }
        }
        return {};
    }

  private:
    friend detail::FitWithAbsentRows;

    template <class... N>
    std::string explain_nodes(detail::Types<N...>*) const {
        constexpr auto levels = detail::FitLevels<N...>::value;
        std::string text;
        const std::string titles[] = {detail::stage_title_at<N>()...};
        for (int level = 1; level <= levels.last; ++level) {
            text += "pass " + std::to_string(level) + ":";
            for (std::size_t stage = 0; stage < sizeof...(N); ++stage)
                if (levels.fit[stage] == level) text += " fit " + titles[stage] + ";";
            text += "\n";
        }
        return text;
    }

    template <class Row, class Last, class Data, class... N>
    auto fit_nodes(const Data& data, DatasetState state, detail::Types<N...>*) const {
        using Result = Fitted<Pipeline, Row>;
        using Models = typename Result::Models;
        constexpr auto levels = detail::FitLevels<N...>::value;
        constexpr auto each_stage = std::index_sequence_for<Stages...>();

        [&]<std::size_t... S>(std::index_sequence<S...>) {
            (detail::in_stage(stage_title<Stages>(), [&] { detail::validate_settings(std::get<S>(stages)); }), ...);
        }(each_stage);
        const std::int64_t rows = data.count();
        if (rows == 0) throw EmptyDataset("fit was given no rows; check what was read, filtered and split before it");

        auto models = std::make_shared<Models>();
        const std::shared_ptr<const void> owner = models;
        const std::vector<int> base = detail::extend_plan(Last::data, state.plan, data.slots());
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            (prepare<N>(state.plan, base, owner, std::get<S>(*models), std::get<S>(stages)), ...);
        }(each_stage);
        for (int level = 0; level <= levels.last; ++level) {
            std::vector<std::unique_ptr<detail::FitTask>> tasks;
            [&]<std::size_t... S>(std::index_sequence<S...>) {
                ((levels.fit[S] == level ? add_tasks<N>(tasks, base, std::get<S>(*models), std::get<S>(stages))
                                         : void()),
                 ...);
            }(each_stage);
            if constexpr (detail::predicts<detail::Types<N...>>) {
                try {
                    detail::fit_level(state, tasks);
                } catch (Error& error) {
                    if (error.place().element >= 0)  // the stages before the one that failed are fitted
                        detail::name_element(error, Result(models, 0, 0).feature_names(error.place().column));
                    throw;
                }
            } else {
                detail::fit_level(state, tasks);
            }
            [&]<std::size_t... S>(std::index_sequence<S...>) {
                ((levels.resample[S] == level ? resample<N>(state.plan, base, std::get<S>(stages)) : void()), ...);
            }(each_stage);
        }
        return Result(std::move(models), data.session().seed(), rows);
    }

    /// Puts the stage's steps behind the plan. An estimator's are pulled only after it was fitted.
    template <class N, class StageModels, class StageType>
    static void prepare(Plan& plan, const std::vector<int>& base, const std::shared_ptr<const void>& owner,
                        StageModels& models, const StageType& stage) {
        if constexpr (!detail::is_estimator<StageType>) std::get<0>(models) = stage;
        if constexpr (!detail::is_resampler<StageType>) {
            [&]<int... I>(std::integer_sequence<int, I...>) {
                (detail::append_step<N, I>(plan, base, owner, std::get<static_cast<std::size_t>(I)>(models)), ...);
            }(std::make_integer_sequence<int, N::instance_count>());
        }
    }

    template <class N, class StageModels, class StageType>
    static void add_tasks(std::vector<std::unique_ptr<detail::FitTask>>& tasks, const std::vector<int>& base,
                          StageModels& models, const StageType& stage) {
        if constexpr (detail::is_estimator<StageType>) {
            [&]<int... I>(std::integer_sequence<int, I...>) {
                (detail::add_task(tasks, base, stage, std::get<static_cast<std::size_t>(I)>(models),
                                  N::template InstanceAt<I>::fit_inputs, &detail::instance_title<N>, I,
                                  typename N::template InstanceAt<I>::FitValues{}),
                 ...);
            }(std::make_integer_sequence<int, N::instance_count>());
        }
    }

    template <class N, class StageType>
    static void resample(Plan& plan, const std::vector<int>& base, const StageType& stage) {
        if constexpr (detail::is_resampler<StageType>) {
            using At = typename N::template InstanceAt<0>;
            const auto slots = detail::mapped(base, At::inputs);
            const int output = static_cast<int>(plan.slots.size());
            plan.slots.push_back(
                {"the resampled weight", column_type<double>, -1, static_cast<int>(plan.steps.size())});
            plan.steps.push_back(std::make_shared<detail::ResampleStep<StageType, typename At::Values>>(
                stage, std::vector<int>(slots.begin(), slots.end()), output, plan.weight_slot));
            plan.weight_slot = output;
        }
    }
};

template <Stage A, Stage B>
Pipeline<A, B> operator|(A a, B b) {
    return {{std::move(a), std::move(b)}};
}
template <class... Stages, Stage Next>
Pipeline<Stages..., Next> operator|(Pipeline<Stages...> head, Next next) {
    return {std::tuple_cat(std::move(head.stages), std::tuple<Next>(std::move(next)))};
}
template <Stage First, class... Stages>
Pipeline<First, Stages...> operator|(First first, Pipeline<Stages...> tail) {
    return {std::tuple_cat(std::tuple<First>(std::move(first)), std::move(tail.stages))};
}
template <class... Stages, class... More>
Pipeline<Stages..., More...> operator|(Pipeline<Stages...> head, Pipeline<More...> tail) {
    return {std::tuple_cat(std::move(head.stages), std::move(tail.stages))};
}

/// The same as `a | b | c`; for stages of your own namespace only, where the operator is not found.
template <class... Stages>
Pipeline<Stages...> pipeline(Stages... stages) {
    static_assert((Stage<Stages> && ...),
                  "pipeline takes stages: structs with an alias stage_concept, an id and Inputs");
    return {std::tuple<Stages...>(std::move(stages)...)};
}

}  // namespace partita::inline PARTITA_ABI
