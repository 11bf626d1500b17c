// SPDX-License-Identifier: Apache-2.0
#pragma once

// One layer of a network, outputs = activation(inputs · weights + bias), on small batches of rows: forward, backward, and the
// steps of its parameters.

#include <partita/core/version.hpp>
#include <partita/math/simd/dense_tiles.hpp>

#include <cstddef>
#include <cstdint>

namespace partita::inline PARTITA_ABI::detail {

/// Rows of float are padded to this many, and not to a width at which the rows of a tile fall on the same cache lines.
constexpr std::size_t padded_width(std::size_t width) {
    const std::size_t padded = (width + 15) / 16 * 16;
    return padded % 512 == 0 ? padded + 16 : padded;
}

/// What follows the sums of a layer.
enum class Activation { relu, tanh, none };

/// The parameters of a layer: parameters[i·stride + o] leads from input i to output o, row `inputs` is the bias. What is beyond
/// the outputs is 0.
struct DenseLayer {
    std::size_t inputs = 0, outputs = 0, stride = 0;
    AlignedVector<float> parameters;

    DenseLayer() = default;
    DenseLayer(std::size_t inputs_, std::size_t outputs_)
        : inputs(inputs_), outputs(outputs_), stride(padded_width(outputs_)), parameters((inputs_ + 1) * stride) {}

    const float* bias() const { return parameters.data() + inputs * stride; }
    /// The outputs, filled up to whole lanes.
    std::size_t columns() const { return (outputs + 15) / 16 * 16; }
};

/// outputs[r·layer.stride …] = activation(inputs[r·input_stride …] · weights + bias) for so many rows.
/// Determinism: a row's result does not depend on the others.
inline void forward(const DenseLayer& layer, Activation activation, const float* inputs, std::size_t input_stride,
                    std::size_t rows, float* outputs) {
    const std::size_t columns = layer.columns();
    product_into({inputs, rows, layer.inputs, input_stride, 1},
                 {layer.parameters.data(), columns, layer.stride, layer.bias()}, outputs, layer.stride);
    for (std::size_t r = 0; r < rows && activation != Activation::none; ++r) {
        float* row = outputs + r * layer.stride;
        if (activation == Activation::relu) {
            for (std::size_t c = 0; c < columns; c += 16)  // in this order NaN stays NaN
                maximum(Floats16(0.0f), Floats16::load(row + c)).store(row + c);
        } else {
            for (std::size_t c = 0; c < columns; c += 8) {
                double values[8];
                tanh_of(Doubles8::load(row + c)).store(values);
                for (std::size_t i = 0; i < 8; ++i) row[c + i] = static_cast<float>(values[i]);
            }
        }
    }
}

/// The derivative of the activation at its own `values`, multiplied into `deltas`; both have `stride` numbers a row.
inline void multiply_by_slopes(Activation activation, const float* values, float* deltas, std::size_t rows,
                               std::size_t width, std::size_t stride) {
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = r * stride; c < r * stride + width; c += 16) {
            const Floats16 value = Floats16::load(values + c), delta = Floats16::load(deltas + c);
            if (activation == Activation::relu) select(value > Floats16(0.0f), delta, Floats16(0.0f)).store(deltas + c);
            else if (activation == Activation::tanh) (delta * fused(-value, value, Floats16(1.0f))).store(deltas + c);
        }
    }
}

/// to[o·stride + i] = from[i·layer.stride + o]: the weights as the backward pass reads them.
inline void transpose_weights(const DenseLayer& layer, float* to, std::size_t stride) {
    for (std::size_t i = 0; i < layer.inputs; i += 16) {
        const std::size_t end = i + 16 < layer.inputs ? i + 16 : layer.inputs;
        for (std::size_t o = 0; o < layer.outputs; ++o)
            for (std::size_t k = i; k < end; ++k) to[o * stride + k] = layer.parameters[k * layer.stride + o];
    }
}

/// How parameters are moved along their gradient.
struct StepRule {
    bool adam = true, nesterov = true;
    float rate = 0, l2 = 0;                   ///< of this step; adam's with the corrections of its beginning
    float first_decay = 0, second_decay = 0;  ///< of the mean gradient (SGD: momentum) and the mean square
    float epsilon = 0;
};

/// One step of `size` parameters, a multiple of 16. `first` and `second` are the rule's memory.
/// Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, section 2; Sutskever et al., On the importance of
/// initialization and momentum in deep learning, 2013.
inline void take_step(const StepRule& rule, std::size_t size, const float* gradients, float* parameters, float* first,
                      float* second) {
    const Floats16 rate(rule.rate), l2(rule.l2), decay(rule.first_decay), square_decay(rule.second_decay);
    const Floats16 rest(1.0f - rule.first_decay), square_rest(1.0f - rule.second_decay), epsilon(rule.epsilon);
    for (std::size_t i = 0; i < size; i += 16) {
        const Floats16 parameter = Floats16::load(parameters + i);
        const Floats16 gradient = fused(l2, parameter, Floats16::load(gradients + i));
        if (rule.adam) {
            const Floats16 mean = fused(decay, Floats16::load(first + i), rest * gradient);
            const Floats16 square =
                fused(square_decay, Floats16::load(second + i), square_rest * (gradient * gradient));
            mean.store(first + i);
            square.store(second + i);
            fused(-rate, mean / (square_root(square) + epsilon), parameter).store(parameters + i);
        } else {
            const Floats16 velocity = fused(decay, Floats16::load(first + i), -(rate * gradient));
            velocity.store(first + i);
            const Floats16 step = rule.nesterov ? fused(decay, velocity, -(rate * gradient)) : velocity;
            (parameter + step).store(parameters + i);
        }
    }
}

/// probabilities[k] = exp(scores[k]) / Σ exp(scores), and the logarithm of that sum.
inline double softmax(const float* scores, std::size_t classes, double* probabilities) {
    float largest = scores[0];
    for (std::size_t k = 1; k < classes; ++k) largest = scores[k] > largest ? scores[k] : largest;
    Doubles8 total;
    for (std::size_t k = 0; k < classes; k += 8) {
        const std::size_t count = classes - k < 8 ? classes - k : 8;
        const Doubles8 power = exp(Doubles8::load(scores + k, count) - Doubles8(static_cast<double>(largest)));
        power.store(probabilities + k, count);
        total = total + Doubles8::load(probabilities + k, count);
    }
    const double all = sum(total);
    for (std::size_t k = 0; k < classes; ++k) probabilities[k] /= all;
    return static_cast<double>(largest) + log(all);
}

}  // namespace partita::inline PARTITA_ABI::detail
