// SPDX-License-Identifier: Apache-2.0
#pragma once

// A network as the fit and the model have it: its shape, its layers, and what its outputs say of classes.

#include <partita/core/random.hpp>
#include <partita/core/version.hpp>
#include <partita/math/dense_layer.hpp>
#include <partita/math/elementary.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The layers from the features to the outputs: one output for two classes, otherwise one a class.
struct Network {
    Activation activation = Activation::relu;  ///< of all layers but the last
    std::vector<DenseLayer> layers;

    Network() = default;
    Network(Activation activation_, std::span<const std::size_t> widths) : activation(activation_) {
        for (std::size_t l = 0; l + 1 < widths.size(); ++l) layers.emplace_back(widths[l], widths[l + 1]);
    }

    /// Draws the parameters, evenly from ±sqrt(6 / (inputs + outputs)) of the layer.
    /// Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
    void draw(std::uint64_t seed) {
        for (std::size_t l = 0; l < layers.size(); ++l) {
            DenseLayer& layer = layers[l];
            const double bound = __builtin_sqrt(6.0 / static_cast<double>(layer.inputs + layer.outputs));
            const std::uint32_t stream = stream_id("MultilayerPerceptron.parameters") + static_cast<std::uint32_t>(l);
            for (std::size_t i = 0; i <= layer.inputs; ++i) {
                for (std::size_t o = 0; o < layer.outputs; ++o) {
                    const double drawn = 2.0 * uniform(seed, stream, i * layer.outputs + o) - 1.0;
                    layer.parameters[i * layer.stride + o] = static_cast<float>(bound * drawn);
                }
            }
        }
    }

    Activation activation_of(std::size_t layer) const {
        return layer + 1 == layers.size() ? Activation::none : activation;
    }
    std::size_t outputs() const { return layers.back().outputs; }
    std::size_t classes() const { return outputs() == 1 ? 2 : outputs(); }
    /// Room for the features or for the outputs of any layer of one row.
    std::size_t widest() const {
        std::size_t width = padded_width(layers.front().inputs);
        for (const DenseLayer& layer : layers) width = width < layer.stride ? layer.stride : width;
        return width;
    }
    bool finite() const {
        float test = 0;
        for (const DenseLayer& layer : layers)
            for (const float parameter : layer.parameters) test += parameter - parameter;
        return test == 0;
    }
};

/// The probabilities of the classes from the outputs of one row.
/// Gives the log-likelihood's normaliser, which is no number where the outputs are none.
inline double class_probabilities(const float* outputs, std::size_t count, double* probabilities) {
    if (count > 1) return softmax(outputs, count, probabilities);
    const double score = static_cast<double>(outputs[0]);
    probabilities[1] = sigmoid(score);
    probabilities[0] = sigmoid(-score);
    return softplus(score);
}

/// The loss of one row of this class, and in place of the outputs the derivatives of weight times loss by them; `probabilities` is room
/// for one number a class.
inline double class_loss(float* outputs, std::size_t count, std::uint32_t label, double weight, double* probabilities) {
    const double normaliser = class_probabilities(outputs, count, probabilities);
    if (count == 1) {
        const double loss = label == 1 ? softplus(-static_cast<double>(outputs[0])) : normaliser;
        outputs[0] = static_cast<float>(weight * (label == 1 ? -probabilities[0] : probabilities[1]));
        return loss;
    }
    const double loss = normaliser - static_cast<double>(outputs[label]);
    for (std::size_t k = 0; k < count; ++k)
        outputs[k] = static_cast<float>(weight * (k == label ? probabilities[k] - 1.0 : probabilities[k]));
    return loss;
}

}  // namespace partita::inline PARTITA_ABI::detail
