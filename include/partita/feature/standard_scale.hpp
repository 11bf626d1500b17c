// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns with mean 0 and standard deviation 1.

#include <partita/data/output_view.hpp>
#include <partita/feature/standard_scale/scale_rows.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/moments.hpp>
#include <partita/math/sparse_moments.hpp>
#include <partita/stage/stage_column.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI {

namespace detail {

[[noreturn]] inline void refuse_non_finite(const StageColumn& where, BlockCell cell, bool vector) {
    throw NonFiniteValue(
        where.sentence((vector ? "element " + std::to_string(cell.column) : std::string("a value")) +
                       " is not finite; filter such rows, or impute what is missing before this stage"),
        where.place(cell.row));
}

/// Exact sums of one column, number or vector: what StandardScale learns from.
class ScaleSummary {
  public:
    ScaleSummary() = default;
    ScaleSummary(StageColumn where, bool center) : where_(where), center_(center) {}

    template <class T>
    void update(std::span<const T> x, Weights weights) {
        if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
            add(MatrixView<const T>(x.data(), x.size(), 1), weights, false);
        } else {
            numbers_.resize(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) numbers_[i] = static_cast<double>(x[i]);
            add(MatrixView<const double>(numbers_.data(), x.size(), 1), weights, false);
        }
    }
    template <class T>
    void update(MatrixView<const T> x, Weights weights) {
        add(x, weights, true);
    }
    template <class T>
    void update(SparseView<T> x, Weights weights) {
        if (x.size() == 0) return;
        if (center_)
            throw InvalidSetting(
                where_.sentence("subtracting the mean would fill a sparse column; set .center = false, or "
                                "make the column dense by Assemble"),
                where_.setting("center"));
        expect_width(x.columns);
        high_.assign(2 * x.columns + 1, 0.0);
        low_.assign(2 * x.columns + 1, 0.0);
        high_[0] = sum_of_weights(weights, x.rows);
        if constexpr (std::is_same_v<T, float>) {
            if (!weights.unit() || !sparse_.compute(x, std::span(high_).subspan(1), std::span(low_).subspan(1)))
                add_weighted(x, weights);
        } else {
            add_weighted(x, weights);
        }
        sums.add(high_);
        sums.add(low_);
    }

    Min<std::int64_t> narrowest;
    Max<std::int64_t> widest;
    ExactSums sums;  ///< Σw, then Σwx of each element, then Σwx² of each

  private:
    BOOST_DESCRIBE_CLASS(ScaleSummary, (), (narrowest, widest, sums), (), ())

    void expect_width(std::size_t width) {
        narrowest.add(static_cast<std::int64_t>(width));
        widest.add(static_cast<std::int64_t>(width));
        if (sums.size() == 0) sums.resize(2 * width + 1);
        if (sums.size() != 2 * width + 1)
            throw WrongWidth(
                where_.sentence("a vector has " + std::to_string(width) + " elements, and earlier rows have " +
                                std::to_string(sums.size() / 2) + "; a column has one width"),
                where_.place());
    }
    template <class T>
    void add(MatrixView<const T> x, Weights weights, bool vector) {
        if (x.rows() == 0) return;
        expect_width(x.columns());
        BlockMoments moments(x.columns());
        const BlockCell cell = moments.compute(x, weights);
        if (cell) refuse_non_finite(where_, cell, vector);
        sums.add(moments.high());
        sums.add(moments.low());
    }
    /// Sums of any weights and numbers; names the first number that is not finite.
    template <class T>
    void add_weighted(SparseView<T> x, Weights weights) {
        for (std::size_t row = 0; row < x.rows; ++row) {
            const double weight = weights[row];
            if (weight == 0.0) continue;
            for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) {
                const double value = static_cast<double>(x.values[k]);
                const auto at = 1 + static_cast<std::size_t>(x.indices[k]);
                if (!(value - value == 0.0))
                    refuse_non_finite(where_, {static_cast<std::int64_t>(row), x.indices[k]}, true);
                const DoublePair weighted = DoublePair::product(weight, value);
                add_pair(at, weighted);
                add_pair(at + x.columns, weighted * DoublePair{value, 0.0});
            }
        }
    }
    void add_pair(std::size_t at, DoublePair term) {
        const DoublePair total = DoublePair{high_[at], low_[at]} + term;
        high_[at] = total.high;
        low_[at] = total.low;
    }

    StageColumn where_;
    bool center_ = true;
    std::vector<double> numbers_, high_, low_;
    SparseMoments sparse_;
};

