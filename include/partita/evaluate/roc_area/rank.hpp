// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ranks the rows of one bucket and counts their pairs, in the processor's cache: rows are dealt to about as many finer
// buckets as there are rows, by linear interpolation, and what is left out of order is put right by insertion.

#include <partita/core/version.hpp>
#include <partita/evaluate/roc_area/tally.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Sorts rows that are nearly in order; rows of equal bits may change places.
template <class Row>
void insertion_sort(Row* rows, std::size_t count) {
    for (std::size_t i = 1; i < count; ++i) {
        const Row row = rows[i];
        std::size_t at = i;
        for (; at > 0 && bits_of(rows[at - 1]) > bits_of(row); --at) rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

/// The memory that one thread ranks in.
template <class Row>
class Ranker {
  public:
    /// Counts the rows in ascending order of their scores; leaves them in any order.
    void count(Row* rows, std::size_t count, Tally<Row>& tally) {
        if (count > capacity_) {
            scratch_ = std::make_unique_for_overwrite<Row[]>(count);
            capacity_ = count;
        }
        if (count >> 32 != 0) {  // beyond what the counts of finer buckets hold
            std::sort(rows, rows + count, [](const Row& a, const Row& b) { return bits_of(a) < bits_of(b); });
            tally.count_sorted(rows, count);
        } else {
            rank(rows, scratch_.get(), count, tally);
        }
    }

  private:
    static constexpr std::size_t few = 16;
    static constexpr std::size_t most_buckets = 8192;

    // Every level of the recursion divides the range of the scores by 32 at least, so there are at most 13 levels.
    void rank(Row* rows, Row* other, std::size_t count, Tally<Row>& tally) {
        if (count == 0) return;
        if (count <= few) {
            insertion_sort(rows, count);
            tally.count_sorted(rows, count);
            return;
        }
        auto least = bits_of(rows[0]), most = least;
        for (std::size_t i = 0; i < count; ++i) {
            const auto bits = bits_of(rows[i]);
            least = bits < least ? bits : least;
            most = bits > most ? bits : most;
        }
        least >>= 1;
        most >>= 1;
        if (least == most) return tally.count_tied(rows, count);

        const int bucket_bits = static_cast<int>(std::bit_width(std::min(count, most_buckets) - 1));
        const int shift =
            std::max(0, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most - least))) - bucket_bits);
        const std::size_t buckets = static_cast<std::size_t>((most - least) >> shift) + 1;
        const std::size_t base = ends_.size();
        ends_.resize(base + buckets);
        std::uint32_t* const ends = ends_.data() + base;
        for (std::size_t i = 0; i < count; ++i) ++ends[((bits_of(rows[i]) >> 1) - least) >> shift];
        std::uint32_t start = 0, fullest = 0;
        for (std::size_t b = 0; b < buckets; ++b) {
            const std::uint32_t size = ends[b];
            fullest = std::max(fullest, size);
            ends[b] = start;
            start += size;
        }
        for (std::size_t i = 0; i < count; ++i) other[ends[((bits_of(rows[i]) >> 1) - least) >> shift]++] = rows[i];
        if (fullest <= few) {
            insertion_sort(other, count);
            tally.count_sorted(other, count);
        } else {
            for (std::size_t b = 0, from = 0; b < buckets; ++b) {
                const std::size_t to = ends_[base + b];  // deeper levels may move the memory
                rank(other + from, rows + from, to - from, tally);
                from = to;
            }
        }
        ends_.resize(base);
    }

    std::unique_ptr<Row[]> scratch_;
    std::size_t capacity_ = 0;
    std::vector<std::uint32_t> ends_;  // of the buckets of all levels at work
};

}  // namespace partita::inline PARTITA_ABI::detail
