// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small neural network for two classes or more.

#include <partita/neural/multilayer_perceptron/model.hpp>
#include <partita/neural/multilayer_perceptron/train.hpp>
#include <partita/stage/class_types.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/fit_rows.hpp>

namespace partita::inline PARTITA_ABI {

/// What follows the sums of a hidden layer.
enum class HiddenActivation {
    relu,  ///< max(0, z)
    tanh,
};
/// How the weights move along their gradient.
enum class NetworkSolver {
    adam,  ///< by its mean over the root of its mean square
    sgd,   ///< by itself, with momentum
};

/// A network of fully connected layers for classification: the weights that minimise
///     1/Σw Σ w log(1 / p of the row's class) + l2/2 Σ weights²
/// as far as descent over mini-batches gets. p comes from one output by the logistic function where there are two classes, and
/// from one output a class by softmax where there are more. Features are best scaled by StandardScale before.
///
/// Reads a vector of features (n x p: dense, sparse or one-hot; computed on as float) and a target of 2 to 1000 values; writes
/// `prediction` (of the target's type, the likeliest class), `probability` (double: of two classes that of the second, of more
/// that of the predicted one) and `probabilities` (a vector of double with one element a class, in the order of their values).
/// Errors: InvalidSetting; EmptyDataset; WrongClassCount; NonFiniteValue with row and element; WrongWidth; NumericOverflow, where
/// the fit diverges; NotConverged if `must_converge`; Cancelled.
/// Determinism: the same bits on any threads, workers, policy and chunks. The rows of a block (4096) are shuffled in every epoch
/// and cut into parts of up to 32 rows (64 from batches of 512 on), and a batch takes as many parts from all over the dataset as
/// its size needs: batches are of `batch_rows`, or up to a row a part more. Rows of a block of their own are never together with
/// others in a part, so after a filter that leaves few rows a block, materialize({.renumber = true}) before the fit is faster.
/// Cost: the features as float in memory; six multiply-adds a row, weight and epoch; per batch one all-reduce of 8 bytes a weight,
/// of which those of the later layers travel while the earlier ones are computed. A data set of one block is learnt on one worker.
/// Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986; Kingma and Ba, Adam, 2015.
template <Name Features, Name TargetColumn, Name Prediction = "prediction", Name Probability = "probability",
          Name Probabilities = "probabilities">
struct MultilayerPerceptron {
    std::vector<int> hidden = {100};                       ///< the widths of the hidden layers; none: a linear model
    HiddenActivation activation = HiddenActivation::relu;  ///< of the hidden layers
    NetworkSolver solver = NetworkSolver::adam;            ///< see NetworkSolver
    double learning_rate = 1e-3;                           ///< the length of a step, above 0
    double momentum = 0.9;                                 ///< sgd: what a step keeps of the one before
    bool nesterov = true;                                  ///< sgd: look ahead by the momentum
    double first_decay = 0.9, second_decay = 0.999;        ///< adam: what the means keep from batch to batch
    double epsilon = 1e-8;                                 ///< adam: added to the root, above 0
    double l2 = 0;                                         ///< strength of the penalty, at least 0
    int batch_rows = 256;                                  ///< rows a step, about
    int max_epochs = 200;                                  ///< passes over the rows, at most
    double tolerance = 1e-4;                               ///< an epoch that lowers the loss by less counts as none
    int patience = 10;                                     ///< stop after so many epochs without progress
    std::uint64_t seed = 0;      ///< another number: other draws, for the same seed of the run
    bool must_converge = false;  ///< throw NotConverged where max_epochs end the fit

    using stage_concept = Predictor;
    static constexpr std::string_view id = "MultilayerPerceptron";
    using Inputs = Columns<Read<Features, detail::vector_kinds>>;
    using FitInputs = Columns<Read<Features, detail::vector_kinds>, Target<TargetColumn, number_kinds | text_kinds>>;
    template <class X, class Y>
    using OutputsFor = Columns<Column<Prediction, detail::PredictedLabel<Y>>, Column<Probability, double>,
                               Column<Probabilities, Vector<double>>>;

    template <class X, class Y>
    struct ModelFor : MultilayerPerceptronModel<detail::ClassLabel<Y>> {
        template <class View>
        std::size_t output_width(const View&) const {
            return this->classes().size();
        }
        template <class View, class Out>
        void operator()(const View& features, Out predictions, std::span<double> scores,
                        MatrixView<double> probabilities) const {
            this->apply(features, predictions, scores, probabilities, Features.view());
        }

