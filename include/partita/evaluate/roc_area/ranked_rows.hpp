// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows that a ROC area is made of, as an exact accumulator: merging two sets of rows moves pointers to runs of them.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>
#include <partita/evaluate/roc_area/kernel.hpp>
#include <partita/math/word_reader.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// A run of rows of positive weight. Scores are narrow or wide; weights are those of the rows, or how many equal rows each
/// stands for, or none.
struct RankedRun {
    std::vector<float> narrow;
    std::vector<double> wide;
    std::vector<std::uint8_t> labels;
    std::vector<double> weights;
    bool counted = false;

    std::size_t rows() const { return labels.size(); }
    double score(std::size_t row) const { return narrow.empty() ? wide[row] : static_cast<double>(narrow[row]); }
};

/// Whether equal rows are common enough to be sent as one with their number; judged by the first 4096.
inline bool worth_counting(const RankedRun& run) {
    const std::size_t looked_at = std::min<std::size_t>(4096, run.rows());
    if (looked_at < 64 || !run.weights.empty()) return false;
    std::vector<double> scores(looked_at);
    for (std::size_t i = 0; i < looked_at; ++i) scores[i] = run.score(i);
    std::sort(scores.begin(), scores.end());
    const auto distinct = std::unique(scores.begin(), scores.end()) - scores.begin();
    return static_cast<std::size_t>(distinct) * 8 < looked_at;
}

/// The run with equal rows put together.
inline RankedRun counted_run(const RankedRun& run) {
    struct Labelled {
        double score;
        std::uint8_t label;
        bool operator<(const Labelled& other) const {
            return score < other.score || (score == other.score && label < other.label);
        }
    };
    std::vector<Labelled> rows(run.rows());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = {run.score(i), run.labels[i]};
    std::sort(rows.begin(), rows.end());
    RankedRun counted;
    counted.counted = true;
    for (std::size_t first = 0, i = 0; i < rows.size(); first = i) {
        while (i < rows.size() && !(rows[first] < rows[i])) ++i;
        counted.wide.push_back(rows[first].score);
        counted.labels.push_back(rows[first].label);
        counted.weights.push_back(static_cast<double>(i - first));
    }
    return counted;
}

/// The run with every row for itself again.
inline RankedRun expanded_run(const RankedRun& run) {
    RankedRun expanded;
    for (std::size_t i = 0; i < run.rows(); ++i) {
        const auto copies = static_cast<std::size_t>(run.weights[i]);
        expanded.wide.insert(expanded.wide.end(), copies, run.score(i));
        expanded.labels.insert(expanded.labels.end(), copies, run.labels[i]);
    }
    return expanded;
}

/// Scores with labels and weights, in any order. Merging is associative and commutative as far as `area` can tell.
///
/// Cost: 5 bytes a row of float scores, 9 of double, 8 more with weights, on every worker after a reduction; where equal
/// rows are common they travel as one with their number.
class RankedRows {
  public:
    /// Adds rows of finite scores; those of weight zero are left out. Labels are 0 or 1.
    template <class T>
    void add(std::span<const T> scores, const std::uint8_t* labels, Weights weights) {
        auto run = std::make_shared<RankedRun>();
        auto& kept = [&]() -> auto& {
            if constexpr (std::is_same_v<T, float>) return run->narrow;
            else return run->wide;
        }();
        if (weights.unit()) {
            kept.assign(scores.begin(), scores.end());
            run->labels.assign(labels, labels + scores.size());
        } else {
            for (std::size_t i = 0; i < scores.size(); ++i) {
                if (!(weights[i] > 0)) continue;
                kept.push_back(scores[i]);
                run->labels.push_back(labels[i]);
                run->weights.push_back(weights[i]);
            }
        }
        if (run->rows() != 0) runs_.push_back(std::move(run));
    }
    void merge(const RankedRows& other) {
        // Not by iterators into `other`, which may be this.
        const std::size_t count = other.runs_.size();
        runs_.reserve(runs_.size() + count);
        for (std::size_t i = 0; i < count; ++i) runs_.push_back(other.runs_[i]);
    }
    std::size_t rows() const {
        std::size_t total = 0;
        for (const auto& run : runs_) total += run->rows();
        return total;
    }

    Score area(ThreadPool& pool) const {
        bool all_narrow = true, any_counted = false, any_weighted = false;
        for (const auto& run : runs_) {
            all_narrow = all_narrow && !run->narrow.empty();
            any_counted = any_counted || run->counted;
            any_weighted = any_weighted || (!run->counted && !run->weights.empty());
        }
        // Counts among weights would change the unit that weights are rounded to.
        if (any_counted && any_weighted) return expanded().area(pool);
        return all_narrow ? area_as<float>(pool) : area_as<double>(pool);
    }

