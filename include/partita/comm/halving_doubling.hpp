// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/comm/link.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// All-reduce in ceil(log2 P) or so steps: workers meet in pairs, at distances that are powers of two. Of a number of workers that is
/// no power of two, the last ones are guests of the first: they hand in their vectors before and are given the result after.
/// Who meets whom, in which order, is the same for all three forms up to where `halve_and_double` begins to double, so that workers whose vectors differ in length find that
/// out instead of waiting for each other: by then every worker has met every other, directly or not, and either all of them have an
/// error or none has. (After a step, so have all or none of those that have met: of two such groups either one brings errors
/// to all of the other, or all pairs between them compare the same two lengths.)
/// Source: Thakur, Rabenseifner and Gropp, Optimization of collective communication operations in MPICH, 2005.
class HalvingDoubling {
  public:
    explicit HalvingDoubling(Link& link) : link_(link), members_(std::bit_floor(link.size())) {}

    /// Recursive doubling: whole vectors at every step. The fewest steps.
    void exchange_all(std::span<std::int64_t> words, Reduction reduction) {
        with_guests(words, reduction, [&] {
            for (std::size_t distance = 1; distance < members_; distance *= 2) {
                const std::size_t other = link_.rank() ^ distance;
                link_.exchange(other, words, other, words, reduction);
            }
        });
    }

    /// Recursive halving, until every member has one part of the result, then doubling, until all have all: twice the steps, but no
    /// more than 2(P-1)/P of the vector sent by each.
    void halve_and_double(std::span<std::int64_t> words, Reduction reduction) {
        with_guests(words, reduction, [&] {
            struct Halves {
                std::span<std::int64_t> kept, given;
            };
            std::vector<Halves> steps;
            std::span<std::int64_t> mine = words;
            for (std::size_t distance = 1; distance < members_; distance *= 2) {
                const std::size_t other = link_.rank() ^ distance;
                const std::span<std::int64_t> lower = mine.first(mine.size() / 2), upper = mine.subspan(lower.size());
                const Halves halves = other > link_.rank() ? Halves{lower, upper} : Halves{upper, lower};
                link_.exchange(other, halves.given, other, halves.kept, reduction);
                steps.push_back(halves);
                mine = halves.kept;
            }
            if (link_.failed()) return;  // and so have all
            for (std::size_t distance = members_ / 2; distance > 0; distance /= 2) {
                const std::size_t other = link_.rank() ^ distance;
                link_.exchange(other, steps.back().kept, other, steps.back().given);
                steps.pop_back();
            }
        });
    }

    /// Errors and lengths alone. True if all workers go on: none has an error, and their vectors are equally long.
    bool agree() {
        exchange_all({}, Reduction::sum);
        return !link_.failed();
    }

  private:
    template <class Members>
    void with_guests(std::span<std::int64_t> words, Reduction reduction, Members&& meet) {
        const std::size_t rank = link_.rank(), guests = link_.size() - members_;
        if (rank >= members_) {
            link_.exchange(rank - members_, words, rank - members_, words);
            return;
        }
        if (rank < guests) link_.combine(rank + members_, words, reduction);
        meet();
        if (rank < guests) link_.send(rank + members_, words);
    }

    Link& link_;
    std::size_t members_;  // the largest power of two that is not above P
};

}  // namespace partita::inline PARTITA_ABI::detail
