// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of a fit in float, and the order in which they are learnt from.

#include <partita/comm/shares.hpp>
#include <partita/core/random.hpp>
#include <partita/exec/thread_pool.hpp>
#include <partita/math/exact_sum/environment.hpp>
#include <partita/math/extremes.hpp>
#include <partita/stage/class_labels.hpp>
#include <partita/stage/features.hpp>

#include <boost/describe/class.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// Writes a row of features as float; the first element that is no finite float, or -1.
template <class T>
std::int64_t write_row(MatrixView<const T> x, std::size_t row, float* to) {
    std::int64_t bad = -1;
    for (std::size_t c = 0; c < x.columns(); ++c) {
        to[c] = static_cast<float>(x[row][c]);
        if (!(to[c] - to[c] == 0) && bad < 0) bad = static_cast<std::int64_t>(c);
    }
    return bad;
}
template <class T>
std::int64_t write_row(const SparseView<T>& x, std::size_t row, float* to) {
    std::fill(to, to + x.columns, 0.0f);
    for (std::int64_t k = x.offsets[row]; k < x.offsets[row + 1]; ++k) {
        const float value = to[x.indices[k]] = static_cast<float>(x.values[k]);
        if (!(value - value == 0)) return x.indices[k];
    }
    return -1;
}
inline std::int64_t write_row(const OneHotView& x, std::size_t row, float* to) {
    std::fill(to, to + x.columns, 0.0f);
    if (x.codes[row] >= 0) to[x.codes[row]] = 1.0f;
    return -1;
}

/// The rows of positive weight of one block.
struct NetworkBlock {
    std::vector<float> features;  ///< row after row
    std::vector<std::uint32_t> labels;
    std::vector<double> weights;  ///< empty where every row counts once
};

/// This worker's rows, and what all workers agree on.
struct NetworkRows {
    std::vector<NetworkBlock> blocks;
    std::size_t width = 0;       ///< of the features
    double heaviest_weight = 1;  ///< of any row of any worker
};

/// What the pass that packs the rows finds besides.
struct NetworkSizes {
    FeatureWidth width;
    Max<double> heaviest_weight;  ///< of weighted rows

  private:
    BOOST_DESCRIBE_CLASS(NetworkSizes, (), (width, heaviest_weight), (), ())
};

template <class Label, class Rows>
NetworkRows pack_network_rows(Rows& rows, const std::vector<Label>& classes, std::string_view features) {
    NetworkRows packed;
    packed.blocks.resize(rows.local_blocks());
    const auto pack = [&](NetworkSizes& sizes, std::size_t index, const auto& x, const auto& y, Weights weights) {
        NetworkBlock& block = packed.blocks[index];
        const std::size_t width = feature_width(x);
        sizes.width.add(width);
        std::vector<std::uint32_t> labels;
        look_up_classes(y, classes, labels);
        block.features.resize(labels.size() * width);
        std::size_t kept = 0;
        for (std::size_t row = 0; row < labels.size(); ++row) {
            if (weights[row] == 0) continue;
            const std::int64_t bad = write_row(x, row, block.features.data() + kept * width);
            if (bad >= 0) refuse_features(features, "the features", static_cast<std::int64_t>(row), bad);
            block.labels.push_back(labels[row]);
            if (rows.weighted()) {
                block.weights.push_back(weights[row]);
                sizes.heaviest_weight.add(weights[row]);
            }
            ++kept;
        }
        block.features.resize(kept * width);
    };
    const NetworkSizes found = rows.aggregate_indexed(NetworkSizes(), pack);
    packed.width = found.width.agreed(features);
    packed.heaviest_weight = found.heaviest_weight.value().value_or(1);
    return packed;
}

/// Which rows make which batch. The rows of a block, in an order drawn for the epoch, are cut into parts of equal size; a part
/// is worked on as a whole, so what it adds to a gradient does not depend on the workers. The parts of all blocks, in the order
/// of the dataset, are dealt into as many runs as a batch has parts, and a batch takes the next part of every run, in an order
/// drawn for run and epoch: rows from all over the dataset, and as many for every worker as its share of it.
class BatchGrid {
  public:
    /// A part of a block: rows first … first + count - 1 of the block's order.
    struct Part {
        std::uint32_t block, first, count;
    };

