// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/data/output_view.hpp>
#include <partita/linear/logistic_regression/model.hpp>
#include <partita/linear/sparse_logistic_regression/slices.hpp>
#include <partita/math/elementary.hpp>
#include <partita/persist/model_file.hpp>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Numbers by index, of which most are zero and not kept.
class SparseWeights {
  public:
    SparseWeights() = default;
    /// Errors: ModelFileInvalid if the indices are not ascending below `width`, or there are not as many finite values.
    SparseWeights(std::vector<std::uint32_t> indices, std::vector<float> values, std::uint64_t width)
        : indices_(std::move(indices)), values_(std::move(values)), width_(width) {
        validate();
        prepare();
    }

    const std::vector<std::uint32_t>& indices() const { return indices_; }
    const std::vector<float>& values() const { return values_; }
    std::uint64_t width() const { return width_; }

    /// The number at an index below the width.
    float operator[](std::size_t index) const {
        const std::size_t bucket = index >> shift_;
        std::size_t first = starts_[bucket], last = starts_[bucket + 1];
        while (first < last) {
            const std::size_t middle = (first + last) / 2;
            if (indices_[middle] < index) first = middle + 1;
            else last = middle;
        }
        return first < starts_[bucket + 1] && indices_[first] == index ? values_[first] : 0.0f;
    }

  private:
    void validate() const {
        if (width_ < 1 || width_ > 0xffffffff) throw ModelFileInvalid("its vectors have no possible width");
        if (values_.size() != indices_.size()) throw ModelFileInvalid("there are not as many weights as indices");
        for (std::size_t i = 0; i < indices_.size(); ++i) {
            if (indices_[i] >= width_) throw ModelFileInvalid("a weight lies beyond the vectors");
            if (i > 0 && indices_[i] <= indices_[i - 1]) throw ModelFileInvalid("the weights are not in order");
            if (!std::isfinite(values_[i])) throw ModelFileInvalid("a weight is not finite");
        }
    }
    /// Where the indices of a run of 2^shift begin: about two of them, if they lie evenly.
    void prepare() {
        const std::size_t buckets = std::bit_ceil(indices_.size() / 2 + 1);
        shift_ = 0;
        while (width_ > 0 && ((width_ - 1) >> shift_) >= buckets) ++shift_;
        starts_.assign(static_cast<std::size_t>(width_ > 0 ? (width_ - 1) >> shift_ : 0) + 2, 0);
        for (const std::uint32_t index : indices_) ++starts_[(index >> shift_) + 1];
        for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    }

    std::vector<std::uint32_t> indices_;
    std::vector<float> values_;
    std::uint64_t width_ = 0;
    unsigned shift_ = 0;
    std::vector<std::uint32_t> starts_{0, 0};
};

/// What a fit found.
struct SparseLogisticFit {
    SparseWeights weights;
    double intercept = 0;
    std::vector<double> losses;  ///< of each epoch
};

}  // namespace detail

/// The fitted model: the probability of the second class is 1 / (1 + exp(-(Σ value·weight + intercept))).
template <class Label>
class SparseLogisticModel {
  public:
    /// The indices of the elements whose weight is not zero, ascending.
    const std::vector<std::uint32_t>& indices() const { return weights_.indices(); }
    /// Their weights: what the log-odds of the second class gain where that element grows by 1.
    const std::vector<float>& weights() const { return weights_.values(); }
    /// The weight of any element.
    float weight(std::size_t index) const { return index < weights_.width() ? weights_[index] : 0.0f; }
    /// The width of the features.
    std::size_t width() const { return static_cast<std::size_t>(weights_.width()); }
    /// The log-odds of the second class where all features are 0; 0 if no intercept was fitted.
    double intercept() const { return intercept_; }
    /// The two classes in order; `probability` is that of the second.
    const std::vector<Label>& classes() const { return classes_; }
    double threshold() const { return threshold_; }
    /// The mean log loss of the first epoch, each row judged before it was learnt from: an honest estimate for rows to come.
    double progressive_loss() const { return losses_.empty() ? 0.0 : losses_[0]; }
    /// The same of each epoch; after the first the rows have been seen.
    const std::vector<double>& losses() const { return losses_; }

    void validate() const {
        if (classes_.size() != 2) throw ModelFileInvalid("there are not two classes");
        if (!(classes_[0] < classes_[1])) throw ModelFileInvalid("the classes are not in order");
        if (!(threshold_ >= 0 && threshold_ <= 1)) throw ModelFileInvalid("the threshold is no probability");
        if (!std::isfinite(intercept_)) throw ModelFileInvalid("the intercept is not finite");
    }
    void save(ModelWriter& writer) const {
        writer.vector("indices", weights_.indices());
        writer.vector("weights", weights_.values());
        writer.scalar("width", weights_.width());
        writer.scalar("intercept", intercept_);
        writer.scalar("threshold", threshold_);
        writer.vector("losses", losses_);
        if constexpr (std::is_same_v<Label, std::string>) writer.texts("classes", classes_);
        else writer.vector("classes", classes_);
    }
    void load(ModelReader& reader) {
        auto indices = reader.template vector<std::uint32_t>("indices");
        auto values = reader.template vector<float>("weights");
        const auto width = reader.template scalar<std::uint64_t>("width");
        try {
            weights_ = detail::SparseWeights(std::move(indices), std::move(values), width);
        } catch (const ModelFileInvalid& error) {
            reader.invalid(error.what());
        }
        intercept_ = reader.template scalar<double>("intercept");
        threshold_ = reader.template scalar<double>("threshold");
        losses_ = reader.template vector<double>("losses");
        if constexpr (std::is_same_v<Label, std::string>) classes_ = reader.texts("classes");
        else classes_ = reader.template vector<double>("classes");
    }

  protected:
    void assign(detail::SparseLogisticFit fit, std::vector<Label> classes, double threshold) {
        weights_ = std::move(fit.weights);
        intercept_ = fit.intercept;
        losses_ = std::move(fit.losses);
        classes_ = std::move(classes);
        threshold_ = threshold;
    }
    template <class View, class Out>
    void apply(const View& features, Out& predictions, std::span<double> probabilities, std::string_view column) const {
        if (detail::feature_width(features) != width())
            detail::refuse_width(column, detail::feature_width(features), width());
        for (std::size_t row = 0; row < probabilities.size(); ++row) {
            double margin = intercept_;
            detail::visit_entries(features, row, [&](std::size_t index, double value) {
                margin = fused(value, static_cast<double>(weights_[index]), margin);
            });
            if (!(margin - margin == 0) && !detail::finite_row(features, row))
                detail::refuse_features(column, "the features", static_cast<std::int64_t>(row));
            probabilities[row] = sigmoid(margin);
            const Label& label = classes_[probabilities[row] > threshold_ ? 1 : 0];
            if constexpr (std::is_same_v<Label, std::string>) {
                predictions.set(row, label);
            } else {
                predictions[row] = static_cast<std::remove_reference_t<decltype(predictions[row])>>(label);
            }
        }
    }

  private:
    detail::SparseWeights weights_;
    std::vector<double> losses_;
    std::vector<Label> classes_;
    double intercept_ = 0, threshold_ = 0.5;
};

}  // namespace partita::inline PARTITA_ABI