      private:
        friend MultilayerPerceptron;
    };

    void validate() const {
        const auto refuse = [](const char* setting, double value, const char* remedy) {
            throw InvalidSetting(
                std::string("MultilayerPerceptron: ") + setting + " is " + detail::number_text(value) + "; " + remedy,
                Place{.setting = setting});
        };
        const auto finite = [](double value) { return value - value == 0; };
        for (const int width : hidden)
            if (width < 1 || width > 65536) refuse("hidden", width, "give widths from 1 to 65536");
        if (hidden.size() > 64) refuse("hidden", static_cast<double>(hidden.size()), "give at most 64 layers");
        if (!(learning_rate > 0 && finite(learning_rate)))
            refuse("learning_rate", learning_rate, "give a number above 0");
        if (!(momentum >= 0 && momentum < 1)) refuse("momentum", momentum, "give a number of at least 0, below 1");
        if (!(first_decay >= 0 && first_decay < 1))
            refuse("first_decay", first_decay, "give a number of at least 0, below 1");
        if (!(second_decay >= 0 && second_decay < 1))
            refuse("second_decay", second_decay, "give a number of at least 0, below 1");
        if (!(epsilon > 0 && finite(epsilon))) refuse("epsilon", epsilon, "give a number above 0");
        if (!(l2 >= 0 && finite(l2))) refuse("l2", l2, "give a finite number of at least 0");
        if (batch_rows < 1) refuse("batch_rows", batch_rows, "give at least 1");
        if (max_epochs < 1) refuse("max_epochs", max_epochs, "give at least 1");
        if (!(tolerance >= 0 && finite(tolerance)))
            refuse("tolerance", tolerance, "give a finite number of at least 0");
        if (patience < 1) refuse("patience", patience, "give at least 1");
        const auto refuse_choice = [](const char* setting, const char* choices) {
            throw InvalidSetting(
                std::string("MultilayerPerceptron: ") + setting + " is no value of its type; take " + choices,
                Place{.setting = setting});
        };
        if (activation != HiddenActivation::relu && activation != HiddenActivation::tanh)
            refuse_choice("activation", "HiddenActivation::relu or tanh");
        if (solver != NetworkSolver::adam && solver != NetworkSolver::sgd)
            refuse_choice("solver", "NetworkSolver::adam or sgd");
    }

    template <class X, class Y>
    ModelFor<X, Y> fit(FitRows<X, Y>& rows) const {
        using Label = detail::ClassLabel<Y>;
        detail::NetworkPlan plan;
        plan.activation = activation == HiddenActivation::relu ? detail::Activation::relu : detail::Activation::tanh;
        plan.hidden.assign(hidden.begin(), hidden.end());
        plan.adam = solver == NetworkSolver::adam;
        plan.nesterov = nesterov;
        plan.learning_rate = learning_rate;
        plan.first_decay = plan.adam ? first_decay : momentum;
        plan.second_decay = second_decay;
        plan.epsilon = epsilon;
        plan.l2 = l2;
        plan.batch_rows = static_cast<std::size_t>(batch_rows);
        plan.max_epochs = max_epochs;
        plan.patience = patience;
        plan.tolerance = tolerance;
        plan.seed = rows.session().seed() + seed * 0x9e3779b97f4a7c15;
        std::vector<Label> classes = detail::find_classes<Label>(rows, id, TargetColumn.view()).classes;
        const detail::NetworkRows packed = detail::pack_network_rows(rows, classes, Features.view());
        detail::NetworkTrainer trainer(rows.session(), packed, classes.size(), plan);
        detail::NetworkFit found = trainer.fit(
            [&] { return plan.identity(Features.view(), TargetColumn.view()).add("rows", rows.checksum()); });
        if (must_converge && !found.converged)
            throw NotConverged("MultilayerPerceptron stopped after " + std::to_string(max_epochs) +
                               " epochs while its loss still fell; raise max_epochs, or accept the last weights by "
                               "must_converge = false");
        ModelFor<X, Y> model;
        model.assign(std::move(found.network), std::move(classes), std::move(found.history), found.converged);
        return model;
    }
};

}  // namespace partita::inline PARTITA_ABI