    // The protocol of math/accumulator.hpp: rows are keys, and all workers get those of all.
    static constexpr bool keyed = true;
    void offer_shape(std::vector<std::int64_t>&) const {}
    void adopt_shape(WordReader&) {}
    /// Gives the rows away: they come back with those of the other workers.
    void offer_keys(std::string& bytes);
    void adopt_keys(std::string_view bytes);
    void offer_window(std::vector<std::int64_t>&) const {}
    void adopt_window(WordReader&) {}
    void pack(std::vector<std::int64_t>&) const {}
    void unpack(WordReader&) {}

  private:
    template <class T>
    Score area_as(ThreadPool& pool) const {
        std::vector<ScoredRows<T>> runs;
        std::vector<std::vector<double>> widened;
        for (const auto& run : runs_) {
            const Weights weights = run->weights.empty() ? Weights() : Weights(run->weights.data());
            if constexpr (std::is_same_v<T, float>) {
                runs.push_back({run->narrow.data(), run->labels.data(), weights, run->rows()});
            } else {
                if (!run->narrow.empty()) widened.emplace_back(run->narrow.begin(), run->narrow.end());
                const double* scores = run->narrow.empty() ? run->wide.data() : widened.back().data();
                runs.push_back({scores, run->labels.data(), weights, run->rows()});
            }
        }
        return area_of_runs<T>(runs, pool);
    }
    RankedRows expanded() const {
        RankedRows all;
        for (const auto& run : runs_) {
            all.runs_.push_back(run->counted ? std::make_shared<const RankedRun>(expanded_run(*run)) : run);
        }
        return all;
    }
    RankedRun gathered() const;

    std::vector<std::shared_ptr<const RankedRun>> runs_;
};

/// All rows in one run.
inline RankedRun RankedRows::gathered() const {
    bool narrow = true, weighted = false, counted = true;
    for (const auto& run : runs_) {
        narrow = narrow && !run->narrow.empty();
        weighted = weighted || !run->weights.empty();
        counted = counted && run->counted;
    }
    if (weighted && !counted) {
        for (const auto& run : runs_) {
            if (run->counted) return expanded().gathered();
        }
    }
    RankedRun all;
    all.counted = weighted && counted;
    for (const auto& run : runs_) {
        for (std::size_t i = 0; !narrow && i < run->rows(); ++i) all.wide.push_back(run->score(i));
        if (narrow) all.narrow.insert(all.narrow.end(), run->narrow.begin(), run->narrow.end());
        all.labels.insert(all.labels.end(), run->labels.begin(), run->labels.end());
        if (!weighted) continue;
        all.weights.insert(all.weights.end(), run->weights.begin(), run->weights.end());
        all.weights.resize(all.rows(), 1.0);
    }
    return all;
}

inline void RankedRows::offer_keys(std::string& bytes) {
    RankedRun run = gathered();
    runs_.clear();
    if (run.rows() == 0) return;
    if (worth_counting(run)) run = counted_run(run);
    const auto append = [&]<class T>(const std::vector<T>& values) {
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    };
    const std::uint64_t head[2] = {
        run.rows(), (run.narrow.empty() ? 0u : 1u) | (run.weights.empty() ? 0u : 2u) | (run.counted ? 4u : 0u)};
    bytes.append(reinterpret_cast<const char*>(head), sizeof head);
    append(run.narrow);
    append(run.wide);
    append(run.weights);
    append(run.labels);
}

inline void RankedRows::adopt_keys(std::string_view bytes) {
    if (bytes.empty()) return;
    std::uint64_t head[2] = {};
    std::memcpy(head, bytes.data(), std::min(bytes.size(), sizeof head));
    const bool narrow = head[1] & 1, weighted = head[1] & 2;
    const std::size_t row_bytes = (narrow ? 4u : 8u) + (weighted ? 8u : 0u) + 1u;
    if (head[0] > bytes.size() || bytes.size() != sizeof head + head[0] * row_bytes) {
        throw CollectiveMismatch(
            "the rows that a worker sent for a ROC area do not have the length they announce; run the same "
            "program on every worker");
    }
    auto run = std::make_shared<RankedRun>();
    const char* at = bytes.data() + sizeof head;
    const auto take = [&]<class T>(std::vector<T>& values) {
        values.resize(head[0]);
        std::memcpy(values.data(), at, head[0] * sizeof(T));
        at += head[0] * sizeof(T);
    };
    if (narrow) take(run->narrow);
    else take(run->wide);
    if (weighted) take(run->weights);
    take(run->labels);
    run->counted = (head[1] & 4) != 0;
    runs_.push_back(std::move(run));
}

}  // namespace partita::inline PARTITA_ABI::detail
