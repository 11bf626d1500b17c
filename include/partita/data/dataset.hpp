// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/random.hpp>
#include <partita/data/dataset_state.hpp>
#include <partita/data/frame.hpp>
#include <partita/data/origin.hpp>
#include <partita/data/regroup.hpp>
#include <partita/data/role.hpp>

#include <string>

namespace partita::inline PARTITA_ABI {

/// How to store rows anew.
struct MaterializeSettings {
    bool renumber = false;         ///< give the rows the ids 0, 1, … in their order; block borders move
    std::size_t chunk_blocks = 0;  ///< blocks of the grid in a chunk, dealt out evenly over workers; 0 keeps the chunks
};

/// How to draw a sample without replacement.
struct SampleSettings {
    double fraction = 1;     ///< the chance of each row, in [0, 1]
    std::uint64_t seed = 0;  ///< the same seed draws the same rows, on any number of threads and workers
};

namespace detail {

template <class Row, Name... ColumnNames>
consteval std::array<int, sizeof...(ColumnNames)> ordinals_of() {
    return {find_column(columns_of<Row>, ColumnNames.view())...};
}

template <class T>
inline constexpr bool is_weight =
    !column_type<T>.nullable &&
    (kind_bit(column_type<T>.kind) &
     kinds_of(Kind::float32, Kind::float64, Kind::int32, Kind::int64, Kind::uint32, Kind::uint64)) != 0;

/// Whether a predicate can be called with these values and answers what can be a bool.
template <class Predicate, class... Values>
concept decides = requires(Predicate& keep, Values... values) { keep(std::move(values)...) ? true : false; };

template <class T, class View>
decltype(auto) element(const View& view, std::size_t row) {
    if constexpr (column_type<T>.nullable) {
        using Value = typename T::value_type;
        return view.valid(row) ? T(Value(view.values()[row])) : T();
    } else {
        return T(view[row]);
    }
}

}  // namespace detail

/// An ordered, partitioned sequence of rows with typed columns, spread over the workers of a session.
///
/// `Row` names the columns (a described struct, a Schema, or what a pipeline makes of one), `Role` what the data may be used
/// for. Copies share everything. Rows have stable ids; `transform`ed columns are computed when a pass reads them. Actions
/// (`count`, `collect`, `head`, `aggregate`, splits, filters) are collective: every worker calls them.
/// Determinism: every result is the same for any number of threads, workers and chunks.
template <class Row, class Role = Unsplit>
class Dataset {
  public:
    using row_type = Row;
    using role_type = Role;

    Dataset(std::shared_ptr<const DatasetState> state, std::vector<int> slots)
        : state_(std::move(state)), slots_(std::move(slots)) {}

    Session& session() const { return *state_->session; }

    /// The number of rows on all workers.
    std::int64_t count() const {
        std::int64_t rows = detail::local_rows(*state_);
        session().communicator().all_reduce(std::span(&rows, 1), Reduction::sum);
        return rows;
    }

    /// The same rows with only these columns.
    template <Name... ColumnNames>
    auto select() const {
        constexpr auto ordinals = known_columns<ColumnNames...>();
        std::vector<int> slots;
        for (int ordinal : ordinals) slots.push_back(slots_[static_cast<std::size_t>(ordinal)]);
        using Chosen = Schema<detail::ColumnByName<Row, ColumnNames>...>;
        return Dataset<Chosen, Role>(state_, std::move(slots));
    }

    /// The rows for which `keep(values…)` is true; it gets the values of the named columns. Ids stay.
    template <Name... ColumnNames, class Predicate>
    Dataset filter(Predicate keep) const {
        constexpr auto ordinals = known_columns<ColumnNames...>();
        if constexpr (!detail::decides<Predicate, detail::ColumnValue<Row, ColumnNames>...>) {
            static_assert(
                wrong::unless<!(has_column<Row, ColumnNames> && ...),
                              wrong::FunctionDoesNotTake<wrong::Given<detail::ColumnValue<Row, ColumnNames>>...>>,
                "filter calls its predicate with the values of the columns that it names, in their order, and takes a "
                "bool; a value that may be missing is a std::optional");
            return *this;
        } else {
            return keep_rows([&](Block& block, std::vector<std::uint32_t>& chosen) {
                [&]<std::size_t... I>(std::index_sequence<I...>) {
                    const auto views = std::make_tuple(
                        block.template view<detail::ColumnValue<Row, ColumnNames>>(slot(ordinals[I]))...);
                    for (std::size_t row = 0; row < block.rows(); ++row)
                        if (keep(detail::element<detail::ColumnValue<Row, ColumnNames>>(std::get<I>(views), row)...))
                            chosen.push_back(static_cast<std::uint32_t>(row));
                }(std::make_index_sequence<sizeof...(ColumnNames)>());
            });
        }
    }

