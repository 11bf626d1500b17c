// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fit of a network: batch after batch forward, backward layer by layer while the gradients of the layers behind travel, and a
// step that all workers take alike.

#include <partita/comm/checkpoints.hpp>
#include <partita/comm/pending_reductions.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/fused.hpp>
#include <partita/neural/multilayer_perceptron/gradient_sums.hpp>
#include <partita/neural/multilayer_perceptron/network.hpp>
#include <partita/neural/multilayer_perceptron/rows.hpp>

#include <optional>

namespace partita::inline PARTITA_ABI::detail {

/// What a fit is told, without the names of the pipeline's types.
struct NetworkPlan {
    Activation activation = Activation::relu;
    std::vector<std::size_t> hidden;
    bool adam = true, nesterov = true;
    double learning_rate = 0, first_decay = 0, second_decay = 0, epsilon = 0, l2 = 0;
    std::size_t batch_rows = 0;
    int max_epochs = 0, patience = 0;
    double tolerance = 0;
    std::uint64_t seed = 0;

    FitIdentity identity(std::string_view features, std::string_view target) const {
        FitIdentity identity("MultilayerPerceptron");
        identity.add("activation", activation).add("adam", adam).add("nesterov", nesterov);
        for (const std::size_t width : hidden) identity.add("hidden", width);
        identity.add("learning_rate", learning_rate).add("first_decay", first_decay).add("second_decay", second_decay);
        identity.add("epsilon", epsilon).add("l2", l2).add("batch_rows", batch_rows).add("tolerance", tolerance);
        identity.add("patience", patience)
            .add("max_epochs", max_epochs)
            .add("seed", seed)
            .add("features", features)
            .add("target", target);
        return identity;
    }
};

/// What a fit found.
struct NetworkFit {
    Network network;
    std::vector<double> history;  ///< the mean loss of each epoch
    bool converged = false;
};

/// All that the next epoch stands on, as a checkpoint has it. Layers are vectors with their padding.
struct NetworkState {
    std::vector<double> history;
    double best = HUGE_VAL, first_power = 1, second_power = 1;
    std::int32_t stale = 0;
    std::vector<std::vector<float>> parameters, first, second;
    std::vector<std::int32_t> exponents;  ///< of the units that gradients are summed in
    BOOST_DESCRIBE_CLASS(NetworkState, (),
                         (history, best, first_power, second_power, stale, parameters, first, second, exponents), (),
                         ())
};

class NetworkTrainer {
  public:
    NetworkTrainer(Session& session, const NetworkRows& rows, std::size_t classes, const NetworkPlan& plan)
        : session_(session),
          rows_(rows),
          plan_(plan),
          grid_(session, rows, plan.batch_rows, plan.seed),
          units_(grid_.parts_of_batch(), static_cast<double>(grid_.part_rows()) * rows.heaviest_weight),
          reductions_(session.communicator()) {
        std::vector<std::size_t> widths{rows.width};
        widths.insert(widths.end(), plan.hidden.begin(), plan.hidden.end());
        widths.push_back(classes == 2 ? 1 : classes);
        network_ = Network(plan.activation, widths);
        network_.draw(plan.seed);
        for (const DenseLayer& layer : network_.layers) layers_.emplace_back(layer, session.threads());
        for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l].refresh(network_.layers[l]);
        parts_.resize(std::min<std::size_t>(grid_.parts_of_batch(), 16 * session.threads()));
        probabilities_.resize(session.threads());
        for (auto& room : probabilities_) room.resize(classes);
    }

    NetworkFit fit(FunctionRef<FitIdentity()> identify) {
        const ProgressScope progress(session_.progress(), "MultilayerPerceptron",
                                     static_cast<std::uint64_t>(plan_.max_epochs) * grid_.batches());
        Checkpoints checkpoints(session_, identify);
        NetworkState state;
        if (checkpoints.resume(state, [&](const NetworkState& read) { return fits(read); })) take_up(state);
        while (state.history.size() < static_cast<std::size_t>(plan_.max_epochs) && state.stale < plan_.patience) {
            const double loss = learn_epoch(static_cast<std::uint32_t>(state.history.size()));
            state.history.push_back(loss);
            state.stale = loss > state.best - plan_.tolerance ? state.stale + 1 : 0;
            state.best = std::min(state.best, loss);
            const auto epochs = static_cast<std::int64_t>(state.history.size());
            if (!checkpoints.due(epochs)) continue;
            hand_over(state);
            checkpoints.keep(epochs, state);
        }
        return {std::move(network_), std::move(state.history), state.stale >= plan_.patience};
    }

