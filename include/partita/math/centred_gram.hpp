// SPDX-License-Identifier: Apache-2.0
#pragma once

// Means and centred products of columns, from their sums and products over all rows.

#include <partita/core/version.hpp>
#include <partita/math/double_pair.hpp>
#include <partita/math/simd/double_pair.hpp>
#include <partita/math/triangle.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Means and centred products of m columns over all rows.
struct CentredGram {
    double weight = 0.0;           ///< Σw
    std::vector<double> means;     ///< m
    std::vector<double> products;  ///< Σw(xᵢ - mean)(xⱼ - mean), upper triangle row by row, order m
};

/// Makes them of the summed triangle of `order` = m + 1 whose last column belongs to the ones (what BlockGram's blocks add up
/// to), read as pairs: `high` the rounded exact sum, `low` what it has beyond.
inline CentredGram centred_gram(std::span<const double> high, std::span<const double> low, std::size_t order) {
    using Pairs = detail::DoublePairs;
    using Part = Pairs::Part;
    const std::size_t m = order - 1;
    const auto pair = [&](std::size_t i, std::size_t j) {
        const std::size_t at = triangle_index(i, j, order);
        return DoublePair::sum(high[at], low[at]);
    };
    CentredGram gram;
    gram.weight = pair(m, m).high;
    gram.means.resize(m);
    gram.products.resize(triangle_size(m));
    if (!(gram.weight > 0.0)) return gram;
    std::vector<double> sums(m), sums_low(m);
    for (std::size_t j = 0; j < m; ++j) {
        const DoublePair sum = pair(j, m);
        sums[j] = sum.high;
        sums_low[j] = sum.low;
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < m; ++i) {
        const DoublePair mean = DoublePair{sums[i], sums_low[i]} / gram.weight;
        gram.means[i] = mean.high;
        const std::size_t diagonal = at;
        const std::size_t from = triangle_index(i, i, order);
        const Pairs means = {Part(mean.high), Part(mean.low)};
        std::size_t j = i;
        for (; j + Part::size <= m; j += Part::size, at += Part::size) {
            const Pairs raw =
                Pairs::sum(Part::load_unaligned(&high[from + j - i]), Part::load_unaligned(&low[from + j - i]));
            const Pairs sum = {Part::load_unaligned(&sums[j]), Part::load_unaligned(&sums_low[j])};
            (raw - means * sum).high.store_unaligned(&gram.products[at]);
        }
        for (; j < m; ++j, ++at) gram.products[at] = (pair(i, j) - mean * DoublePair{sums[j], sums_low[j]}).high;
        if (!(gram.products[diagonal] > pair(i, i).high * 0x1p-96)) gram.products[diagonal] = 0.0;
    }
    return gram;
}

}  // namespace partita::inline PARTITA_ABI
