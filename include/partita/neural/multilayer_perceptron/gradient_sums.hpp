// SPDX-License-Identifier: Apache-2.0
#pragma once

// The gradient of a layer in integers of one unit, which make the sum over parts and workers exact. The unit is a power of two
// that follows the size of the gradients from batch to batch: every part says how large its elements are, in steps of 2^6, and
// these counts travel with the sums, so that all workers choose the same unit for the next batch, or for the same one again
// where it was too coarse or too fine.

#include <partita/exec/thread_pool.hpp>
#include <partita/math/dense_layer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// The bits that sums have: a part's elements are below 2^bits units, so that as many parts as a batch has fit a word.
class SumUnits {
  public:
    /// `heaviest_part` is a bound of the weights of a part's rows together.
    SumUnits(std::size_t parts_of_batch, double heaviest_part) {
        while (bits_ > 30 && std::ldexp(static_cast<double>(parts_of_batch), bits_) > 0x1p61) --bits_;
        weight_exponent_ = bits_ - 1 - std::ilogb(heaviest_part);
    }

    int bits() const { return bits_; }
    /// Even the largest float fits.
    int lowest_exponent() const { return bits_ - 128; }

    /// At least 1: beside much heavier batches a batch of light rows has a weight, too.
    std::int64_t weight_words(double weight) const {
        return std::max(std::int64_t{1},
                        static_cast<std::int64_t>(std::nearbyint(std::ldexp(weight, weight_exponent_))));
    }
    double weight(std::int64_t words) const { return std::ldexp(static_cast<double>(words), -weight_exponent_); }

  private:
    int bits_ = 50;
    int weight_exponent_ = 0;
};

class GradientSums {
  public:
    enum class Verdict { fine, again, not_finite };

    GradientSums(const DenseLayer& layer, std::size_t threads)
        : inputs_(layer.inputs), outputs_(layer.outputs), stride_(layer.stride), columns_(layer.columns()) {
        threads_.resize(threads);
        words_.resize((inputs_ + 1) * outputs_ + counts + 1);
    }

    /// What a word of the sums stands for.
    double unit() const { return std::ldexp(1.0, -exponent_); }
    /// The unit of the next sums, as the exponent of what it is divided by, for checkpoints.
    std::int32_t next_exponent() const { return next_exponent_; }
    void next_exponent(std::int32_t exponent) { next_exponent_ = exponent; }
    static bool may_have(std::int32_t exponent) { return exponent >= -128 && exponent <= highest_exponent; }
    /// The sums over all workers, (inputs + 1) x outputs, after the reduction.
    std::span<const std::int64_t> totals() const { return std::span(words_).first((inputs_ + 1) * outputs_); }
    std::int64_t weight_words() const { return words_.back(); }

    /// Forgets the sums, and takes the unit that was chosen last.
    void clear() {
        exponent_ = next_exponent_;
        for (ThreadSums& thread : threads_) {
            if (!thread.used) continue;
            std::fill(thread.sums.begin(), thread.sums.end(), 0);
            thread.sizes = {};
            thread.weight = 0;
            thread.used = false;
        }
    }

    /// Adds valuesᵀ·deltas of a part, and below it the sums of the deltas.
    void add_product(std::size_t thread, const float* values, std::size_t value_stride, const float* deltas,
                     std::size_t rows, const SumUnits& units) {
        static constexpr float one = 1;
        ThreadSums& mine = use(thread);
        const double scale = std::ldexp(1.0, exponent_), bound = std::ldexp(1.0, units.bits() - exponent_);
        const float limit = bound < 0x1p128 ? static_cast<float>(bound) : HUGE_VALF;
        const RightFactor right{deltas, columns_, stride_, nullptr};
        const Deposit weights =
            deposit_product({values, inputs_, rows, 1, value_stride}, right, scale, limit, mine.sums.data(), stride_);
        const Deposit bias =
            deposit_product({&one, 1, rows, 0, 0}, right, scale, limit, mine.sums.data() + inputs_ * stride_, stride_);
        const double largest = static_cast<double>(std::max(weights.largest, bias.largest));
        if (!weights.inside || !bias.inside) ++mine.sizes[0];
        else if (largest > 0) ++mine.sizes[size_class(largest * scale, units)];
    }
    void add_weight(std::size_t thread, double weight, const SumUnits& units) {
        use(thread).weight += units.weight_words(weight);
    }

