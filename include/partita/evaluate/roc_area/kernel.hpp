// SPDX-License-Identifier: Apache-2.0
#pragma once

// The exact area under the ROC curve of rows in memory: all threads deal the rows to buckets by the leading bits of their
// scores, then count the pairs within each bucket; between buckets every pair is decided.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/evaluate/roc_area/rank.hpp>
#include <partita/evaluate/roc_area/tally.hpp>
#include <partita/evaluate/score.hpp>
#include <partita/exec/thread_pool.hpp>
#include <partita/math/ordered_bits.hpp>
#include <partita/math/weights.hpp>

#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// A run of rows: scores, labels (0 or 1), and weights or none.
template <class T>
struct ScoredRows {
    const T* scores;
    const std::uint8_t* labels;
    Weights weights;
    std::size_t rows;
};

/// Keys that order like the scores, as unsigned integers.
template <class T>
using ScoreKey = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
ScoreKey<T> score_key(T score) {
    using Key = ScoreKey<T>;
    return static_cast<Key>(ordered_bits(score)) ^ (Key{1} << (8 * sizeof(Key) - 1));
}

/// What a first look at the rows tells; rows of weight zero are not looked at.
template <class T>
struct ScoreRange {
    ScoreKey<T> least = std::numeric_limits<ScoreKey<T>>::max(), most = 0;
    double heaviest[2] = {0, 0};  // of both classes
    bool sound = true;            // no weight is negative or not finite

    void look(const ScoredRows<T>& run, bool all_unit) {
        if (all_unit) {
            for (std::size_t i = 0; i < run.rows; ++i) {
                const auto key = score_key(run.scores[i]);
                least = key < least ? key : least;
                most = key > most ? key : most;
            }
            return;
        }
        for (std::size_t i = 0; i < run.rows; ++i) {
            const double weight = run.weights[i];
            sound = sound && weight >= 0 && weight <= std::numeric_limits<double>::max();
            if (!(weight > 0)) continue;
            const auto key = score_key(run.scores[i]);
            least = std::min(least, key);
            most = std::max(most, key);
            double& heaviest_of_class = heaviest[run.labels[i] != 0];
            heaviest_of_class = std::max(heaviest_of_class, weight);
        }
    }
    void merge(const ScoreRange& other) {
        least = std::min(least, other.least);
        most = std::max(most, other.most);
        for (int label : {0, 1}) heaviest[label] = std::max(heaviest[label], other.heaviest[label]);
        sound = sound && other.sound;
    }
    bool finite() const {
        return least > score_key(-std::numeric_limits<T>::infinity()) &&
               most < score_key(std::numeric_limits<T>::infinity());
    }
};

template <class T>
[[noreturn]] void refuse_rows(std::span<const ScoredRows<T>> runs) {
    std::int64_t row = 0;
    for (const ScoredRows<T>& run : runs) {
        for (std::size_t i = 0; i < run.rows; ++i, ++row) {
            const double weight = run.weights[i];
            Place place;
            place.row = row;
            const std::string where = " (row " + std::to_string(row) + ")";
            if (!std::isfinite(weight))
                throw NonFiniteValue("a weight is NaN or infinite; give finite weights" + where, place);
            if (weight < 0)
                throw NegativeWeight("a weight is negative; weights count rows, so give 0 or more" + where, place);
            if (weight > 0 && !std::isfinite(run.scores[i])) {
                throw NonFiniteValue("a score is NaN or infinite, which has no rank; filter such rows out" + where,
                                     place);
            }
        }
    }
    throw NonFiniteValue("a score or a weight is not finite");
}

/// Rows of a class in units of 2^-62 of (a power of two that is at least) its heaviest row.
inline std::uint64_t weight_units(double weight, int exponent) {
    return static_cast<std::uint64_t>(__builtin_ldexp(weight, exponent) + 0.5);
}
inline int unit_exponent(double heaviest) {
    int exponent = 0;
    static_cast<void>(std::frexp(heaviest, &exponent));
    return 62 - exponent;
}

/// Deals rows to buckets and counts their pairs. A first look divides the range of the scores evenly into bins; neighbouring
/// bins make a bucket of about the same number of rows, so that any spread of scores gives work to all threads.
template <class T, class Row>
class PairCounter {
  public:
    PairCounter(std::span<const ScoredRows<T>> runs, const ScoreRange<T>& range, ThreadPool& pool)
        : runs_(runs), least_(range.least), pool_(pool) {
        for (const ScoredRows<T>& run : runs) rows_ += run.rows;
        const auto width = static_cast<std::uint64_t>(range.most - range.least);
        bin_bits_ = std::min<int>(most_bin_bits, static_cast<int>(std::bit_width(rows_)) + 1);
        shift_ = std::max(0, static_cast<int>(std::bit_width(width)) - bin_bits_);
        bins_ = static_cast<std::size_t>(width >> shift_) + 1;
        if constexpr (Tally<Row>::weighted) {
            for (int label : {0, 1}) exponent_[label] = unit_exponent(range.heaviest[label]);
        }
        parts_ = std::min(runs.size(), std::max(pool.threads(), rows_ >> 31));  // counts of a part have 32 bits
    }

