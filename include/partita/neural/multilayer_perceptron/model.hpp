// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/output_view.hpp>
#include <partita/neural/multilayer_perceptron/network.hpp>
#include <partita/neural/multilayer_perceptron/rows.hpp>
#include <partita/persist/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The fitted network. Its layers are `features`, the hidden ones, and one output for two classes (the log-odds of the second) or
/// one a class (of which the softmax gives probabilities).
template <class Label>
class MultilayerPerceptronModel {
  public:
    /// The classes in order.
    const std::vector<Label>& classes() const { return classes_; }
    /// The layers after the features; the last is the outputs.
    std::size_t layers() const { return network_.layers.size(); }
    /// How many numbers go into a layer, from 0, and come out of it.
    std::size_t inputs(std::size_t layer) const { return network_.layers.at(layer).inputs; }
    std::size_t outputs(std::size_t layer) const { return network_.layers.at(layer).outputs; }
    /// What an output of a layer takes of an input.
    float weight(std::size_t layer, std::size_t input, std::size_t output) const {
        return network_.layers.at(layer).parameters[input * network_.layers[layer].stride + output];
    }
    float bias(std::size_t layer, std::size_t output) const { return network_.layers.at(layer).bias()[output]; }
    /// The mean loss of the training rows in every epoch, each row by the parameters at its turn, without the penalty.
    const std::vector<double>& loss_history() const { return loss_history_; }
    /// Whether the loss no longer fell when the fit ended, rather than that the epochs were used up.
    bool converged() const { return converged_; }

    void validate() const {
        if (classes_.size() < 2) throw ModelFileInvalid("there are fewer than two classes");
        for (std::size_t k = 0; k + 1 < classes_.size(); ++k)
            if (!(classes_[k] < classes_[k + 1])) throw ModelFileInvalid("the classes are not in order");
        if (network_.layers.empty()) throw ModelFileInvalid("there are no layers");
        for (std::size_t l = 0; l + 1 < network_.layers.size(); ++l)
            if (network_.layers[l].outputs != network_.layers[l + 1].inputs)
                throw ModelFileInvalid("a layer takes other numbers than the one before gives");
        if (network_.classes() != classes_.size()) throw ModelFileInvalid("the outputs are not those of the classes");
        if (!network_.finite()) throw ModelFileInvalid("a weight is not finite");
    }

    void save(ModelWriter& writer) const {
        writer.scalar("activation", static_cast<std::int32_t>(network_.activation));
        writer.scalar("layers", static_cast<std::int64_t>(network_.layers.size()));
        for (std::size_t l = 0; l < network_.layers.size(); ++l) {
            const detail::DenseLayer& layer = network_.layers[l];
            const NameScope scope = writer.scope("layer" + std::to_string(l + 1));
            std::vector<float> weights;
            for (std::size_t i = 0; i < layer.inputs; ++i)
                for (std::size_t o = 0; o < layer.outputs; ++o) weights.push_back(weight(l, i, o));
            writer.tensor("weights", weights, {layer.inputs, layer.outputs});
            writer.vector("bias", std::vector<float>(layer.bias(), layer.bias() + layer.outputs));
        }
        if constexpr (std::is_same_v<Label, std::string>) writer.texts("classes", classes_);
        else writer.vector("classes", classes_);
        writer.vector("loss_history", loss_history_);
        writer.scalar("converged", converged_);
    }
    void load(ModelReader& reader) {
        const auto activation = reader.scalar<std::int32_t>("activation");
        if (activation != static_cast<std::int32_t>(detail::Activation::relu) &&
            activation != static_cast<std::int32_t>(detail::Activation::tanh))
            reader.invalid("\"activation\" is " + std::to_string(activation) + ", which is none");
        network_.activation = static_cast<detail::Activation>(activation);
        const auto layers = reader.scalar<std::int64_t>("layers");
        network_.layers.clear();
        for (std::int64_t l = 0; l < layers; ++l) {  // ends with the file: every layer takes tensors of its own
            const NameScope scope = reader.scope("layer" + std::to_string(l + 1));
            const Tensor<float> weights = reader.tensor<float>("weights");
            const std::vector<float> bias = reader.vector<float>("bias");
            if (weights.shape.size() != 2) reader.malformed("the weights of a layer are no matrix");
            if (bias.empty() || weights.shape[1] != bias.size() || weights.shape[0] == 0)
                reader.invalid("the weights and the bias of a layer do not fit each other");
            detail::DenseLayer layer(weights.shape[0], weights.shape[1]);
            for (std::size_t i = 0; i < layer.inputs; ++i)
                std::copy_n(weights.values.data() + i * layer.outputs, layer.outputs,
                            layer.parameters.data() + i * layer.stride);
            std::copy(bias.begin(), bias.end(), layer.parameters.data() + layer.inputs * layer.stride);
            network_.layers.push_back(std::move(layer));
        }
        if constexpr (std::is_same_v<Label, std::string>) classes_ = reader.texts("classes");
        else classes_ = reader.vector<double>("classes");
        loss_history_ = reader.vector<double>("loss_history");
        converged_ = reader.scalar<bool>("converged");
    }

