// SPDX-License-Identifier: Apache-2.0
#pragma once

// What Impute learns from a column of numbers, and what it does with one.

#include <partita/data/column_view.hpp>
#include <partita/feature/impute/imputation.hpp>
#include <partita/math/category_counts.hpp>
#include <partita/math/count.hpp>
#include <partita/math/quantiles.hpp>

#include <boost/describe/class.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Numbers of which some may be missing, whether or not their type says so.
template <class T>
class MaybeNumbers {
  public:
    MaybeNumbers(std::span<const T> values) : values_(values, nullptr, 0) {}
    MaybeNumbers(const NullableView<std::span<const T>>& values) : values_(values) {}
    std::size_t size() const { return values_.size(); }
    T operator[](std::size_t row) const { return values_.values()[row]; }
    bool present(std::size_t row) const {
        if (!values_.valid(row)) return false;
        const T value = values_.values()[row];
        return value == value;
    }

  private:
    NullableView<std::span<const T>> values_;
};

[[noreturn]] inline void refuse_infinite(const StageColumn& where, std::size_t row) {
    throw NonFiniteValue(
        where.sentence("a value is infinite; only NaN counts as missing: filter such rows or map them to NaN first"),
        where.place(static_cast<std::int64_t>(row)));
}

/// The 8 bytes that order as the values do.
template <class T>
std::string_view ordered_bytes(T value, char (&bytes)[8]) {
    const std::uint64_t bits = static_cast<std::uint64_t>(std::int64_t{ordered_bits(value)}) ^ std::uint64_t{1} << 63;
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(bits >> (56 - 8 * i) & 255);
    return {bytes, 8};
}
template <class T>
T from_ordered_bytes(std::string_view bytes) {
    std::uint64_t bits = 0;
    for (const char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
    return from_ordered_bits<T>(static_cast<OrderedBits<T>>(static_cast<std::int64_t>(bits ^ std::uint64_t{1} << 63)));
}

/// Exact accumulators of the values that are there. T is not bool but std::uint8_t, which vectors can hold.
template <class T>
class NumberFillSummary {
  public:
    NumberFillSummary() = default;
    NumberFillSummary(const ImputeStart& start) : strategy_(start.strategy), where_(start.where) {
        if (strategy_ == Imputation::median) median = Quantiles<T>(std::vector<double>{0.5});
        if (strategy_ == Imputation::constant && !start.constant.is_number())
            throw InvalidSetting(where_.sentence("the column holds numbers and .constant is no number; give it one"),
                                 where_.setting("constant"));
    }

    template <class View>
    void update(const View& view, Weights weights) {
        using Held = std::remove_cvref_t<decltype(held(view))>;
        if (strategy_ == Imputation::constant) return;
        if (median.pass() == 0) rows.update(view.size(), weights);
        gather(MaybeNumbers<Held>(view), weights);
        const Weights kept = weights.unit() ? Weights() : Weights(weights_.data());
        if (strategy_ == Imputation::median) {
            median.update(values_, kept);
        } else if (strategy_ == Imputation::mean) {
            present.update(values_.size(), kept);
            if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {  // in two halves, since not all are doubles
                add([](T value) { return 4294967296.0 * static_cast<double>(value >> 32); }, kept);
                add([](T value) { return static_cast<double>(value & 0xffffffff); }, kept);
            } else {
                add([](T value) { return static_cast<double>(value); }, kept);
            }
        } else {
            char bytes[8];
            for (std::size_t i = 0; i < values_.size(); ++i)
                modes.add_weight(ordered_bytes(values_[i], bytes), kept[i]);
        }
    }

    /// Whether the median needs the data again. What earlier passes counted is set aside, since states are merged anew.
    bool advance() {
        if (strategy_ != Imputation::median) return false;
        any_rows_ = any_rows_ || rows.rows() > 0;
        rows = Count();
        return median.advance();
    }

    double fill(const ImputedConstant& constant) const {
        if (strategy_ == Imputation::constant) return constant.number();
        if (!any_rows_ && rows.rows() == 0) where_.refuse_empty();
        if (strategy_ == Imputation::mean) {
            const double weight = present.weight();
            if (!(weight > 0.0)) refuse_all_missing(where_);
            if (!sum.finite())
                throw NumericOverflow(
                    where_.sentence(
                        "the values sum to more than a double holds; divide the column by a constant first"),
                    where_.place());
            return (sum.value2() / weight).high;
        }
        if (strategy_ == Imputation::median) {
            if (!median.seen()) refuse_all_missing(where_);
            return median.value(0.5);
        }
        const auto found = modes.sorted();
        if (found.empty()) refuse_all_missing(where_);
        return static_cast<double>(from_ordered_bytes<T>(found.front().text));
    }

    Count rows, present;
    ExactSum sum;
    Quantiles<T> median;
    CategoryCounts modes;  ///< by ordered bytes

  private:
    BOOST_DESCRIBE_CLASS(NumberFillSummary, (), (rows, present, sum, median, modes), (), ())

    template <class Held>
    static Held held(std::span<const Held>);
    template <class Held>
    static Held held(const NullableView<std::span<const Held>>&);

    template <class Held>
    void gather(const MaybeNumbers<Held>& view, Weights weights) {
        values_.clear();
        weights_.clear();
        for (std::size_t i = 0; i < view.size(); ++i) {
            if (!view.present(i) || weights[i] == 0.0) continue;
            const Held value = view[i];
            if constexpr (std::is_floating_point_v<Held>) {
                if (!(value - value == Held(0))) refuse_infinite(where_, i);
            }
            values_.push_back(static_cast<T>(value));
            if (!weights.unit()) weights_.push_back(weights[i]);
        }
    }
    template <class Term>
    void add(Term term, Weights weights) {
        high_.clear();
        low_.clear();
        for (std::size_t i = 0; i < values_.size(); ++i) {
            const double value = term(values_[i]);
            if (weights.unit()) {
                high_.push_back(value);
            } else {
                const DoublePair weighted = DoublePair::product(value, weights[i]);
                high_.push_back(weighted.high);
                low_.push_back(weighted.low);
            }
        }
        sum.add(high_);
        sum.add(low_);
    }

    Imputation strategy_ = Imputation::mean;
    StageColumn where_;
    bool any_rows_ = false;
    std::vector<T> values_;
    std::vector<double> weights_, high_, low_;
};

/// The number that takes the place of missing ones.
class NumberFill {
  public:
    NumberFill() = default;
    explicit NumberFill(double value) : value_(value) {}

    double value() const { return value_; }
    void validate() const {
        if (!(value_ - value_ == 0.0)) throw ModelFileInvalid("the imputed value is not finite");
    }
    template <class Writer>
    void save(Writer& writer) const {
        writer.scalar("value", value_);
    }
    template <class Reader>
    void load(Reader& reader) {
        value_ = reader.template scalar<double>("value");
    }
    friend bool operator==(const NumberFill&, const NumberFill&) = default;

  protected:
    template <class T, class Out>
    void apply(const MaybeNumbers<T>& view, std::span<Out> out, const StageColumn& where) const {
        const Out fill = static_cast<Out>(value_);
        Out test = 0;
        for (std::size_t i = 0; i < view.size(); ++i) {
            out[i] = view.present(i) ? static_cast<Out>(view[i]) : fill;
            if constexpr (std::is_floating_point_v<T>) test += out[i] * Out(0);
        }
        if (test == Out(0)) return;
        for (std::size_t i = 0; i < view.size(); ++i)
            if (!(out[i] - out[i] == Out(0))) refuse_infinite(where, i);
    }

  private:
    double value_ = 0;
};

}  // namespace partita::inline PARTITA_ABI::detail