    Score area() {
        count_bins();
        group_bins();
        deal();
        std::vector<Tally<Row>> tallies(buckets());
        std::vector<Ranker<Row>> rankers(pool_.threads());
        constexpr std::size_t stride = 8;
        pool_.for_each((buckets() + stride - 1) / stride, [&](std::size_t group, std::size_t worker) {
            const std::size_t last = std::min(buckets(), (group + 1) * stride);
            for (std::size_t b = group * stride; b < last; ++b) {
                rankers[worker].count(dealt_.get() + starts_[b], starts_[b + 1] - starts_[b], tallies[b]);
            }
        });
        PairCount negative = 0, positive = 0;
        PairSum pairs, all;
        for (const Tally<Row>& tally : tallies) {
            pairs.add(tally.pairs);
            pairs.add_product(tally.positive, 2 * negative);
            negative += tally.negative;
            positive += tally.positive;
        }
        if (positive == 0) return Score::undefined("all rows are of the negative class");
        if (negative == 0) return Score::undefined("all rows are of the positive class");
        all.add_product(positive, 2 * negative);
        return Score(pairs.rounded() / all.rounded());
    }

  private:
    static constexpr int most_bin_bits = 15;
    static constexpr std::size_t bucket_rows = 1024;   // what ranks well in the nearest cache
    static constexpr std::size_t most_buckets = 4096;  // what the processor can write to at once

    struct Bucket {
        std::size_t next;   // where the next row of a part goes
        ScoreKey<T> first;  // the least key of the bucket, above the least of all
    };

    std::size_t buckets() const { return firsts_.size(); }
    std::size_t first_run(std::size_t part) const { return part * runs_.size() / parts_; }
    ScoreKey<T> above_least(T score) const { return static_cast<ScoreKey<T>>(score_key(score) - least_); }

    /// Calls `use(run, row)` for the rows of a part.
    template <class Use>
    void for_each_row(std::size_t part, Use use) const {
        for (std::size_t r = first_run(part); r < first_run(part + 1); ++r) {
            const ScoredRows<T> run = runs_[r];
            for (std::size_t i = 0; i < run.rows; ++i) {
                if constexpr (Tally<Row>::weighted) {
                    if (!(run.weights[i] > 0)) continue;
                }
                use(run, i);
            }
        }
    }
    void count_bins() {
        counts_.resize(parts_);
        pool_.for_each(parts_, [&](std::size_t part, std::size_t) {
            counts_[part].assign(bins_, 0);
            std::uint32_t* const counts = counts_[part].data();
            for_each_row(part, [this, counts](const ScoredRows<T>& run, std::size_t i) {
                ++counts[above_least(run.scores[i]) >> shift_];
            });
        });
    }
    void group_bins() {
        const std::size_t wanted = std::max(bucket_rows, rows_ / most_buckets);
        // A row needs room for its label beside what it exceeds its bucket's first key by, hence the limit on bins.
        const std::size_t most_bins = std::size_t{1} << (bin_bits_ - 1);
        bucket_of_.resize(bins_);
        std::size_t rows = wanted, first_bin = 0;
        for (std::size_t bin = 0; bin < bins_; ++bin) {
            std::size_t here = 0;
            for (const auto& counts : counts_) here += counts[bin];
            if (rows + here > wanted || bin - first_bin >= most_bins) {
                firsts_.push_back(static_cast<ScoreKey<T>>(ScoreKey<T>(bin) << shift_));
                rows = 0;
                first_bin = bin;
            }
            rows += here;
            bucket_of_[bin] = static_cast<std::uint16_t>(firsts_.size() - 1);
        }
    }
    void deal() {
        std::vector<std::vector<Bucket>> at(parts_);
        for (std::size_t part = 0; part < parts_; ++part) {
            at[part].resize(buckets());
            for (std::size_t bin = 0; bin < bins_; ++bin) at[part][bucket_of_[bin]].next += counts_[part][bin];
        }
        starts_.resize(buckets() + 1);
        std::size_t start = 0;
        for (std::size_t b = 0; b < buckets(); ++b) {
            starts_[b] = start;
            for (std::vector<Bucket>& part : at) {
                const std::size_t rows = part[b].next;
                part[b] = {start, firsts_[b]};
                start += rows;
            }
        }
        starts_[buckets()] = start;
        dealt_ = std::make_unique_for_overwrite<Row[]>(start);
        pool_.for_each(parts_, [&](std::size_t part, std::size_t) {
            Bucket* const to = at[part].data();
            Row* const dealt = dealt_.get();
            const std::uint16_t* const bucket_of = bucket_of_.data();
            for_each_row(part, [=, this](const ScoredRows<T>& run, std::size_t i) {
                const ScoreKey<T> above = above_least(run.scores[i]);
                const bool label = run.labels[i] != 0;
                Bucket& bucket = to[bucket_of[above >> shift_]];
                const auto bits = static_cast<ScoreKey<T>>((above - bucket.first) << 1 | ScoreKey<T>{label});
                Row& row = dealt[bucket.next++];
                if constexpr (Tally<Row>::weighted) {
                    row = {bits, weight_units(run.weights[i], exponent_[label])};
                } else {
                    row = bits;
                }
            });
        });
    }

