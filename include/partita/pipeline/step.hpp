// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/pipeline/node.hpp>
#include <partita/data/block.hpp>

#include <memory>
#include <tuple>

namespace partita::inline PARTITA_ABI::detail {

template <class List>
struct OutputValues;
template <class... Written>
struct OutputValues<Columns<Written...>> {
    using type = Types<typename Written::value_type...>;
};

/// A fitted stage at work on blocks. Compiled once per model and column types, whatever the pipeline around it.
template <class Model, class InputTypes, class OutputTypes>
class ModelStep;
template <class Model, class... V, class... O>
class ModelStep<Model, Types<V...>, Types<O...>> final : public Step {
  public:
    ModelStep(std::shared_ptr<const Model> model, std::string title, std::vector<int> inputs, std::vector<int> outputs)
        : Step(std::move(inputs), std::move(outputs)), model_(std::move(model)), title_(std::move(title)) {}

    void run(Block& block) const override { run(block, std::index_sequence_for<V...>(), std::index_sequence_for<O...>()); }
    std::string description() const override { return title_; }

  private:
    template <std::size_t... I, std::size_t... J>
    void run(Block& block, std::index_sequence<I...>, std::index_sequence<J...>) const {
        const std::tuple<ColumnView<V>...> views{block.template view<V>(inputs()[I])...};
        const std::size_t                  width = output_width(*model_, std::get<I>(views)...);
        (*model_)(std::get<I>(views)..., block.template output<O>(outputs()[J], width)...);
    }

    std::shared_ptr<const Model> model_;
    std::string                  title_;
};

}  // namespace partita::inline PARTITA_ABI::detail
