// SPDX-License-Identifier: Apache-2.0
#pragma once

// The work of a fit without the pipeline's types: tasks that want to see blocks, grouped so that independent ones share a pass.

#include <partita/comm/reduce_tree.hpp>
#include <partita/pipeline/node.hpp>
#include <partita/stage/fit_rows.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// One estimator (of one column, where a selector chose several) that is being fitted.
class FitTask {
  public:
    explicit FitTask(std::string title) : title_(std::move(title)) {}
    virtual ~FitTask() = default;

    /// A summary sees blocks in shared passes; any other estimator fits alone.
    virtual bool shares_passes() const = 0;
    virtual void begin_pass(std::size_t workers, std::size_t local_blocks) = 0;
    virtual void update(Block& block, std::size_t index, std::size_t worker) = 0;
    /// Ends a pass on all workers: the summaries meet, and an error of any worker is thrown on all.
    virtual void meet(const DatasetState& state, const PendingError& pending) = 0;
    /// Whether the summary wants another pass.
    virtual bool advance() = 0;
    virtual void finish() = 0;
    virtual void fit_alone(const DatasetState& state) = 0;

    const std::string& title() const { return title_; }

  private:
    std::string title_;
};

/// An error of a stage's own code says whose it is.
template <class Body>
void in_stage(const std::string& title, Body body) {
    try {
        body();
    } catch (Error& error) {
        if (error.place().stage.empty()) error.place().stage = title;
        throw;
    }
}

template <class StageType, class Model, class Summary, class... V>
class SummaryTask final : public FitTask {
  public:
    SummaryTask(const StageType& stage, Model& model, std::string title, std::array<int, sizeof...(V)> slots)
        : FitTask(std::move(title)), stage_(stage), model_(model), slots_(slots), total_(start_summary<Summary>(stage)) {}

    bool shares_passes() const override { return true; }
    void begin_pass(std::size_t workers, std::size_t local_blocks) override {
        states_.assign(exact ? workers : local_blocks, total_);
        ids_.assign(exact ? 0 : local_blocks, 0);
    }
    void update(Block& block, std::size_t index, std::size_t worker) override {
        if constexpr (!exact) ids_[index] = block.id();
        in_stage(title(), [&] {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                states_[exact ? worker : index].update(block.template view<V>(slots_[I])..., block.weights());
            }(std::index_sequence_for<V...>());
        });
    }
    void meet(const DatasetState& state, const PendingError& pending) override {
        CommunicatorBase& communicator = state.session->communicator();
        if constexpr (exact) {
            const PendingError error = pending ? pending : attempt([&] {
                for (const Summary& part : states_) merge_state(total_, part);
            });
            all_reduce_state(communicator, total_, error);
        } else {  // the order of merges is part of the result: one fixed tree over block ids
            const std::int64_t first = ids_.empty() ? 0 : ids_.front(), end = ids_.empty() ? 0 : ids_.back() + 1;
            BlockTree<Summary> tree(first, end);
            const PendingError error = pending ? pending : attempt([&] {
                for (std::size_t i = 0; i < states_.size(); ++i) tree.add(ids_[i], std::move(states_[i]));
            });
            if (std::optional<Summary> merged = tree.finish(communicator, error)) total_ = std::move(*merged);
        }
        states_.clear();
    }
    bool advance() override {
        bool again = false;
        in_stage(title(), [&] { again = advance_summary(stage_, total_); });
        return again;
    }
    void finish() override {
        in_stage(title(), [&] { model_ = stage_.finish(total_); });
    }
    void fit_alone(const DatasetState&) override {}

  private:
    static constexpr bool exact = partita::exact_state<Summary>;
    static constexpr bool merges = requires(Summary& a, const Summary& b) { a.merge(b); } && Travels<Summary>;
    static consteval bool check() {
        if constexpr (!exact && !merges)
            static_assert(sizeof(wrong::StageIsIncomplete<StageType, wrong::Takes<Summary>>) == 0,
                          "a summary is a struct of exact accumulators (Count, ExactSum, Min, Max, …) described by BOOST_DESCRIBE_CLASS, or has merge(other) and a pt::Wire");
        return true;
    }
    static_assert(check());

    const StageType&               stage_;
    Model&                         model_;
    std::array<int, sizeof...(V)>  slots_;
    Summary                        total_;
    std::vector<Summary>           states_;
    std::vector<std::int64_t>      ids_;
};

template <class StageType, class Model, class... V>
class AloneTask final : public FitTask {
  public:
    AloneTask(const StageType& stage, Model& model, std::string title, std::array<int, sizeof...(V)> slots)
        : FitTask(std::move(title)), stage_(stage), model_(model), slots_(slots) {}

    bool shares_passes() const override { return false; }
    void begin_pass(std::size_t, std::size_t) override {}
    void update(Block&, std::size_t, std::size_t) override {}
    void meet(const DatasetState&, const PendingError&) override {}
    bool advance() override { return false; }
    void finish() override {}
    void fit_alone(const DatasetState& state) override {
        FitRows<V...> rows(state, slots_);
        in_stage(title(), [&] { model_ = stage_.fit(rows); });
    }

  private:
    const StageType&               stage_;
    Model&                         model_;
    std::array<int, sizeof...(V)>  slots_;
};

/// Fits tasks that depend on nothing unfitted: summaries together in as few passes as the neediest wants, then the others.
inline void fit_level(const DatasetState& state, std::vector<std::unique_ptr<FitTask>>& tasks) {
    std::vector<FitTask*> sharing;
    for (const auto& task : tasks)
        if (task->shares_passes()) sharing.push_back(task.get());
    const std::size_t blocks = local_blocks(state).size();
    while (!sharing.empty()) {
        Progress&           progress = state.session->progress();
        const ProgressScope pass(progress, "fit", blocks);
        const PendingError  pending = attempt([&] {
            for (FitTask* task : sharing) task->begin_pass(state.session->threads(), blocks);
            for_each_local_block(state, [&](Block& block, std::size_t index, std::size_t worker) {
                for (FitTask* task : sharing) task->update(block, index, worker);
                progress.advance(1);
            });
        });
        for (FitTask* task : sharing) task->meet(state, pending);
        std::vector<FitTask*> again;
        for (FitTask* task : sharing) {
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
