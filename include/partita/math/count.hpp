// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many rows, and how much they weigh.

#include <partita/math/exact_sum.hpp>
#include <partita/math/weights.hpp>

namespace partita::inline PARTITA_ABI {

/// Counts rows and sums their weights, exactly. Rows of weight zero do not count.
///
/// Cost: one integer addition for rows without weights, else about 1 ns a row.
class Count {
  public:
    /// Counts the next `rows` rows.
    void update(std::size_t rows, Weights weights = {}) {
        if (weights.unit()) {
            unit_rows_ += static_cast<std::int64_t>(rows);
            return;
        }
        const double* values = weights.data();
        std::int64_t counted = 0;
        for (std::size_t i = 0; i < rows; ++i) counted += values[i] != 0;
        weighted_rows_ += counted;
        weights_.add(std::span(values, rows));
    }
    /// Counts one row of this weight.
    void add(double weight = 1.0) {
        if (weight == 1.0) {
            ++unit_rows_;
        } else if (weight != 0.0) {
            ++weighted_rows_;
            weights_.add(weight);
        }
    }

    void merge(const Count& other) {
        unit_rows_ += other.unit_rows_;
        weighted_rows_ += other.weighted_rows_;
        weights_.merge(other.weights_);
    }
    void withdraw(const Count& other) {
        unit_rows_ -= other.unit_rows_;
        weighted_rows_ -= other.weighted_rows_;
        weights_.withdraw(other.weights_);
    }

    /// The number of rows whose weight is not zero.
    std::int64_t rows() const { return unit_rows_ + weighted_rows_; }
    /// The sum of the weights, rounded once.
    double weight() const {
        if (weighted_rows_ == 0) return static_cast<double>(unit_rows_);
        return total().value();
    }

    /// Whether both counted the same number of rows and the same sum of weights.
    friend bool operator==(const Count& a, const Count& b) { return a.rows() == b.rows() && a.total() == b.total(); }

    // The protocol of accumulator.hpp.
    static constexpr bool keyed = false;
    void offer_shape(std::vector<std::int64_t>&) const {}
    void adopt_shape(WordReader&) {}
    void offer_window(std::vector<std::int64_t>& maxima) { weights_.offer_window(maxima); }
    void adopt_window(WordReader& maxima) { weights_.adopt_window(maxima); }
    void pack(std::vector<std::int64_t>& sums) {
        sums.push_back(unit_rows_);
        sums.push_back(weighted_rows_);
        weights_.pack(sums);
    }
    void unpack(WordReader& sums) {
        unit_rows_ = sums.next();
        weighted_rows_ = sums.next();
        weights_.unpack(sums);
    }

  private:
    ExactSum total() const {
        ExactSum sum = weights_;
        // Two terms, since a count beyond 2^53 is no double.
        const auto high = static_cast<double>(unit_rows_ >> 32), low = static_cast<double>(unit_rows_ & 0xffffffff);
        sum.add(__builtin_ldexp(high, 32));
        sum.add(low);
        return sum;
    }

    std::int64_t unit_rows_ = 0, weighted_rows_ = 0;
    ExactSum weights_;
};

}  // namespace partita::inline PARTITA_ABI