    /// Each row with the chance `fraction`, by a draw that depends on the seed and the row's id alone. Ids stay.
    /// Errors: InvalidSetting for a fraction outside [0, 1].
    Dataset sample(SampleSettings settings) const {
        if (!(settings.fraction >= 0 && settings.fraction <= 1))
            throw InvalidSetting(
                "sample: fraction is " + detail::number_text(settings.fraction) + "; give a chance from 0 to 1",
                Place{.setting = "fraction"});
        return keep_rows([&](Block& block, std::vector<std::uint32_t>& chosen) {
            for (std::size_t row = 0; row < block.rows(); ++row)
                if (uniform(settings.seed, stream_sample, static_cast<std::uint64_t>(block.row_id(row))) <
                    settings.fraction)
                    chosen.push_back(static_cast<std::uint32_t>(row));
        });
    }

    /// Lets each row count as often as this column says, in every estimator and metric. Weights must be finite and not
    /// negative (NonFiniteValue, NegativeWeight otherwise, when they are read).
    template <Name ColumnName>
    Dataset weigh_by() const {
        constexpr int ordinal = known_columns<ColumnName>()[0];
        if constexpr (ordinal >= 0) {
            using Given = detail::ColumnValue<Row, ColumnName>;
            static_assert(
                wrong::unless<detail::is_weight<Given>,
                              wrong::ColumnHasWrongType<wrong::OfColumn<ColumnName>, wrong::Given<Given>,
                                                        wrong::TakesKinds<"numbers of 32 or 64 bits">>>,
                "a weight column holds float, double or integers of 32 or 64 bits, none missing; convert it by map or "
                "Impute first");
        }
        auto state = std::make_shared<DatasetState>(*state_);
        state->plan.weight_slot = slot(ordinal);
        return Dataset(std::move(state), slots_);
    }

    /// Computes and stores all columns now.
    /// Cost: one pass, and memory for the columns.
    Dataset materialize(MaterializeSettings settings = {}) const;
    /// The same rows in chunks of so many blocks of the grid, dealt out evenly over the workers: after a filter or a split by time
    /// some may have few. Ids stay, and nothing that is computed from the rows changes.
    /// Errors: InvalidSetting for chunks of no blocks. Cost: blocks that change their worker travel once.
    Dataset repartition(std::size_t chunk_blocks) const {
        detail::expect_chunk_blocks(chunk_blocks);
        return materialize({.chunk_blocks = chunk_blocks});
    }

    /// The first rows of the dataset, on every worker.
    Frame<Row> head(std::size_t rows = 10) const { return gather_frame(rows); }
    /// All rows, on every worker. Cost: the whole dataset in memory once per worker.
    Frame<Row> collect() const { return gather_frame(static_cast<std::size_t>(-1)); }

    /// Folds all rows into a state of exact accumulators: `update(state, views…, weights)` runs once per block.
    template <Name... ColumnNames, class State, class Update>
    State aggregate(State empty, Update update) const {
        constexpr auto ordinals = known_columns<ColumnNames...>();
        return detail::aggregate_blocks(*state_, empty, [&](State& state, Block& block, std::size_t) {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                update(state, block.template view<detail::ColumnValue<Row, ColumnNames>>(slot(ordinals[I]))...,
                       block.weights());
            }(std::make_index_sequence<sizeof...(ColumnNames)>());
        });
    }

    /// The passes that reading all columns would make, as text.
    std::string explain() const {
        std::string text = "stored: ";
        for (const Plan::Slot& column : state_->plan.slots)
            if (column.source >= 0) text.append(column.name).append(" ");
        text += "\n";
        for (const auto& step : state_->plan.steps) text += "lazy:   " + step->description() + "\n";
        return text;
    }

    /// The same data under another role: for whoever knows better than the type system. Prefer the splits.
    template <class NewRole>
    Dataset<Row, NewRole> with_role() const {
        return Dataset<Row, NewRole>(state_, slots_);
    }

    /// Keeps the rows that `choose(block, rows)` names; what filters, samples and splits are made of.
    Dataset keep_rows(FunctionRef<void(Block&, std::vector<std::uint32_t>&)> choose) const {
        auto state = std::make_shared<DatasetState>();
        state->session = state_->session;
        state->plan = state_->plan;
        state->chunks = detail::gather_rows(*state_, detail::stored_slots(state_->plan), choose);
        return Dataset(std::move(state), slots_);
    }

