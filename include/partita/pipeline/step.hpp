// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/error.hpp>
#include <partita/data/block.hpp>
#include <partita/pipeline/node.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// An error of a stage's own code says whose it is.
[[gnu::cold]] inline void name_stage(Error& error, const std::string& title) {
    if (error.place().stage.empty()) error.place().stage = title;
}

/// Where a fitted stage stands in a plan, and what it says of itself.
struct StepPlace {
    std::vector<int> inputs, outputs;
    std::string title;
    std::shared_ptr<const void> owner;  ///< of the fitted stages
};

/// A step of a fitted stage, without the stage's type.
class FittedStep : public Step {
  public:
    explicit FittedStep(StepPlace place)
        : Step(std::move(place.inputs), std::move(place.outputs)),
          title_(std::move(place.title)),
          owner_(std::move(place.owner)) {}
    std::string description() const override { return title_; }

  private:
    std::string title_;
    std::shared_ptr<const void> owner_;
};

/// Makes the next step of the plan the one that computes `count` outputs from `first_output` on. `base` maps the pipeline's slots
/// to the plan's.
inline StepPlace place_step(Plan& plan, const std::vector<int>& base, std::span<const int> inputs, int first_output,
                            int count, std::string title, std::shared_ptr<const void> owner) {
    StepPlace place{{}, {}, std::move(title), std::move(owner)};
    for (int slot : inputs) place.inputs.push_back(base[static_cast<std::size_t>(slot)]);
    for (int output = first_output; output < first_output + count; ++output) {
        const int slot = base[static_cast<std::size_t>(output)];
        place.outputs.push_back(slot);
        plan.slots[static_cast<std::size_t>(slot)].step = static_cast<int>(plan.steps.size());
    }
    return place;
}
/// Takes the step over.
inline void add_step(Plan& plan, const Step* step) {
    std::shared_ptr<const Step> owned(step);
    plan.steps.push_back(std::move(owned));
}

/// A fitted stage at work on blocks. Compiled once per model and column types, whatever the pipeline around it.
template <class Model, class InputTypes, class OutputTypes>
class ModelStep;
template <class Model, class... V, class... O>
class ModelStep<Model, Types<V...>, Types<O...>> final : public FittedStep {
  public:
    ModelStep(StepPlace place, const Model& model) : FittedStep(std::move(place)), model_(model) {}

    void run(Block& block) const override { read(block, std::index_sequence_for<V...>()); }

  private:
    template <std::size_t... I>
    void read(Block& block, std::index_sequence<I...>) const {
        write(block, std::index_sequence_for<O...>(), block.template view<V>(inputs()[I])...);
    }
    template <std::size_t... J>
    void write(Block& block, std::index_sequence<J...>, const ColumnView<V>&... views) const {
        try {  // what the views are computed from names itself
            const std::size_t width = output_width(model_, views...);
            model_(views..., block.template output<O>(outputs()[J], width)...);
        } catch (Error& error) {
            name_stage(error, description());
            throw;
        }
    }

    const Model& model_;
};

/// A stage's title, with the column of an instance where a selector chose several.
inline std::string title_at_column(std::string title, std::string_view column) {
    if (!column.empty()) title.append(" at column \"").append(column).append("\"");
    return title;
}
template <class N, int... I>
std::string_view column_of_instance(int instance, std::integer_sequence<int, I...>) {
    constexpr std::string_view names[] = {N::template InstanceAt<I>::output_name(0)...};
    return names[instance];
}
template <class N>
std::string instance_title(int instance) {
    if constexpr (N::columnwise) {
        return title_at_column(stage_title<typename N::StageAt>(),
                               column_of_instance<N>(instance, std::make_integer_sequence<int, N::instance_count>()));
    } else {
        return stage_title<typename N::StageAt>();
    }
}
/// The same for a stage at work on a row, where its title is made only for an error.
[[gnu::cold, gnu::noinline]] inline void name_stage(Error& error, std::string (*title)(int), int instance) {
    name_stage(error, title(instance));
}

}  // namespace partita::inline PARTITA_ABI::detail