/// What to subtract from each element and what to divide it by.
class ScaleModel {
  public:
    ScaleModel() = default;
    ScaleModel(std::vector<double> mean, std::vector<double> scale) : mean_(std::move(mean)), scale_(std::move(scale)) {
        prepare();
    }

    /// What is subtracted: the mean of each element, or zeros without centring. One number for a column of numbers.
    const std::vector<double>& mean() const { return mean_; }
    /// What is divided by: the standard deviation of each element, 1 for constant ones and without scaling.
    const std::vector<double>& scale() const { return scale_; }

    void validate() const {
        if (mean_.size() != scale_.size()) throw ModelFileInvalid("there are more means than scales, or fewer");
        for (std::size_t i = 0; i < mean_.size(); ++i) {
            if (!(mean_[i] - mean_[i] == 0.0)) throw ModelFileInvalid("a mean is not finite");
            if (!(scale_[i] > 0.0 && 1.0 / scale_[i] > 0.0 &&
                  1.0 / scale_[i] < std::numeric_limits<double>::infinity()))
                throw ModelFileInvalid("a scale is not a positive number");
        }
    }
    template <class Writer>
    void save(Writer& writer) const {
        writer.vector("mean", mean_);
        writer.vector("scale", scale_);
    }
    template <class Reader>
    void load(Reader& reader) {
        mean_ = reader.template vector<double>("mean");
        scale_ = reader.template vector<double>("scale");
        prepare();
    }
    friend bool operator==(const ScaleModel& a, const ScaleModel& b) {
        return a.mean_ == b.mean_ && a.scale_ == b.scale_;
    }

  protected:
    template <class T>
    void apply(std::span<const T> x, std::span<Feature<T>> out, const StageColumn& where) const {
        expect_width(1, where);
        using Out = Feature<T>;
        if constexpr (std::is_same_v<T, Out>) {
            FiniteTest<Out> test;
            scale_column(x.data(), mean_[0], inverse_[0], x.size(), out.data(), test);
            if (!test.all_finite()) refuse(MatrixView<const T>(x.data(), x.size(), 1), where, false);
        } else {
            for (std::size_t i = 0; i < x.size(); ++i)
                out[i] = static_cast<Out>(product(static_cast<double>(x[i]) - mean_[0], inverse_[0]));
        }
    }
    template <class T>
    void apply(MatrixView<const T> x, MatrixView<T> out, const StageColumn& where) const {
        expect_width(x.columns(), where);
        FiniteTest<T> test;
        for (std::size_t row = 0; row < x.rows(); ++row)
            scale_row(x[row].data(), mean_.data(), inverse_.data(), x.columns(), out[row].data(), test);
        if (!test.all_finite()) refuse(x, where, true);
    }
    template <class T>
    void apply(SparseView<T> x, SparseOutput<T> out, const StageColumn& where) const {
        expect_width(x.columns, where);
        for (std::size_t row = 0; row < x.rows; ++row) {
            for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) {
                const auto element = static_cast<std::size_t>(x.indices[k]);
                const T scaled = static_cast<T>(static_cast<double>(x.values[k]) * inverse_[element]);
                if (!(scaled - scaled == T(0)))
                    refuse(MatrixView<const T>(x.values + k, 1, 1), where, true,
                           {static_cast<std::int64_t>(row), x.indices[k]});
                out.append(element, scaled);
            }
            out.end_row();
        }
    }

  private:
    void prepare() {
        inverse_.resize(scale_.size());
        for (std::size_t i = 0; i < scale_.size(); ++i) inverse_[i] = 1.0 / scale_[i];
    }
    void expect_width(std::size_t width, const StageColumn& where) const {
        if (width != mean_.size())
            throw WrongWidth(
                where.sentence("a vector has " + std::to_string(width) + " elements, and those of the fit had " +
                               std::to_string(mean_.size()) + "; give it vectors of the same columns"),
                where.place());
    }
    template <class T>
    [[noreturn]] static void refuse(MatrixView<const T> x, const StageColumn& where, bool vector,
                                    BlockCell offset = {0, 0}) {
        BlockCell cell = find_non_finite(x);
        if (!cell)
            throw NumericOverflow(
                where.sentence("a scaled value is too large for its type: it lies very far from all values "
                               "of the fit; check the column's unit"),
                where.place());
        refuse_non_finite(where, {cell.row + offset.row, cell.column + offset.column}, vector);
    }

    std::vector<double> mean_, scale_, inverse_;
};

