// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fit of a sparse logistic regression: clocks of slices of some blocks, on a parameter table.

#include <partita/comm/checkpoints.hpp>
#include <partita/comm/parameter_table.hpp>
#include <partita/comm/reduce.hpp>
#include <partita/core/error.hpp>
#include <partita/core/number_text.hpp>
#include <partita/core/random.hpp>
#include <partita/exec/progress.hpp>
#include <partita/linear/sparse_logistic_regression/model.hpp>
#include <partita/linear/sparse_logistic_regression/plan.hpp>
#include <partita/linear/sparse_logistic_regression/slices.hpp>
#include <partita/linear/sparse_logistic_regression/steps.hpp>
#include <partita/math/exact_sum.hpp>
#include <partita/math/fused.hpp>
#include <partita/math/scratch.hpp>

#include <cmath>
#include <memory>

namespace partita::inline PARTITA_ABI::detail {

/// This worker's rows: block `ids[i]` in the slices blocks[i].
struct SlicedRows {
    std::vector<std::int64_t> ids;
    std::vector<std::vector<Slice>> blocks;
    SliceSizes sizes;
    std::uint64_t width = 0;
};

/// Learns one slice at a time, row by row, from what the table holds; a thread has one of its own.
class SliceLearner {
  public:
    /// Of so many blocks a clock learns slices at once.
    SliceLearner(const SparseSteps& steps, bool intercept, std::size_t blocks) : steps_(steps), intercept_(intercept) {
        const double all = static_cast<double>(blocks);
        largest_ = static_cast<float>(1 / all);
        if (static_cast<double>(largest_) * all > 1) largest_ = std::nextafter(largest_, 0.0f);
    }

    /// Learns a slice from what the table holds, and pushes what it found. The rows' losses, each before its row was learnt
    /// from, are added to `loss`, and their weights to `weight`.
    void learn(const Slice& slice, ParameterTable& table, const SparseRule& rule, double& loss, double& weight) {
        const std::size_t count = slice.keys.size(), all = (count / lanes + 1) * lanes;
        values_.assign(2 * all, 0.0f);
        const std::span<float> of_slice(values_.data(), 2 * count);
        table.pull(slice.keys, of_slice);
        keys_.resize(all);
        for (std::size_t i = 0; i < count; ++i)
            keys_[i] = {values_[2 * i], values_[2 * i + 1], 0, steps_.weight(values_[2 * i], values_[2 * i + 1])};
        for (std::size_t i = count; i < all; ++i) keys_[i] = {0, 1, 0, 0};  // the first of them fills up rows
        switch (steps_.penalty) {
            case SparseSteps::Penalty::none: learn_rows<SparseSteps::Penalty::none>(slice); break;
            case SparseSteps::Penalty::ftrl: learn_rows<SparseSteps::Penalty::ftrl>(slice); break;
            case SparseSteps::Penalty::adagrad: learn_rows<SparseSteps::Penalty::adagrad>(slice); break;
        }
        add_losses(slice, loss, weight);
        for (std::size_t i = 0; i < all; i += lanes) give_deltas(&keys_[i], &values_[2 * i], rule);
        table.push(slice.keys, of_slice);
    }

  private:
    static constexpr std::size_t lanes = 8;

    /// What some keys add to the table in place of what it gave, each at most a slice's share of what it holds.
    void give_deltas(const LocalKey* keys, float* values, const SparseRule& rule) const {
        using Keys = Lanes<double, lanes>;
        double before[lanes], squared[lanes], moved[lanes];
        for (std::size_t k = 0; k < lanes; ++k) {
            before[k] = static_cast<double>(keys[k].before);
            squared[k] = static_cast<double>(keys[k].squares);
            moved[k] = static_cast<double>(keys[k].v) - static_cast<double>(values[2 * k]);
        }
        const Keys squares = Keys::load(squared), above(static_cast<double>(largest_)),
                   below(-static_cast<double>(largest_)),
                   precision =
                       fused(Keys(shared_curvature), squares,
                             (Keys(static_cast<double>(steps_.beta)) + square_root(Keys::load(before) + squares)) /
                                 Keys(static_cast<double>(steps_.alpha)));
        const auto store = [&](const Keys& deltas, double* to) { minimum(above, maximum(below, deltas)).store(to); };
        store(Keys::load(moved) * precision * Keys(1 / rule.unit_of_moves), moved);
        store(squares * Keys(1 / rule.unit_of_squares), squared);
        for (std::size_t k = 0; k < lanes; ++k) {
            values[2 * k] = static_cast<float>(moved[k]);
            values[2 * k + 1] = static_cast<float>(squared[k]);
        }
    }