    BatchGrid(Session& session, const NetworkRows& rows, std::size_t batch_rows, std::uint64_t seed)
        : rows_(rows), seed_(seed), orders_(rows.blocks.size()) {
        std::vector<std::int64_t> counts;
        for (const NetworkBlock& block : rows.blocks) counts.push_back(static_cast<std::int64_t>(block.labels.size()));
        const std::vector<Bytes> everyones = session.communicator().all_gather(std::as_bytes(std::span(counts)));
        std::vector<std::int64_t> all;
        std::size_t blocks_before = 0;
        for (std::size_t rank = 0; rank < everyones.size(); ++rank) {
            if (rank == session.rank()) blocks_before = all.size();
            ByteReader reader(everyones[rank]);
            while (reader.remaining() > 0) all.push_back(reader.read<std::int64_t>());
        }
        std::int64_t total = 0;
        for (const std::int64_t count : all) total += count;
        total_rows_ = static_cast<std::size_t>(total);

        const std::size_t usual = batch_rows < 512 ? 32 : 64;
        runs_ = (batch_rows + usual - 1) / usual;
        part_rows_ = (batch_rows + runs_ - 1) / runs_;
        std::uint64_t key = 0;  // blocks without rows are as if they were not there
        for (std::size_t block = 0; block < all.size(); ++block) {
            const auto rows_of_block = static_cast<std::size_t>(all[block]);
            if (block == blocks_before) first_part_ = parts_;
            parts_ += (rows_of_block + part_rows_ - 1) / part_rows_;
            key += rows_of_block > 0;
            if (block < blocks_before || block >= blocks_before + counts.size()) continue;
            keys_.push_back(key << 16);
            for (std::size_t first = 0; first < rows_of_block; first += part_rows_)
                local_.push_back({static_cast<std::uint32_t>(block - blocks_before), static_cast<std::uint32_t>(first),
                                  static_cast<std::uint32_t>(std::min(part_rows_, rows_of_block - first))});
        }
        if (blocks_before >= all.size()) first_part_ = parts_;
        if (batch_rows >= total_rows_) runs_ = parts_;
        runs_ = std::min(runs_, parts_);
    }

    std::size_t total_rows() const { return total_rows_; }
    std::size_t part_rows() const { return part_rows_; }  ///< at most so many rows a part
    std::size_t parts_of_batch() const { return runs_; }  ///< at most so many parts a batch, of all workers
    std::size_t batches() const { return share_of(parts_, 0, runs_).count; }  ///< of an epoch

    /// Draws the orders of an epoch.
    void shuffle(ThreadPool& pool, std::uint32_t epoch) {
        pool.for_each(orders_.size(), [&](std::size_t block, std::size_t) { shuffle_block(block, epoch); });
        batches_.assign(batches(), {});
        std::vector<std::uint32_t> order;
        for (std::size_t run = 0; run < runs_; ++run) {
            const Share share = share_of(parts_, run, runs_);
            if (share.first + share.count <= first_part_ || share.first >= first_part_ + local_.size()) continue;
            order.resize(share.count);
            for (std::size_t i = 0; i < share.count; ++i) order[i] = static_cast<std::uint32_t>(i);
            for (std::size_t i = share.count; i > 1; --i) {
                const auto bits = random_bits(seed_, parts_stream, std::uint64_t{run} << 32 | i, epoch);
                std::swap(order[i - 1], order[index_below(i, std::uint64_t{bits[1]} << 32 | bits[0])]);
            }
            for (std::size_t batch = 0; batch < share.count; ++batch) {
                const std::size_t part = share.first + order[batch];
                if (part >= first_part_ && part < first_part_ + local_.size())
                    batches_[batch].push_back(static_cast<std::uint32_t>(part - first_part_));
            }
        }
    }

    /// This worker's parts of a batch.
    std::span<const std::uint32_t> batch(std::size_t index) const { return batches_[index]; }
    const Part& part(std::size_t index) const { return local_[index]; }
    /// The order of a block's rows in this epoch.
    const std::vector<std::uint16_t>& order(std::size_t block) const { return orders_[block]; }

  private:
    static constexpr std::uint32_t rows_stream = stream_id("MultilayerPerceptron.rows");
    static constexpr std::uint32_t parts_stream = stream_id("MultilayerPerceptron.parts");

    /// A number below `bound` from 64 random bits; how much likelier some are than others is below 2^-40.
    static std::size_t index_below(std::size_t bound, std::uint64_t bits) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::size_t>(static_cast<Wide>(bits) * bound >> 64);
    }

    void shuffle_block(std::size_t index, std::uint32_t epoch) {
        std::vector<std::uint16_t>& order = orders_[index];
        order.resize(rows_.blocks[index].labels.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint16_t>(i);
        for (std::size_t i = order.size(); i > 1; --i) {
            const auto bits = random_bits(seed_, rows_stream, keys_[index] | i / 2, epoch);
            const std::size_t half = i % 2 * 2;
            std::swap(order[i - 1], order[index_below(i, std::uint64_t{bits[half + 1]} << 32 | bits[half])]);
        }
    }

    const NetworkRows& rows_;
    std::uint64_t seed_;
    std::size_t total_rows_ = 0, runs_ = 0, part_rows_ = 0, parts_ = 0, first_part_ = 0;
    std::vector<std::uint64_t> keys_;  // of blocks, for their draws
    std::vector<Part> local_;
    std::vector<std::vector<std::uint16_t>> orders_;
    std::vector<std::vector<std::uint32_t>> batches_;
};

}  // namespace partita::inline PARTITA_ABI::detail