inline ScaleModel finish_scale(const ScaleSummary& summary, bool center, bool scale, const StageColumn& where) {
    if (summary.sums.size() == 0 || !(summary.sums.value(0) > 0.0)) where.refuse_empty();
    if (summary.narrowest.value() != summary.widest.value())
        throw WrongWidth(where.sentence("vectors have " + std::to_string(*summary.narrowest.value()) + " to " +
                                        std::to_string(*summary.widest.value()) + " elements; a column has one width"),
                         where.place());
    const std::size_t width = summary.sums.size() / 2;
    const double weight = summary.sums.value(0);
    std::vector<double> means(width, 0.0), scales(width, 1.0);
    for (std::size_t i = 0; i < width; ++i) {
        const DoublePair sum = summary.sums.value2(1 + i), squares = summary.sums.value2(1 + width + i);
        if (!(sum.high - sum.high == 0.0 && squares.high - squares.high == 0.0))
            throw NumericOverflow(
                where.sentence("the squares of element " + std::to_string(i) +
                               " sum to more than a double holds; divide the column by a constant first"),
                where.place());
        const Moments moments = moments_of(weight, sum, squares);
        if (center) means[i] = moments.mean;
        const double deviation = __builtin_sqrt(moments.centred_squares / weight);
        // What has no deviation, or one whose inverse is no double, stays as it is.
        if (scale && deviation > 0.0 && 1.0 / deviation < std::numeric_limits<double>::infinity())
            scales[i] = deviation;
    }
    return {std::move(means), std::move(scales)};
}

}  // namespace detail

/// Subtracts the mean and divides by the standard deviation, element by element.
///
/// Input: a column of numbers, dense vectors, or (with center = false) sparse vectors; a selector scales each of its columns.
/// Output: takes the input's place; float stays float, integers become features.
/// The deviation is the root of Σw(x - mean)² / Σw, defined for any weights (scikit-learn's; Spark divides by Σw - 1). Constant
/// elements are divided by 1: they become 0, or stay what they are without centring. For sparse vectors the absent elements
/// count as zeros.
/// Errors: NonFiniteValue with the row, at fit (in rows of positive weight) and afterwards; EmptyDataset; WrongWidth;
/// InvalidSetting for centring a sparse column; NumericOverflow.
/// Determinism: exact sums between blocks. Up to a mean of 10^8 deviations the deviation has all its digits, beyond that a
/// relative error of 2^-105 (mean / deviation)²; what lies below 2^-48 of the mean counts as constant.
/// Cost: one pass at the speed of memory; a model of two numbers an element.
template <Name ColumnName>
struct StandardScale {
    using stage_concept = Estimator;
    static constexpr std::string_view id = "StandardScale";
    static constexpr KindSet kinds =
        number_kinds | dense_vector_kinds | kinds_of(Kind::sparse_float32, Kind::sparse_float64);
    using Inputs = Columns<Read<ColumnName, kinds>>;
    template <class Value>
    using OutputsFor = Columns<
        Column<ColumnName, typename std::conditional_t<std::is_arithmetic_v<Value>, std::type_identity<Feature<Value>>,
                                                       std::type_identity<Value>>::type>>;

    bool center = true;  ///< whether to subtract the mean
    bool scale = true;   ///< whether to divide by the standard deviation

    /// The fitted stage: mean() and scale(), one number for each element.
    struct Model : detail::ScaleModel {
        template <class View, class Output>
        void operator()(const View& x, Output out) const {
            this->apply(x, out, detail::stage_column<StandardScale>());
        }
    };
    using Summary = detail::ScaleSummary;

    Summary start() const { return {detail::stage_column<StandardScale>(), center}; }
    Model finish(const Summary& summary) const {
        return {detail::finish_scale(summary, center, scale, detail::stage_column<StandardScale>())};
    }
};

}  // namespace partita::inline PARTITA_ABI
