// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that any language makes alike, and the ways of summarising them that must agree.

#include <partita/core/version.hpp>
#include <partita/math/weights.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "unit/math/workers.hpp"

namespace partita_tests {

/// 5000 rows from x -> 6364136223846793005 x + 1442695040888963407 modulo 2^64, started at 1: each draw is the upper 24 bits
/// of the next x over 2^24, and a row takes four draws a, b, c, d. Score a; label b < a; weight c, or 0 below 1/8; target
/// y = 1000 + 10 d; prediction y + (a - 0.5); predicted class a >= 0.5; tied score: a rounded down to a sixteenth.
/// The values quoted as scikit-learn's were computed once by its version 1.9.1 on these rows in float64.
struct OracleRows {
    static constexpr std::size_t rows = 5000;
    std::vector<double> score, tied, weight, target, prediction;
    std::vector<std::uint8_t> label, predicted;

    OracleRows() {
        std::uint64_t x = 1;
        const auto draw = [&] {
            x = x * 6364136223846793005u + 1442695040888963407u;
            return static_cast<double>(x >> 40) / 16777216.0;
        };
        for (std::size_t i = 0; i < rows; ++i) {
            const double a = draw(), b = draw(), c = draw(), d = draw();
            score.push_back(a);
            tied.push_back(static_cast<double>(static_cast<int>(a * 16)) / 16);
            label.push_back(b < a);
            predicted.push_back(a >= 0.5);
            weight.push_back(c < 0.125 ? 0 : c);
            target.push_back(1000 + 10 * d);
            prediction.push_back(target.back() + (a - 0.5));
        }
    }
};

/// One summary for each block of 4096 rows.
template <class Metric, class Y, class P>
std::vector<typename Metric::Summary> block_summaries(const std::vector<Y>& y, const std::vector<P>& p,
                                                      const double* weights = nullptr) {
    std::vector<typename Metric::Summary> blocks;
    for (std::size_t first = 0; first < y.size(); first += 4096) {
        const std::size_t count = std::min<std::size_t>(4096, y.size() - first);
        blocks.emplace_back();
        blocks.back().update(std::span<const Y>(y).subspan(first, count), std::span<const P>(p).subspan(first, count),
                             weights ? partita::Weights(weights + first) : partita::Weights());
    }
    return blocks;
}
template <class Summary>
Summary merged(const std::vector<Summary>& blocks) {
    Summary all;
    for (const Summary& block : blocks) partita::merge_state(all, block);
    return all;
}
template <class Metric, class Y, class P>
auto score_of(const std::vector<Y>& y, const std::vector<P>& p, const double* weights = nullptr) {
    return Metric{}.finish(merged(block_summaries<Metric>(y, p, weights)));
}

/// What every worker holds after the steps of math/accumulator.hpp, with the blocks dealt to the workers in turn.
template <class Summary>
std::vector<Summary> reduced(const std::vector<Summary>& blocks, std::size_t workers) {
    std::vector<Summary> states(workers);
    for (std::size_t b = 0; b < blocks.size(); ++b) partita::merge_state(states[b % workers], blocks[b]);
    test::reduce(states);
    return states;
}

}  // namespace partita_tests
