// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows packed for learning on a parameter table: a block in slices of so many rows, each with the keys that its rows touch.

#include <partita/data/row_ids.hpp>
#include <partita/linear/linear_features.hpp>
#include <partita/math/count.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/extremes.hpp>
#include <partita/math/scratch.hpp>
#include <partita/math/weights.hpp>

#include <boost/describe/class.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Some rows of a block that have a positive weight.
struct Slice {
    std::vector<std::uint32_t>
        keys;  ///< what the rows touch, ascending; the intercept's key, if there is one, is the last
    std::vector<std::uint32_t> begins;   ///< of each row's entries, and their number at last: multiples of sixteen
    std::vector<std::uint32_t> entries;  ///< places in `keys`; keys.size() fills up a row
    std::vector<float> values;           ///< of the entries; 0 fills up a row
    std::vector<std::uint8_t> labels;
    std::vector<float> weights;  ///< empty where every row counts once

    std::size_t rows() const { return labels.size(); }
    std::size_t row_entries(std::size_t row) const { return begins[row + 1] - begins[row]; }
};

/// Entries of a row: `visit(index, value)` for all of a sparse row, and for all that are not zero of a dense one.
template <class T, class Visit>
void visit_entries(const SparseView<T>& x, std::size_t row, Visit visit) {
    for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k)
        visit(static_cast<std::size_t>(x.indices[k]), static_cast<double>(x.values[k]));
}
template <class T, class Visit>
void visit_entries(MatrixView<const T> x, std::size_t row, Visit visit) {
    for (std::size_t c = 0; c < x.columns(); ++c)
        if (x[row][c] != T(0)) visit(c, static_cast<double>(x[row][c]));
}
template <class Visit>
void visit_entries(const OneHotView& x, std::size_t row, Visit visit) {
    if (x.codes[row] >= 0) visit(static_cast<std::size_t>(x.codes[row]), 1.0);
}

/// No row has more of them.
template <class T>
std::size_t most_entries(const SparseView<T>& x, std::size_t row) {
    return static_cast<std::size_t>(x.offsets[row + 1] - x.offsets[row]);
}
template <class T>
std::size_t most_entries(MatrixView<const T> x, std::size_t) {
    return x.columns();
}
inline std::size_t most_entries(const OneHotView&, std::size_t) { return 1; }

struct SliceSizes;

/// Packs one block. A thread uses one of its own for all its blocks.
class SlicePacker {
  public:
    SlicePacker(std::size_t slice_rows, bool intercept, std::string_view features)
        : slice_rows_(slice_rows), intercept_(intercept), features_(features) {}

    template <class View>
    std::vector<Slice> pack(const View& x, std::span<const std::uint8_t> labels, Weights weights, SliceSizes& sizes) {
        std::vector<Slice> slices;
        const std::size_t width = feature_width(x);
        double largest = 0, heaviest = 0;
        std::int64_t exponents = 0, exponents_of = 0;
        std::size_t row = 0;
        while (row < labels.size()) {
            Slice slice;
            entries_ = 0;
            counts_.clear();
            double weight = 0;
            for (; row < labels.size() && slice.rows() < slice_rows_; ++row) {
                if (weights[row] == 0) continue;
                const std::size_t before = entries_, room = before + most_entries(x, row);
                const std::int64_t exponent = weights.unit() ? 0 : exponent_of(weights[row]);
                if (pairs_.size() < room) {
                    pairs_.resize(2 * room);
                    values_.resize(2 * room);
                }
                visit_entries(x, row, [&](std::size_t index, double value) {
                    if (!(std::abs(value) <= most)) refuse(value, row, index);
                    largest = std::max(largest, std::abs(value));
                    pairs_[entries_] = std::uint64_t{index} << 32 | entries_;
                    values_[entries_] = static_cast<float>(value);
                    entries_ += value != 0;
                    exponents += value != 0 ? exponent_of(value) : 0;
                });
                const auto learnt = static_cast<std::int64_t>(entries_ - before) + (intercept_ ? 1 : 0);
                exponents += learnt * exponent;
                exponents_of += learnt;
                counts_.push_back(entries_ - before);
                slice.labels.push_back(labels[row]);
                if (!weights.unit()) slice.weights.push_back(static_cast<float>(weights[row]));
                weight += weights[row];
            }
            if (slice.rows() == 0) break;
            heaviest = std::max(heaviest, weight);
            finish(slice, width);
            slices.push_back(std::move(slice));
        }
        if (!slices.empty()) note(sizes, width, largest, heaviest, exponents, exponents_of);
        return slices;
    }