    const DatasetState& state() const { return *state_; }
    const std::vector<int>& slots() const { return slots_; }
    int slot(int ordinal) const { return slots_[static_cast<std::size_t>(ordinal)]; }

  private:
    static constexpr std::uint64_t stream_sample = 1;

    template <Name... ColumnNames>
    static consteval auto known_columns() {
        constexpr auto ordinals = detail::ordinals_of<Row, ColumnNames...>();
        (detail::demand_column<Row, ColumnNames>(), ...);
        return ordinals;
    }

    Frame<Row> gather_frame(std::size_t limit) const;

    std::shared_ptr<const DatasetState> state_;
    std::vector<int> slots_;
};

namespace detail {

/// A dataset of stored chunks, one column for each of the table's, in order.
template <class Row, class Role = Unsplit>
Dataset<Row, Role> make_dataset(Session& session, std::vector<std::shared_ptr<const Chunk>> local_chunks) {
    auto state = std::make_shared<DatasetState>();
    state->session = &session;
    state->chunks = std::move(local_chunks);
    std::vector<int> slots;
    for (const ColumnInfo& column : columns_of<Row>) {
        const int index = static_cast<int>(slots.size());
        state->plan.slots.push_back({column.name, column.type, index, -1});
        slots.push_back(index);
    }
    return Dataset<Row, Role>(std::move(state), std::move(slots));
}

}  // namespace detail

template <class Row, class Role>
Dataset<Row, Role> Dataset<Row, Role>::materialize(MaterializeSettings settings) const {
    auto state = std::make_shared<DatasetState>();
    state->session = state_->session;
    std::vector<int> stored = slots_;
    if (state_->plan.weight_slot >= 0) {  // stays in force even where it is no column of this dataset
        state->plan.weight_slot = static_cast<int>(stored.size());
        stored.push_back(state_->plan.weight_slot);
    }
    std::vector<int> slots;
    for (int slot : stored) {
        const int index = static_cast<int>(state->plan.slots.size());
        Plan::Slot column = state_->plan.slots[static_cast<std::size_t>(slot)];
        column.source = index;
        column.step = -1;
        state->plan.slots.push_back(column);
        if (slots.size() < slots_.size()) slots.push_back(index);
    }
    state->chunks = detail::gather_rows(*state_, stored, detail::choose_all);
    if (settings.renumber) {
        state->chunks =
            detail::renumber(session(), state->chunks, stored.size(),
                             settings.chunk_blocks > 0 ? settings.chunk_blocks : detail::default_chunk_blocks);
    } else if (settings.chunk_blocks > 0) {
        state->chunks = detail::deal_anew(session(), state->chunks, stored.size(), settings.chunk_blocks);
    }
    return Dataset(std::move(state), std::move(slots));
}

template <class Row, class Role>
Frame<Row> Dataset<Row, Role>::gather_frame(std::size_t limit) const {
    // Every worker brings its first blocks with `limit` rows: enough, since some worker may hold all of those wanted.
    std::size_t left = limit;
    detail::Chunks mine;
    for (const auto& chunk : state_->chunks) {
        if (left == 0) break;
        left -= std::min(left, chunk->rows());
        mine.push_back(chunk);
    }
    std::int64_t last_block = -1;  // of those wanted, where the last chunk has more
    if (!mine.empty()) {
        std::size_t before = 0;
        for (const auto& chunk : mine) before += chunk->rows();
        before -= mine.back()->rows();
        std::size_t block = 0;
        while (block + 1 < mine.back()->block_count() && before + mine.back()->block_first(block + 1) < limit) ++block;
        last_block = mine.back()->block_id(block);
    }
    const DatasetState few{state_->session, std::move(mine), state_->plan};
    const auto choose = [&](Block& block, std::vector<std::uint32_t>& chosen) {
        if (block.id() <= last_block) detail::choose_all(block, chosen);
    };
    const detail::Chunks all =
        detail::gather_chunks(session(), detail::gather_rows(few, slots_, choose), slots_.size());
    std::vector<detail::RowRun> runs;
    left = limit;
    for (const auto& chunk : all) {
        const std::size_t take = std::min(left, chunk->rows());
        if (take > 0) runs.push_back({chunk.get(), 0, take});
        left -= take;
    }
    if (!runs.empty()) return Frame<Row>(detail::splice(runs));
    std::vector<ColumnData> columns;
    for (int slot : slots_)
        columns.push_back(ColumnBuilder(state_->plan.slots[static_cast<std::size_t>(slot)].type).finish());
    return Frame<Row>(std::make_shared<const Chunk>(std::vector<std::int64_t>{}, std::move(columns)));
}