  protected:
    void assign(detail::Network network, std::vector<Label> classes, std::vector<double> loss_history, bool converged) {
        network_ = std::move(network);
        classes_ = std::move(classes);
        loss_history_ = std::move(loss_history);
        converged_ = converged;
    }

    template <class View, class Out>
    void apply(const View& features, Out& predictions, std::span<double> scores, MatrixView<double> probabilities,
               std::string_view column) const {
        const std::size_t width = detail::feature_width(features), rows = scores.size();
        if (width != network_.layers.front().inputs)
            detail::refuse_width(column, width, network_.layers.front().inputs);
        constexpr std::size_t tile_rows = 32, stack_floats = detail::padded_width(1024);
        const std::size_t room = network_.widest();
        alignas(64) float on_stack[2 * stack_floats];
        detail::AlignedVector<float> memory;
        float *from = on_stack, *to = on_stack + stack_floats;
        if (rows > 1 || room > stack_floats) {
            memory.resize(2 * room * std::min(rows, tile_rows));
            from = memory.data();
            to = from + memory.size() / 2;
        }
        const std::size_t stride = detail::padded_width(width);
        for (std::size_t first = 0; first < rows; first += tile_rows) {
            const std::size_t count = std::min(tile_rows, rows - first);
            for (std::size_t r = 0; r < count; ++r) {
                const std::int64_t bad = detail::write_row(features, first + r, from + r * stride);
                if (bad >= 0)
                    detail::refuse_features(column, "the features", static_cast<std::int64_t>(first + r), bad);
            }
            std::size_t from_stride = stride;
            for (std::size_t l = 0; l < network_.layers.size(); ++l) {
                detail::forward(network_.layers[l], network_.activation_of(l), from, from_stride, count, to);
                from_stride = network_.layers[l].stride;
                std::swap(from, to);
            }
            for (std::size_t r = 0; r < count; ++r)
                classify(from + r * from_stride, first + r, predictions, scores[first + r], probabilities[first + r],
                         column);
        }
    }

  private:
    template <class Out>
    void classify(const float* outputs, std::size_t row, Out& predictions, double& score, std::span<double> each,
                  std::string_view column) const {
        const double normaliser = detail::class_probabilities(outputs, network_.outputs(), each.data());
        if (!(normaliser - normaliser == 0)) {
            Place place;
            place.row = static_cast<std::int64_t>(row);
            place.column = std::string(column);
            throw NumericOverflow(
                "the network's outputs are not finite for these features, which are larger than those "
                "it was fitted on by far; scale them by StandardScale, or filter such rows",
                place);
        }
        const std::size_t best = static_cast<std::size_t>(std::max_element(each.begin(), each.end()) - each.begin());
        score = each.size() == 2 ? each[1] : each[best];
        const Label& label = classes_[best];
        if constexpr (std::is_same_v<Label, std::string>) {
            predictions.set(row, label);
        } else {
            predictions[row] = static_cast<std::remove_reference_t<decltype(predictions[row])>>(label);
        }
    }

    detail::Network network_;
    std::vector<Label> classes_;
    std::vector<double> loss_history_;
    bool converged_ = false;
};

}  // namespace partita::inline PARTITA_ABI