    template <SparseSteps::Penalty penalty>
    void learn_rows(const Slice& slice) {
        constexpr bool penalised = penalty == SparseSteps::Penalty::ftrl;
        margins_.resize(slice.rows());
        LocalKey* intercept = intercept_ ? &keys_[slice.keys.size() - 1] : nullptr;
        for (std::size_t row = 0; row < slice.rows(); ++row) {
            const std::span<const std::uint32_t> entries(slice.entries.data() + slice.begins[row],
                                                         slice.row_entries(row));
            const float* values = slice.values.data() + slice.begins[row];
            if (row + 1 < slice.rows())
                for (std::size_t i = slice.begins[row + 1]; i < slice.begins[row + 2]; i += 1)
                    __builtin_prefetch(&keys_[slice.entries[i]]);
            double times = slice.weights.empty() ? 1.0 : static_cast<double>(slice.weights[row]);
            const double longest = times > most_repetitions ? times / most_repetitions : 1.0;
            for (bool first = true; times > 0; times -= longest, first = false) {
                const auto share = static_cast<float>(times < longest ? times : longest);
                const float margin =
                    row_margin<penalised>(entries, values, keys_.data()) + (intercept != nullptr ? intercept->v : 0.0f);
                if (first) margins_[row] = static_cast<double>(margin);
                const auto residual = static_cast<float>(sigmoid(static_cast<double>(margin)) - slice.labels[row]);
                move_row<penalty>(steps_, entries, values, residual, share, keys_.data());
                if (intercept != nullptr) move_scalar(steps_, *intercept, residual, share);
            }
        }
    }

    void add_losses(const Slice& slice, double& loss, double& weight) const {
        for (std::size_t row = 0; row < slice.rows(); ++row) {
            const double times = slice.weights.empty() ? 1.0 : static_cast<double>(slice.weights[row]),
                         margin = margins_[row];
            loss = fused(times, softplus(slice.labels[row] != 0 ? -margin : margin), loss);
            weight += times;
        }
    }

    /// A row of weight k is learnt from k times, one after the other; of more than this, in so many larger steps.
    static constexpr double most_repetitions = 64;

    SparseSteps steps_;
    bool intercept_;
    float largest_;              // that the table takes of a slice for a key: those of a clock sum to 1 at most
    std::vector<float> values_;  // of the slice's keys: the table's, then deltas
    std::vector<LocalKey> keys_;
    std::vector<double> margins_;
};

/// Who learns what in which clock: all workers compute the same.
class ClockSchedule {
  public:
    struct Item {
        std::size_t local_block, slice;
    };

    /// A collective: which blocks there are, and how many slices they have.
    ClockSchedule(Session& session, const SlicedRows& rows, const SparsePlan& plan) : plan_(plan) {
        Bytes mine;
        ByteWriter writer(mine);
        for (std::size_t i = 0; i < rows.ids.size(); ++i) {
            if (rows.blocks[i].empty()) continue;
            writer.write(rows.ids[i]);
            writer.write(static_cast<std::uint64_t>(rows.blocks[i].size()));
        }
        const std::vector<Bytes> everyones = session.communicator().all_gather(mine);
        for (std::size_t worker = 0; worker < everyones.size(); ++worker) {
            ByteReader reader(everyones[worker]);
            for (std::size_t left = everyones[worker].size() / 16, i = 0; left > 0; --left) {
                Block block{reader.read<std::int64_t>(), static_cast<std::size_t>(reader.read<std::uint64_t>()), none,
                            0};
                if (worker == session.rank()) {
                    while (rows.ids[i] != block.id || rows.blocks[i].empty()) ++i;
                    block.local = i;
                }
                blocks_.push_back(block);
            }
        }
    }