  private:
    static void note(SliceSizes& sizes, std::size_t width, double largest, double heaviest, std::int64_t exponents,
                     std::int64_t exponents_of);
    /// Of 2, below a number other than 0.
    static std::int64_t exponent_of(double value) {
        return static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(value) >> 52 & 2047) - 1023;
    }
    static constexpr double most = 1e12;  // squares of values that many rows sum stay far within float

    [[noreturn]] void refuse(double value, std::size_t row, std::size_t index) const {
        if (!(value - value == 0))
            refuse_features(features_, "the features", static_cast<std::int64_t>(row),
                            static_cast<std::int64_t>(index));
        Place place;
        place.row = static_cast<std::int64_t>(row);
        place.column = std::string(features_);
        place.element = static_cast<std::int64_t>(index);
        throw NumericOverflow(
            "element " + std::to_string(index) + " of the features \"" + place.column +
                "\" is beyond 1e12, and its gradients' squares would leave the range of float; scale it",
            place);
    }

    /// Numbers the keys that the pairs (key, position) name.
    void finish(Slice& slice, std::uint64_t width) {
        sort_pairs(width);
        places_.resize(pairs_.size());
        keys_.resize(pairs_.size() + 1);
        std::size_t found = 0;
        for (std::size_t i = 0; i < entries_; ++i) {
            const auto key = static_cast<std::uint32_t>(pairs_[i] >> 32);
            found += found == 0 || keys_[found - 1] != key;
            keys_[found - 1] = key;
            places_[static_cast<std::uint32_t>(pairs_[i])] = static_cast<std::uint32_t>(found - 1);
        }
        if (intercept_) keys_[found++] = static_cast<std::uint32_t>(width);
        slice.keys.assign(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(found));
        const auto filler = static_cast<std::uint32_t>(found);
        slice.begins.reserve(counts_.size() + 1);
        slice.begins.push_back(0);
        std::size_t from = 0, total = 0;
        for (std::size_t count : counts_) total += (count + 15) / 16 * 16;
        slice.entries.assign(total, filler);
        slice.values.resize(total);
        std::size_t to = 0;
        for (const std::size_t count : counts_) {
            std::uint32_t before = filler;
            for (const std::size_t end = from + count; from < end; ++from) {
                to -= places_[from] == before;  // an index that a row names twice
                before = slice.entries[to] = places_[from];
                slice.values[to++] += values_[from];
            }
            to = (to + 15) / 16 * 16;
            slice.begins.push_back(static_cast<std::uint32_t>(to));
        }
        slice.entries.resize(to);
        slice.values.resize(to);
    }

    /// By key, stably: eleven bits at a time.
    void sort_pairs(std::uint64_t width) {
        other_.resize(pairs_.size());
        for (unsigned shift = 32; shift < 64 && ((width - 1) >> (shift - 32)) != 0; shift += 11) {
            std::uint32_t starts[2049] = {};
            for (std::size_t i = 0; i < entries_; ++i) ++starts[(pairs_[i] >> shift & 2047) + 1];
            for (std::size_t i = 1; i < 2049; ++i) starts[i] += starts[i - 1];
            for (std::size_t i = 0; i < entries_; ++i) other_[starts[pairs_[i] >> shift & 2047]++] = pairs_[i];
            pairs_.swap(other_);
        }
    }

    std::size_t slice_rows_;
    bool intercept_;
    std::string_view features_;
    std::size_t entries_ = 0;                   // of the slice
    std::vector<std::uint64_t> pairs_, other_;  // key and position
    std::vector<float> values_;                 // by position
    std::vector<std::uint32_t> places_;         // by position
    std::vector<std::uint32_t> keys_;           // ascending, each once
    std::vector<std::size_t> counts_;           // of each row
};

/// What the pass that packs rows finds besides: what the table's width and units follow from.
struct SliceSizes {
    FeatureWidth width;
    Max<double> largest_value, heaviest_slice;
    ExactSum exponents;  ///< of what an entry, or a row to the intercept, adds: its value by the row's weight
    Count exponents_of;
    Scratch<SlicePacker> packer;  ///< this thread's

    /// What an entry adds on the geometric average, which a few outliers do not move.
    double usual() const {
        const std::int64_t of = exponents_of.rows();
        return of == 0 ? 1 : std::exp2(exponents.value() / static_cast<double>(of));
    }

  private:
    BOOST_DESCRIBE_CLASS(SliceSizes, (), (width, largest_value, heaviest_slice, exponents, exponents_of), (), ())
};

inline void SlicePacker::note(SliceSizes& sizes, std::size_t width, double largest, double heaviest,
                              std::int64_t exponents, std::int64_t exponents_of) {
    sizes.width.add(width);
    sizes.largest_value.add(largest);
    sizes.heaviest_slice.add(heaviest);
    sizes.exponents.add(static_cast<double>(exponents));
    sizes.exponents_of.update(static_cast<std::size_t>(exponents_of));
}

}  // namespace partita::inline PARTITA_ABI::detail
