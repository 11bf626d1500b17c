// SPDX-License-Identifier: Apache-2.0
#pragma once

// The work of a fit without the pipeline's types: tasks that want to see blocks, grouped so that independent ones share a pass.

#include <partita/comm/reduce.hpp>
#include <partita/comm/reduce_tree.hpp>
#include <partita/pipeline/node.hpp>
#include <partita/pipeline/step.hpp>
#include <partita/stage/fit_rows.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// An error about an element of a vector says which feature that is.
[[gnu::cold]] inline void name_element(Error& error, const std::vector<std::string>& names) {
    const auto element = static_cast<std::size_t>(error.place().element);
    if (element < names.size()) error.name_element(names[element]);
}
template <class Body>
void in_stage(const std::string& title, Body body) {
    try {
        body();
    } catch (Error& error) {
        name_stage(error, title);
        throw;
    }
}

/// One estimator (of one column, where a selector chose several) that is being fitted. What is the same for all estimators is
/// done here and in SummaryFit, so that a program compiles it once; what an estimator's types decide is virtual.
class FitTask {
  public:
    FitTask(std::string title, bool shares_passes) : title_(std::move(title)), shares_passes_(shares_passes) {}
    FitTask(const FitTask&) = delete;
    FitTask& operator=(const FitTask&) = delete;
    virtual ~FitTask() = default;

    const std::string& title() const { return title_; }
    /// A summary sees blocks in shared passes; any other estimator fits alone.
    bool shares_passes() const { return shares_passes_; }
    void fit_alone(const DatasetState& state) {
        in_stage(title_, [&] { do_fit_alone(state); });
    }

  private:
    virtual void do_fit_alone(const DatasetState&) {}

    std::string title_;
    bool shares_passes_;
};

/// What can be done with a summary of a type that is no longer known.
struct SummaryOperations {
    void* (*copy)(const void*);
    void (*destroy)(void*);
    void (*list)(void*, AccumulatorList&);  ///< none where the summary is not made of exact accumulators
};
template <class Summary>
struct OperationsOfSummary {
    static void* copy(const void* summary) { return new Summary(*static_cast<const Summary*>(summary)); }
    static void destroy(void* summary) { delete static_cast<Summary*>(summary); }
    static void list(void* summary, AccumulatorList& accumulators) {
        if constexpr (partita::exact_state<Summary>) list_accumulators(*static_cast<Summary*>(summary), accumulators);
    }
    static constexpr SummaryOperations table{copy, destroy, partita::exact_state<Summary> ? &list : nullptr};
};

/// Owns one summary.
class AnySummary {
  public:
    AnySummary(void* summary, const SummaryOperations& operations) : summary_(summary), operations_(&operations) {}
    AnySummary(AnySummary&& other) noexcept
        : summary_(std::exchange(other.summary_, nullptr)), operations_(other.operations_) {}
    AnySummary& operator=(AnySummary&&) = delete;
    ~AnySummary() {
        if (summary_ != nullptr) operations_->destroy(summary_);
    }
    AnySummary copy() const { return {operations_->copy(summary_), *operations_}; }
    void* get() const { return summary_; }
    bool exact() const { return operations_->list != nullptr; }
    AccumulatorList accumulators() const {
        AccumulatorList list;
        operations_->list(summary_, list);
        return list;
    }
    bool keyed() const {
        bool keyed = false;
        for (const AnyAccumulator& each : accumulators()) keyed |= each.operations != nullptr && each.operations->keyed;
        return keyed;
    }

  private:
    void* summary_;
    const SummaryOperations* operations_;
};

/// An estimator that is a summary: one state for each worker thread (for each block, where the order of merges matters).
class SummaryFit : public FitTask {
  public:
    SummaryFit(std::string title, AnySummary empty) : FitTask(std::move(title), true), total_(std::move(empty)) {}

    void begin_pass(std::size_t workers, std::size_t local_blocks) {
        const std::size_t states = total_.exact() ? workers : local_blocks;
        states_.clear();
        states_.reserve(states);
        for (std::size_t i = 0; i < states; ++i) states_.push_back(total_.copy());
        ids_.assign(total_.exact() ? 0 : local_blocks, 0);
    }
    void update(Block& block, std::size_t index, std::size_t worker) {
        if (!total_.exact()) ids_[index] = block.id();
        in_stage(title(), [&] { do_update(states_[total_.exact() ? worker : index].get(), block); });
    }
    /// Ends a pass on all workers: the summaries meet, and an error of any worker is thrown on all.
    void meet(const DatasetState& state, PendingError pending) {
        CommunicatorBase& communicator = state.session->communicator();
        if (total_.exact()) {
            AccumulatorList list;
            if (!pending)
                pending = attempt([&] {
                    list = total_.accumulators();
                    for (const AnySummary& part : states_) merge_lists(list, part.accumulators());
                });
            if (communicator.size() == 1) {
                communicator.agree(pending);
            } else {
                if (list.empty()) list = total_.accumulators();
                all_reduce_list(communicator, list, total_.keyed(), pending);
            }
        } else {
            meet_in_order(communicator, pending);
        }
        states_.clear();
    }
    /// Whether the summary wants another pass.
    bool advance() {
        bool again = false;
        in_stage(title(), [&] { again = do_advance(total_.get()); });
        return again;
    }
    void finish() {
        in_stage(title(), [&] { do_finish(total_.get()); });
    }