    /// The number of clocks of an epoch, whose order is drawn for it.
    std::size_t begin_epoch(int epoch) {
        for (Block& block : blocks_) {
            const auto bits = random_bits(plan_.seed, stream_id("SparseLogisticRegression"),
                                          static_cast<std::uint64_t>(block.id), static_cast<std::uint32_t>(epoch));
            block.place = plan_.shuffle ? std::uint64_t{bits[1]} << 32 | bits[0] : 0;
        }
        std::sort(blocks_.begin(), blocks_.end(),
                  [](const Block& a, const Block& b) { return a.place != b.place ? a.place < b.place : a.id < b.id; });
        clocks_.clear();
        for (std::size_t first = 0; first < blocks_.size(); first += plan_.blocks) {
            std::size_t slices = 0;
            const std::size_t end = std::min(blocks_.size(), first + plan_.blocks);
            for (std::size_t i = first; i < end; ++i) slices = std::max(slices, blocks_[i].slices);
            for (std::size_t slice = 0; slice < slices; ++slice) clocks_.push_back({first, end, slice});
        }
        return clocks_.size();
    }
    /// What this worker learns in a clock of the epoch.
    void items(std::size_t clock, std::vector<Item>& items) const {
        items.clear();
        for (std::size_t i = clocks_[clock].first; i < clocks_[clock].end; ++i)
            if (blocks_[i].local != none && blocks_[i].slices > clocks_[clock].slice)
                items.push_back({blocks_[i].local, clocks_[clock].slice});
    }

  private:
    static constexpr std::size_t none = ~std::size_t{0};
    struct Block {
        std::int64_t id;
        std::size_t slices, local;
        std::uint64_t place;
    };
    struct Clock {
        std::size_t first, end, slice;
    };

    const SparsePlan& plan_;
    std::vector<Block> blocks_;
    std::vector<Clock> clocks_;
};

/// The units in which a clock's deltas stay below 1: powers of two, so that they round nothing.
inline SparseRule sparse_rule(const SparsePlan& plan, const SliceSizes& sizes) {
    const SparseSteps steps = plan.steps();
    const double value = std::max(1.0, sizes.largest_value.value().value_or(1.0)),
                 weight = std::max(1.0, sizes.heaviest_slice.value().value_or(1.0)),
                 all = weight * static_cast<double>(plan.blocks), squares = all * value * value,
                 farthest = 2 * static_cast<double>(steps.alpha) * std::sqrt(weight),  // that a slice moves a weight
        moves = 2 * fused(shared_curvature * squares, farthest, all * value);
    const auto power = [](double bound) { return std::ldexp(1.0, std::ilogb(bound) + 2); };
    // What all add is summed in steps of 2^-50 of the bound. Usual entries vanish in steps that the largest make too long.
    if (const double step = power(moves) * 0x1p-50, usual = sizes.usual(); step > usual / 64)
        throw NumericOverflow("the features \"" + std::string(plan.features) + "\" reach " + number_text(value) +
                                  " and the rows of a slice weigh up to " + number_text(weight) +
                                  ", while an entry by its row's weight is usually about " + number_text(usual) +
                                  "; what is learnt from such entries is lost beside the largest. Scale the large "
                                  "features (or take their "
                                  "logarithm), or the weights",
                              Place{.column = std::string(plan.features)});
    return {steps, power(moves), power(squares)};
}

/// All that the next clock stands on, as a checkpoint has it.
struct SparseState {
    std::int32_t epoch = 0;
    std::uint64_t clock = 0;  ///< of the epoch
    TableContents table;
    std::vector<std::uint32_t> sums;  ///< of the losses, to which …
    std::vector<double> parts;        ///< … this adds up exactly
    BOOST_DESCRIBE_CLASS(SparseState, (), (epoch, clock, table, sums, parts), (), ())