namespace detail {

/// Of the column that holds the weights of a weighted dataset.
inline ColumnType weight_type(const DatasetState& state) {
    return state.plan.slots[static_cast<std::size_t>(state.plan.weight_slot)].type;
}

template <class Row, class Role>
Dataset<Row, Role> concat_rows(const Dataset<Row, Role>& first, const Dataset<Row, Role>& second) {
    const Dataset<Row, Role> a = first.materialize(), b = second.materialize();
    if ((a.state().plan.weight_slot < 0) != (b.state().plan.weight_slot < 0))
        throw InvalidSetting(
            "concat: one dataset is weighted and the other is not; call weigh_by on both or on neither");
    if (a.state().plan.weight_slot >= 0) {
        const ColumnType of_a = weight_type(a.state()), of_b = weight_type(b.state());
        if (of_a != of_b)
            throw InvalidSetting("concat: the weights of one dataset are " + std::string(kind_name(of_a.kind)) +
                                 " and those of the other " + std::string(kind_name(of_b.kind)) +
                                 "; weigh both by columns of one type");
    }
    const std::int64_t offset = block_limit(a.state()) * block_rows;
    auto state = std::make_shared<DatasetState>(a.state());
    first.session().communicator().agree(attempt([&] {
        for (const auto& chunk : b.state().chunks) state->chunks.push_back(moved_up(*chunk, offset));
    }));
    check_widths(*state);
    state->chunks = deal_anew(first.session(), state->chunks, state->plan.slots.size());
    return Dataset<Row, Role>(std::move(state), a.slots());
}

constexpr bool equal_columns(std::span<const ColumnInfo> a, std::span<const ColumnInfo> b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].name != b[i].name || a[i].type != b[i].type) return false;
    return true;
}

/// Column number I of rows of two tables, with what both know of it.
template <class Row, class OtherRow, std::size_t I>
using ColumnOfBoth =
    typename CalledBefore<ColumnFrom<name_at<Row, I>, ValueType<columns_of<Row>[I].type>,
                                     typename SourcesOf<Row, I>::type, typename SourcesOf<OtherRow, I>::type>,
                          AllNames<typename NamesBefore<Row, I>::type, typename NamesBefore<OtherRow, I>::type>>::type;

/// What rows of two tables with the same columns are together.
template <class Row, class OtherRow>
struct RowOfBoth {
    template <std::size_t... I>
    static auto all(std::index_sequence<I...>) -> Schema<ColumnOfBoth<Row, OtherRow, I>...>;
    using type = decltype(all(std::make_index_sequence<columns_of<Row>.size()>()));
};
template <class Row>
struct RowOfBoth<Row, Row> : std::type_identity<Row> {};

}  // namespace detail

/// The rows of `first`, then those of `second`, whose ids move up to the block border behind the last row of `first`.
/// Both are stored anew; a weight column stays in force if both have it. Both tables have columns of the same names and types, in
/// the same order; a column counts as computed from what it was computed from in either, and keeps the names that it had in either.
/// Errors: InvalidSetting if one is weighted and the other is not; WrongWidth where their vectors differ in width. A collective.
template <class Row, class Role, class OtherRow, class OtherRole>
auto concat(const Dataset<Row, Role>& first, const Dataset<OtherRow, OtherRole>& second) {
    constexpr bool same_columns = detail::equal_columns(columns_of<Row>, columns_of<OtherRow>);
    static_assert(wrong::unless<std::is_same_v<Role, OtherRole>,
                                wrong::RolesDoNotMix<wrong::Given<Role>, wrong::Given<OtherRole>>>,
                  "data of two roles do not mix: rows to be judged on must not reach a fit; refit_rows joins Train and "
                  "Validation for a last fit");
    static_assert(wrong::unless<same_columns, wrong::ColumnsDiffer<wrong::Given<Row>, wrong::Given<OtherRow>>>,
                  "concat joins tables of the same columns: select the same ones of both first, in one order");
    if constexpr (std::is_same_v<Role, OtherRole> && same_columns) {
        using Both = Dataset<typename detail::RowOfBoth<Row, OtherRow>::type, Role>;
        return detail::concat_rows(Both(std::make_shared<DatasetState>(first.state()), first.slots()),
                                   Both(std::make_shared<DatasetState>(second.state()), second.slots()));
    } else {
        return first;  // the compilation has failed
    }
}

}  // namespace partita::inline PARTITA_ABI