    /// The sums of this worker's threads, as the words of a reduction.
    std::span<std::int64_t> total(ThreadPool& pool) {
        constexpr std::size_t rows_at_once = 64;
        pool.for_each((inputs_ + rows_at_once) / rows_at_once, [&](std::size_t index, std::size_t) {
            const std::size_t end = std::min(inputs_ + 1, (index + 1) * rows_at_once);
            for (std::size_t i = index * rows_at_once; i < end; ++i) {
                std::int64_t* to = words_.data() + i * outputs_;
                std::fill(to, to + outputs_, 0);
                for (const ThreadSums& thread : threads_) {
                    if (!thread.used) continue;
                    const std::int64_t* from = thread.sums.data() + i * stride_;
                    // Sums in a unit that turns out too fine may be beyond 64 bits; settle() has them made again.
                    for (std::size_t o = 0; o < outputs_; ++o)
                        to[o] = static_cast<std::int64_t>(static_cast<std::uint64_t>(to[o]) +
                                                          static_cast<std::uint64_t>(from[o]));
                }
            }
        });
        std::fill(words_.end() - counts - 1, words_.end(), 0);
        for (const ThreadSums& thread : threads_) {
            for (std::size_t k = 0; k < counts; ++k) words_[(inputs_ + 1) * outputs_ + k] += thread.sizes[k];
            words_.back() += thread.weight;
        }
        return words_;
    }

    /// Chooses the unit from the sizes of all workers' parts. `again`: this sum was made in a unit that does not do.
    Verdict settle(const SumUnits& units) {
        const std::int64_t* sizes = words_.data() + (inputs_ + 1) * outputs_;
        if (sizes[0] > 0) {
            if (exponent_ <= units.lowest_exponent()) return Verdict::not_finite;
            next_exponent_ = std::max(exponent_ - 30, units.lowest_exponent());
            return Verdict::again;
        }
        int largest = 1;
        while (largest < static_cast<int>(counts) && sizes[largest] == 0) ++largest;
        if (largest == static_cast<int>(counts)) return Verdict::fine;  // all zeros
        next_exponent_ = std::min(exponent_ + step_bits * (largest - wanted_class), highest_exponent);
        return largest >= coarse_class && next_exponent_ > exponent_ ? Verdict::again : Verdict::fine;
    }

  private:
    /// A part's largest element, in units: class 0 is beyond 2^bits, class k below 2^(bits - 6(k - 1)), the last anything less.
    static constexpr std::size_t counts = 9;
    static constexpr int step_bits = 6, wanted_class = 2, coarse_class = 5, highest_exponent = 190;

    struct ThreadSums {
        AlignedVector<std::int64_t> sums;
        std::array<std::int64_t, counts> sizes{};
        std::int64_t weight = 0;
        bool used = false;
    };

    ThreadSums& use(std::size_t thread) {
        ThreadSums& mine = threads_[thread];
        if (mine.sums.empty()) mine.sums.resize((inputs_ + 1) * stride_);
        mine.used = true;
        return mine;
    }

    static std::size_t size_class(double units_of_largest, const SumUnits& units) {
        std::size_t at = 1;
        double border = std::ldexp(1.0, units.bits() - step_bits);
        while (at + 1 < counts && units_of_largest < border) {
            ++at;
            border *= 0x1p-6;
        }
        return at;
    }

    std::size_t inputs_, outputs_, stride_, columns_;
    int exponent_ = 30, next_exponent_ = 30;
    std::vector<ThreadSums> threads_;
    std::vector<std::int64_t> words_;
};

}  // namespace partita::inline PARTITA_ABI::detail