    std::span<const ScoredRows<T>> runs_;
    ScoreKey<T> least_;
    ThreadPool& pool_;
    int bin_bits_ = 0, shift_ = 0, exponent_[2] = {0, 0};
    std::size_t bins_ = 0, rows_ = 0, parts_ = 0;
    std::vector<std::vector<std::uint32_t>> counts_;  // of each part, in each bin
    std::vector<std::uint16_t> bucket_of_;            // each bin
    std::vector<ScoreKey<T>> firsts_;                 // of each bucket: its least key, above the least of all
    std::vector<std::size_t> starts_;                 // of each bucket, in dealt_
    std::unique_ptr<Row[]> dealt_;
};

/// The exact area of several runs of rows; the runs may be in any order. Row numbers in errors count through the runs.
template <class T>
Score area_of_runs(std::span<const ScoredRows<T>> runs, ThreadPool& pool) {
    bool unit = true;
    for (const ScoredRows<T>& run : runs) unit = unit && run.weights.unit();
    std::vector<ScoreRange<T>> ranges(std::max<std::size_t>(1, std::min(runs.size(), 4 * pool.threads())));
    pool.for_each(ranges.size(), [&](std::size_t part, std::size_t) {
        ScoreRange<T> range;
        for (std::size_t r = part * runs.size() / ranges.size(); r < (part + 1) * runs.size() / ranges.size(); ++r) {
            range.look(runs[r], unit);
        }
        ranges[part] = range;
    });
    ScoreRange<T> range;
    for (const ScoreRange<T>& part : ranges) range.merge(part);
    if (!range.sound) refuse_rows(runs);
    if (range.least > range.most) return Score::undefined("there are no rows of positive weight");
    if (!range.finite()) refuse_rows(runs);
    if (!unit) return PairCounter<T, WeightedRow>(runs, range, pool).area();
    if constexpr (sizeof(T) == 4) {
        return PairCounter<T, NarrowRow>(runs, range, pool).area();
    } else {
        return PairCounter<T, WideRow>(runs, range, pool).area();
    }
}

}  // namespace detail

/// The exact area under the ROC curve: the chance that a row of the positive class scores higher than one of the negative
/// class, ties counting half. Scores of n rows, float or double; labels of n rows, 0 for the negative class.
///
/// Undefined without rows of positive weight, or where they are of one class. Errors: WrongWidth if the spans differ in
/// length; NonFiniteValue and NegativeWeight with the row. Determinism: counted in integers, so the same bits in any order of
/// the rows and on any number of threads; weights are taken as multiples of 2^-62 of the heaviest of their class.
/// Cost: three passes over the rows and a sort in cache, 12 to 15 ns a row for one thread (4 where many are tied), shared
/// among the pool's; 4 bytes a row of float scores and 8 of double, 16 with weights.
/// Source: Mann and Whitney (1947), doi:10.1214/aoms/1177730491.
template <class T>
    requires std::same_as<T, float> || std::same_as<T, double>
Score roc_area(std::span<const T> scores, std::span<const std::uint8_t> labels, Weights weights, ThreadPool& pool) {
    if (labels.size() != scores.size()) {
        throw WrongWidth("roc_area: there are " + std::to_string(scores.size()) + " scores and " +
                         std::to_string(labels.size()) + " labels; give one label for each score");
    }
    constexpr std::size_t run_rows = 16384;
    std::vector<detail::ScoredRows<T>> runs;
    for (std::size_t first = 0; first < scores.size(); first += run_rows) {
        runs.push_back({scores.data() + first, labels.data() + first, weights.from(first),
                        std::min(run_rows, scores.size() - first)});
    }
    return detail::area_of_runs<T>(runs, pool);
}

}  // namespace partita::inline PARTITA_ABI