    /// The gradient of the mean loss over a batch's rows, layer by layer, as (inputs + 1) x outputs; for tests.
    std::vector<std::vector<double>> gradient_of_batch(std::uint32_t epoch, std::size_t batch) {
        grid_.shuffle(session_.pool(), epoch);
        compute_batch(batch);
        std::vector<std::vector<double>> all;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const double unit = layers_[l].sums.unit() / weight_;
            const auto words = layers_[l].sums.totals();
            all.emplace_back();
            for (const std::int64_t word : words) all.back().push_back(static_cast<double>(word) * unit);
        }
        return all;
    }
    Network& network() { return network_; }
    /// The mean loss of the batch that was computed last, of this worker's rows.
    double batch_loss() const {
        double loss = 0;
        for (const double part : losses_) loss += part;
        return loss / weight_;
    }
    /// After the parameters were changed from outside.
    void refresh() {
        for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l].refresh(network_.layers[l]);
    }

  private:
    /// What a fit keeps of a layer beside its parameters.
    struct TrainedLayer {
        TrainedLayer(const DenseLayer& layer, std::size_t threads)
            : sums(layer, threads),
              back_stride(padded_width(layer.inputs)),
              transposed(layer.outputs * back_stride),
              gradient(layer.parameters.size()),
              first(layer.parameters.size()),
              second(layer.parameters.size()) {}

        void refresh(const DenseLayer& layer) { transpose_weights(layer, transposed.data(), back_stride); }

        GradientSums sums;
        std::size_t back_stride;
        AlignedVector<float> transposed, gradient, first, second;
    };
    /// The numbers of one part of a batch on their way through the layers.
    struct PartMemory {
        std::vector<AlignedVector<float>> values;  ///< what goes into each layer, and the last one's outputs
        AlignedVector<float> deltas, next_deltas;
        std::size_t rows = 0;
    };
    struct EpochSums {
        ExactSum loss, weight;
        BOOST_DESCRIBE_CLASS(EpochSums, (), (loss, weight), (), ())
    };

    double learn_epoch(std::uint32_t epoch) {
        grid_.shuffle(session_.pool(), epoch);
        EpochSums sums;
        for (std::size_t batch = 0; batch < grid_.batches(); ++batch) {
            compute_batch(batch);
            for (const double loss : losses_) sums.loss.add(loss);
            for (const double weight : weights_) sums.weight.add(weight);
            step();
            session_.progress().advance(1);
        }
        all_reduce_state(session_.communicator(), sums);
        const double loss = sums.loss.value() / sums.weight.value();
        if (!(loss - loss == 0) || !network_.finite()) refuse_divergence();
        return loss;
    }

    bool fits(const NetworkState& state) const {
        const auto of_layers = [&](const auto& each) { return each.size() == layers_.size(); };
        if (!of_layers(state.parameters) || !of_layers(state.first) || !of_layers(state.second) ||
            !of_layers(state.exponents) || state.history.empty() || state.stale < 0)
            return false;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const std::size_t size = network_.layers[l].parameters.size();
            if (state.parameters[l].size() != size || state.first[l].size() != size || state.second[l].size() != size ||
                !GradientSums::may_have(state.exponents[l]))
                return false;
        }
        return true;
    }
    void take_up(const NetworkState& state) {
        first_power_ = state.first_power;
        second_power_ = state.second_power;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            std::copy(state.parameters[l].begin(), state.parameters[l].end(), network_.layers[l].parameters.begin());
            std::copy(state.first[l].begin(), state.first[l].end(), layers_[l].first.begin());
            std::copy(state.second[l].begin(), state.second[l].end(), layers_[l].second.begin());
            layers_[l].sums.next_exponent(state.exponents[l]);
        }
        refresh();
    }
    void hand_over(NetworkState& state) const {
        state.first_power = first_power_;
        state.second_power = second_power_;
        state.parameters.clear(), state.first.clear(), state.second.clear(), state.exponents.clear();
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const AlignedVector<float>& parameters = network_.layers[l].parameters;
            state.parameters.emplace_back(parameters.begin(), parameters.end());
            state.first.emplace_back(layers_[l].first.begin(), layers_[l].first.end());
            state.second.emplace_back(layers_[l].second.begin(), layers_[l].second.end());
            state.exponents.push_back(layers_[l].sums.next_exponent());
        }
    }

    [[noreturn]] static void refuse_divergence() {
        throw NumericOverflow(
            "MultilayerPerceptron diverged: its loss or its gradients are no longer finite; lower learning_rate, or "
            "scale "
            "the features by StandardScale",
            Place{.setting = "learning_rate"});
    }

    /// Leaves in the layers' sums the gradient over the rows of a batch, of all workers, and in weight_ their weight.
    void compute_batch(std::size_t batch) {
        const std::span<const std::uint32_t> mine = grid_.batch(batch);
        losses_.assign(mine.size(), 0.0);
        weights_.assign(mine.size(), 0.0);
        bool again = true;
        while (again) {
            for (TrainedLayer& layer : layers_) layer.sums.clear();
            reductions_.wait(attempt([&] {
                std::size_t first = 0;
                do {
                    const std::size_t count = std::min(parts_.size(), mine.size() - first);
                    forward_and_loss(mine.subspan(first, count), first);
                    first += count;
                    backward(count, first == mine.size());
                } while (first < mine.size());
            }));
            weight_ = units_.weight(layers_.back().sums.weight_words());
            again = false;
            for (TrainedLayer& layer : layers_) {
                const GradientSums::Verdict verdict = layer.sums.settle(units_);
                if (verdict == GradientSums::Verdict::not_finite) refuse_divergence();
                again = again || verdict == GradientSums::Verdict::again;
            }
        }
    }

    void forward_and_loss(std::span<const std::uint32_t> parts, std::size_t first) {
        session_.for_each(parts.size(), [&](std::size_t index, std::size_t thread) {
            check_floating_point_environment();
            const BatchGrid::Part& part = grid_.part(parts[index]);
            const NetworkBlock& block = rows_.blocks[part.block];
            const std::uint16_t* order = grid_.order(part.block).data() + part.first;
            PartMemory& memory = parts_[index];
            prepare(memory);
            memory.rows = part.count;
            const std::size_t stride = layers_.front().back_stride;
            for (std::size_t r = 0; r < part.count; ++r) {
                const float* from = block.features.data() + order[r] * rows_.width;
                std::copy(from, from + rows_.width, memory.values[0].data() + r * stride);
            }
            for (std::size_t l = 0; l < layers_.size(); ++l)
                forward(network_.layers[l], network_.activation_of(l), memory.values[l].data(), stride_into(l),
                        part.count, memory.values[l + 1].data());
            const std::size_t out = network_.layers.back().stride;
            double loss = 0, weight = 0;
            for (std::size_t r = 0; r < part.count; ++r) {
                const double row_weight = block.weights.empty() ? 1.0 : block.weights[order[r]];
                loss = fused(row_weight,
                             class_loss(memory.values.back().data() + r * out, network_.outputs(),
                                        block.labels[order[r]], row_weight, probabilities_[thread].data()),
                             loss);
                weight += row_weight;
            }
            losses_[first + index] = loss;
            weights_[first + index] = weight;
            std::copy_n(memory.values.back().data(), part.count * out, memory.deltas.data());
            layers_.back().sums.add_weight(thread, weight, units_);
        });
    }

    void backward(std::size_t count, bool last) {
        for (std::size_t l = layers_.size(); l-- > 0;) {
            TrainedLayer& layer = layers_[l];
            const DenseLayer& parameters = network_.layers[l];
            session_.for_each(count, [&](std::size_t index, std::size_t thread) {
                PartMemory& memory = parts_[index];
                layer.sums.add_product(thread, memory.values[l].data(), stride_into(l), memory.deltas.data(),
                                       memory.rows, units_);
                if (l == 0) return;
                const std::size_t columns = (parameters.inputs + 15) / 16 * 16;
                product_into({memory.deltas.data(), memory.rows, parameters.outputs, parameters.stride, 1},
                             {layer.transposed.data(), columns, layer.back_stride, nullptr}, memory.next_deltas.data(),
                             layer.back_stride);
                multiply_by_slopes(network_.activation, memory.values[l].data(), memory.next_deltas.data(), memory.rows,
                                   columns, layer.back_stride);
                memory.deltas.swap(memory.next_deltas);
            });
            if (last) reductions_.start(layer.sums.total(session_.pool()));
        }
    }

    /// Moves the parameters; every worker does the same.
    void step() {
        first_power_ *= plan_.first_decay;
        second_power_ *= plan_.second_decay;
        StepRule rule;
        rule.adam = plan_.adam;
        rule.nesterov = plan_.nesterov;
        rule.first_decay = static_cast<float>(plan_.first_decay);
        rule.second_decay = static_cast<float>(plan_.second_decay);
        rule.epsilon = static_cast<float>(plan_.epsilon);
        const double correction = plan_.adam ? __builtin_sqrt(1.0 - second_power_) / (1.0 - first_power_) : 1.0;
        rule.rate = static_cast<float>(plan_.learning_rate * correction);
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            TrainedLayer& layer = layers_[l];
            DenseLayer& parameters = network_.layers[l];
            const double unit = layer.sums.unit() / weight_;
            const std::int64_t* words = layer.sums.totals().data();
            constexpr std::size_t rows_at_once = 64;
            session_.pool().for_each((parameters.inputs + rows_at_once) / rows_at_once, [&](std::size_t index,
                                                                                            std::size_t) {
                const std::size_t end = std::min(parameters.inputs + 1, (index + 1) * rows_at_once);
                for (std::size_t i = index * rows_at_once; i < end; ++i) {
                    float* gradient = layer.gradient.data() + i * parameters.stride;
                    for (std::size_t o = 0; o < parameters.outputs; ++o)
                        gradient[o] = static_cast<float>(static_cast<double>(words[i * parameters.outputs + o]) * unit);
                    StepRule row_rule = rule;
                    if (i < parameters.inputs) row_rule.l2 = static_cast<float>(plan_.l2);
                    take_step(row_rule, parameters.columns(), gradient,
                              parameters.parameters.data() + i * parameters.stride,
                              layer.first.data() + i * parameters.stride, layer.second.data() + i * parameters.stride);
                }
            });
            if (l > 0) layer.refresh(parameters);
        }
    }

    /// How far apart the rows lie that go into a layer.
    std::size_t stride_into(std::size_t layer) const {
        return layer == 0 ? layers_.front().back_stride : network_.layers[layer - 1].stride;
    }

    void prepare(PartMemory& memory) const {
        if (!memory.values.empty()) return;
        const std::size_t rows = grid_.part_rows();
        memory.values.emplace_back(rows * layers_.front().back_stride);
        for (const DenseLayer& layer : network_.layers) memory.values.emplace_back(rows * layer.stride);
        memory.deltas.resize(rows * network_.widest());
        memory.next_deltas.resize(rows * network_.widest());
    }

    Session& session_;
    const NetworkRows& rows_;
    const NetworkPlan& plan_;
    BatchGrid grid_;
    SumUnits units_;
    Network network_;
    std::vector<TrainedLayer> layers_;
    std::vector<PartMemory> parts_;
    std::vector<std::vector<double>> probabilities_;  // of one row, for each thread
    std::vector<double> losses_, weights_;            // of the parts of a batch
    double weight_ = 0, first_power_ = 1, second_power_ = 1;
    PendingReductions reductions_;  // after the sums that it sends
};

}  // namespace partita::inline PARTITA_ABI::detail
