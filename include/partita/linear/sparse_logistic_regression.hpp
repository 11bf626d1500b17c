// SPDX-License-Identifier: Apache-2.0
#pragma once

// Logistic regression for very many features of which a row has few, learnt row by row.

#include <partita/linear/logistic_regression/labels.hpp>
#include <partita/linear/sparse_logistic_regression/model.hpp>
#include <partita/linear/sparse_logistic_regression/train.hpp>
#include <partita/stage/concepts.hpp>
#include <partita/stage/fit_rows.hpp>

namespace partita::inline PARTITA_ABI {

/// How a weight follows its gradients. Without penalties both are the same.
enum class SparseUpdate {
    ftrl,     ///< FTRL-proximal: l1 and l2 are of the whole fit, and weights that are not worth l1 are exactly 0
    adagrad,  ///< AdaGrad: l1 and l2 are taken off at every row that has the feature
};

/// Logistic regression on a parameter table: weights and an intercept for up to 2^31 features, learnt row by row with a
/// step size for each feature (alpha / (beta + √(sum of its squared gradients))), in one pass or a few.
///
/// Reads a vector of features (sparse, one-hot or dense; numbers of about 1) and a target of two values; writes `prediction` (of
/// the target's type) and `probability` (double, of the second class). A clock takes `rows` rows each of `blocks` blocks, drawn in an
/// order of the epoch's; each such slice is learnt row by row from what the table held at the clock's start, and what the slices
/// found is joined where a weight lives. Under ParameterServer only the weights that a worker's rows touch travel.
/// Errors: InvalidSetting; EmptyDataset; WrongClassCount for other than two classes; NonFiniteValue with row and element;
/// NumericOverflow for features beyond 1e12, and for those beside which the usual ones would be lost (some 5000 times as large,
/// with slices of 512 rows); WrongWidth; Cancelled.
/// Determinism: the same bits on any threads, workers and policy, but for ParameterServer with Ssp or Async. A weight of k is
/// the row k times in a row.
/// Cost: the features are packed in memory once (8 bytes an entry, at least 16 entries a row), 8 bytes a feature for the table; an
/// epoch takes some 40 ns of a thread an entry and, per worker and clock, 4 bytes for each key, 8 to pull it and 16 to push it.
/// Source: McMahan et al., Ad click prediction: a view from the trenches, 2013; Duchi, Hazan and Singer, 2011; how slices are joined
/// stands in sparse_logistic_regression/steps.hpp.
template <Name Features, Name TargetColumn, Name Prediction = "prediction", Name Probability = "probability">
struct SparseLogisticRegression {
    SparseUpdate update = SparseUpdate::ftrl;  ///< see SparseUpdate
    double alpha = 0.1;                        ///< step size
    double beta = 1;                           ///< delays the fall of the step size
    double l1 = 0;                             ///< see SparseUpdate
    double l2 = 0;                             ///< see SparseUpdate
    int epochs = 1;                            ///< passes over the rows
    bool fit_intercept = true;                 ///< false: a margin is x·weights
    bool shuffle = true;                       ///< false: blocks are taken in the order of their rows
    std::size_t blocks = 8;                    ///< blocks in a clock: as many workers and threads can work at once
    std::size_t rows = 512;                    ///< rows of each block in a clock
    double threshold = 0.5;                    ///< predict the second class above this probability

    using stage_concept = Predictor;
    static constexpr std::string_view id = "SparseLogisticRegression";
    static constexpr KindSet label_kinds = number_kinds | text_kinds;
    using Inputs = Columns<Read<Features, detail::linear_feature_kinds>>;
    using FitInputs = Columns<Read<Features, detail::linear_feature_kinds>, Target<TargetColumn, label_kinds>>;
    template <class X, class Y>
    using OutputsFor = Columns<Column<Prediction, detail::PredictedLabel<Y>>, Column<Probability, double>>;

    template <class X, class Y>
    struct ModelFor : SparseLogisticModel<detail::ClassLabel<Y>> {
        template <class View, class Out>
        void operator()(const View& features, Out predictions, std::span<double> probabilities) const {
            this->apply(features, predictions, probabilities, Features.view());
        }

      private:
        friend SparseLogisticRegression;
    };

    void validate() const {
        const auto refuse = [](const char* setting, double value, const char* remedy) {
            throw InvalidSetting(std::string("SparseLogisticRegression: ") + setting + " is " +
                                     detail::number_text(value) + "; " + remedy,
                                 Place{.setting = setting});
        };
        if (update != SparseUpdate::ftrl && update != SparseUpdate::adagrad)
            throw InvalidSetting(
                "SparseLogisticRegression: update is no value of its type; take SparseUpdate::ftrl or adagrad",
                Place{.setting = "update"});
        if (!(alpha >= 1e-6 && alpha <= 1e6)) refuse("alpha", alpha, "give a number from 1e-6 to 1e6, as 0.1");
        if (!(beta >= 1e-6 && beta <= 1e6)) refuse("beta", beta, "give a number from 1e-6 to 1e6, as 1");
        if (!(l1 >= 0 && l1 <= 1e9)) refuse("l1", l1, "give a number from 0 to 1e9");
        if (!(l2 >= 0 && l2 <= 1e9)) refuse("l2", l2, "give a number from 0 to 1e9");
        if (epochs < 1 || epochs > 1'000'000) refuse("epochs", epochs, "give at least 1, and at most a million");
        if (blocks < 1 || blocks > 4096) refuse("blocks", static_cast<double>(blocks), "give a number from 1 to 4096");
        if (rows < 1 || rows > static_cast<std::size_t>(block_rows))
            refuse("rows", static_cast<double>(rows), "give a number from 1 to 4096, the rows of a block");
        if (!(threshold >= 0 && threshold <= 1)) refuse("threshold", threshold, "give a probability");
    }

    template <class X, class Y>
    ModelFor<X, Y> fit(FitRows<X, Y>& data) const {
        using Label = detail::ClassLabel<Y>;
        data.pack();
        detail::PackedLabels<Label> labels =
            detail::pack_labels<Label>(data, id, TargetColumn.view(), detail::PackedWeights::none);
        ModelFor<X, Y> model;
        const detail::SparsePlan plan{update == SparseUpdate::adagrad,
                                      alpha,
                                      beta,
                                      l1,
                                      l2,
                                      epochs,
                                      fit_intercept,
                                      shuffle,
                                      blocks,
                                      rows,
                                      Features.view(),
                                      TargetColumn.view(),
                                      data.session().seed()};
        const auto identify = [&] {
            return plan.identity(data.session().communicator().table_consistency()).add("rows", data.checksum());
        };
        model.assign(detail::fit_sparse(data.session(), slices(data, labels), plan, identify),
                     std::move(labels.classes), threshold);
        return model;
    }

  private:
    /// The rows as slices. One pass.
    template <class Rows, class Labels>
    detail::SlicedRows slices(Rows& data, const Labels& labels) const {
        detail::SlicedRows sliced;
        sliced.ids = data.local_block_ids();
        sliced.blocks.resize(sliced.ids.size());
        sliced.sizes = data.aggregate_indexed(detail::SliceSizes(), [&](detail::SliceSizes& sizes, std::size_t index,
                                                                        const auto& x, const auto&, Weights weights) {
            sliced.blocks[index] = sizes.packer.get(rows, fit_intercept, Features.view())
                                       .pack(x, std::span<const std::uint8_t>(labels.values[index]), weights, sizes);
        });
        sliced.width = sliced.sizes.width.agreed(Features.view());
        return sliced;
    }
};

}  // namespace partita::inline PARTITA_ABI