    /// Whether a fit can go on from here, whoever wrote it.
    bool fits(const SparsePlan& plan, std::uint64_t keys, ClockSchedule& schedule) const {
        const auto finite = [](double value) { return value - value == 0; };
        if (epoch < 0 || epoch >= plan.epochs || clock > schedule.begin_epoch(epoch)) return false;
        if (table.values.size() != 2 * table.keys.size() || sums.size() != parts.size()) return false;
        for (std::size_t i = 0; i < table.keys.size(); ++i) {
            if (table.keys[i] >= keys || (i > 0 && table.keys[i] <= table.keys[i - 1])) return false;
            const float squares = table.values[2 * i + 1];
            if (!finite(static_cast<double>(table.values[2 * i])) || !finite(static_cast<double>(squares)) ||
                squares < 0)
                return false;
        }
        for (std::size_t i = 0; i < sums.size(); ++i)
            if (sums[i] >= 2 * static_cast<std::size_t>(plan.epochs)) return false;
        return true;
    }
    /// `all`: the sums of all workers.
    void set_losses(ExactSums all) {
        sums.clear(), parts.clear();
        for (std::size_t i = 0; i < all.size(); ++i)
            for (double part = all.value(i); part != 0; part = all.value(i)) {
                sums.push_back(static_cast<std::uint32_t>(i));
                parts.push_back(part);
                if (!(part - part == 0)) break;
                all.add(i, -part);
            }
    }
};

/// The iterations that checkpoints count are tenths of an epoch. The newest one due at the end of this clock of so many; 0 if none is.
inline std::int64_t checkpoint_due(const Checkpoints& checkpoints, int epoch, std::size_t clock, std::size_t clocks) {
    constexpr std::int64_t tenths = 10;
    const auto after = [&](std::size_t clocks_done) {
        return epoch * tenths + static_cast<std::int64_t>(clocks_done) * tenths / static_cast<std::int64_t>(clocks);
    };
    for (std::int64_t number = after(clock + 1); number > after(clock); --number)
        if (checkpoints.due(number)) return number;
    return 0;
}

inline SparseLogisticFit fit_sparse(Session& session, const SlicedRows& rows, const SparsePlan& plan,
                                    FunctionRef<FitIdentity()> identify) {
    ClockSchedule schedule(session, rows, plan);
    const SparseRule rule = sparse_rule(plan, rows.sizes);
    const std::uint64_t keys = rows.width + (plan.intercept ? 1 : 0);
    Checkpoints checkpoints(session, identify);
    SparseState state;
    checkpoints.resume(state, [&](const SparseState& read) { return read.fits(plan, keys, schedule); });
    ParameterTable table(session, {.keys = keys, .width = 2, .bound = 1, .exchange = plan.exchange}, rule, state.table);
    state.table = {};
    ExactSums losses(2 * static_cast<std::size_t>(plan.epochs));
    if (session.primary())
        for (std::size_t i = 0; i < state.sums.size(); ++i) losses.add(state.sums[i], state.parts[i]);
    std::vector<std::unique_ptr<SliceLearner>> learners(session.threads());
    std::vector<ClockSchedule::Item> items;
    std::vector<double> item_losses(2 * plan.blocks);

    std::size_t clocks = schedule.begin_epoch(state.epoch);
    const ProgressScope progress(session.progress(), "SparseLogisticRegression",
                                 clocks * static_cast<std::uint64_t>(plan.epochs - state.epoch));
    for (int epoch = state.epoch; epoch < plan.epochs; ++epoch) {
        if (epoch > state.epoch) clocks = schedule.begin_epoch(epoch);
        for (std::size_t clock = epoch > state.epoch ? 0 : state.clock; clock < clocks; ++clock) {
            const PendingError pending = attempt([&] {
                schedule.items(clock, items);
                std::fill(item_losses.begin(), item_losses.end(), 0.0);
                session.for_each(items.size(), [&](std::size_t i, std::size_t worker) {
                    auto& learner = learners[worker];
                    if (!learner) learner = std::make_unique<SliceLearner>(rule.steps, plan.intercept, plan.blocks);
                    learner->learn(rows.blocks[items[i].local_block][items[i].slice], table, rule, item_losses[2 * i],
                                   item_losses[2 * i + 1]);
                });
                for (std::size_t i = 0; i < items.size(); ++i)
                    losses.add(2 * static_cast<std::size_t>(epoch), std::span<const double>(&item_losses[2 * i], 2));
                session.progress().advance(1);
            });
            table.advance(pending);
            if (const std::int64_t number = checkpoint_due(checkpoints, epoch, clock, clocks)) {
                SparseState reached;
                reached.epoch = epoch;
                reached.clock = clock + 1;
                reached.table = table.collect_state();
                ExactSums all = losses;
                all_reduce_state(session.communicator(), all);
                reached.set_losses(std::move(all));
                checkpoints.keep(number, reached);
            }
        }
    }

    const TableContents contents = table.collect();
    all_reduce_state(session.communicator(), losses);
    SparseLogisticFit fit;
    std::vector<std::uint32_t> indices;
    std::vector<float> weights;
    for (std::size_t i = 0; i < contents.keys.size(); ++i) {
        if (contents.keys[i] == rows.width) {
            fit.intercept = static_cast<double>(contents.values[2 * i]);
            continue;
        }
        const float weight = rule.steps.weight(contents.values[2 * i], contents.values[2 * i + 1]);
        if (weight == 0) continue;
        indices.push_back(contents.keys[i]);
        weights.push_back(weight);
    }
    fit.weights = SparseWeights(std::move(indices), std::move(weights), rows.width);
    for (int epoch = 0; epoch < plan.epochs; ++epoch)
        fit.losses.push_back(losses.value(2 * static_cast<std::size_t>(epoch)) /
                             losses.value(2 * static_cast<std::size_t>(epoch) + 1));
    return fit;
}

}  // namespace partita::inline PARTITA_ABI::detail