  protected:
    AnySummary total_;
    std::vector<AnySummary> states_;
    std::vector<std::int64_t> ids_;

  private:
    virtual void do_update(void* summary, Block& block) const = 0;
    virtual bool do_advance(void* summary) const = 0;
    virtual void do_finish(const void* summary) = 0;
    virtual void meet_in_order(CommunicatorBase&, const PendingError&) {}
};

template <class StageType, class Model, class Summary, class... V>
class SummaryTask final : public SummaryFit {
  public:
    SummaryTask(const StageType& stage, Model& model, std::string title, std::array<int, sizeof...(V)> slots)
        : SummaryFit(std::move(title),
                     AnySummary(new Summary(start_summary<Summary>(stage)), OperationsOfSummary<Summary>::table)),
          stage_(stage),
          model_(model),
          slots_(slots) {}

  private:
    static constexpr bool exact = partita::exact_state<Summary>;
    static constexpr bool merges = requires(Summary& a, const Summary& b) { a.merge(b); } && Travels<Summary>;
    static consteval bool check() {
        if constexpr (!exact && !merges)
            static_assert(sizeof(wrong::StageIsIncomplete<StageType, wrong::Takes<Summary>>) == 0,
                          "a summary is a struct of exact accumulators (Count, ExactSum, Min, Max, …) described by "
                          "BOOST_DESCRIBE_CLASS, or has merge(other) and a pt::Wire");
        return true;
    }
    static_assert(check());

    static Summary& summary_at(void* summary) { return *static_cast<Summary*>(summary); }

    void do_update(void* summary, Block& block) const override {
        update_with(summary_at(summary), block, std::index_sequence_for<V...>());
    }
    template <std::size_t... I>
    void update_with(Summary& summary, Block& block, std::index_sequence<I...>) const {
        summary.update(block.template view<V>(slots_[I])..., block.weights());
    }
    bool do_advance(void* summary) const override { return advance_summary(stage_, summary_at(summary)); }
    void do_finish(const void* summary) override { model_ = stage_.finish(*static_cast<const Summary*>(summary)); }
    void meet_in_order(CommunicatorBase& communicator, const PendingError& pending) override {
        if constexpr (!exact) {  // the order of merges is part of the result: one fixed tree over block ids
            const std::int64_t first = ids_.empty() ? 0 : ids_.front(), end = ids_.empty() ? 0 : ids_.back() + 1;
            BlockTree<Summary> tree(first, end);
            const PendingError error = pending ? pending : attempt([&] {
                for (std::size_t i = 0; i < states_.size(); ++i)
                    tree.add(ids_[i], std::move(summary_at(states_[i].get())));
            });
            if (std::optional<Summary> merged = tree.finish(communicator, error))
                summary_at(total_.get()) = std::move(*merged);
        }
    }

    const StageType& stage_;
    Model& model_;
    std::array<int, sizeof...(V)> slots_;
};

template <class StageType, class Model, class... V>
class AloneTask final : public FitTask {
  public:
    AloneTask(const StageType& stage, Model& model, std::string title, std::array<int, sizeof...(V)> slots)
        : FitTask(std::move(title), false), stage_(stage), model_(model), slots_(slots) {}

  private:
    void do_fit_alone(const DatasetState& state) override {
        FitRows<V...> rows(state, slots_);
        model_ = stage_.fit(rows);
    }

    const StageType& stage_;
    Model& model_;
    std::array<int, sizeof...(V)> slots_;
};

/// Fits tasks that depend on nothing unfitted: summaries together in as few passes as the neediest wants, then the others.
inline void fit_level(const DatasetState& state, std::vector<std::unique_ptr<FitTask>>& tasks) {
    std::vector<SummaryFit*> sharing;
    for (const auto& task : tasks)
        if (task->shares_passes()) sharing.push_back(static_cast<SummaryFit*>(task.get()));
    const std::size_t blocks = local_blocks(state).size();
    while (!sharing.empty()) {
        Progress& progress = state.session->progress();
        const ProgressScope pass(progress, "fit", blocks);
        const PendingError pending = attempt([&] {
            for (SummaryFit* task : sharing) task->begin_pass(state.session->threads(), blocks);
            for_each_local_block(state, [&](Block& block, std::size_t index, std::size_t worker) {
                for (SummaryFit* task : sharing) task->update(block, index, worker);
                progress.advance(1);
            });
        });
        for (SummaryFit* task : sharing) task->meet(state, pending);
        std::vector<SummaryFit*> again;
        for (SummaryFit* task : sharing) {
            if (task->advance()) {
                again.push_back(task);
            } else {
                task->finish();
            }
        }
        sharing = std::move(again);
    }
    for (const auto& task : tasks)
        if (!task->shares_passes()) task->fit_alone(state);
}

}  // namespace partita::inline PARTITA_ABI::detail
