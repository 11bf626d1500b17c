// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/pipeline/pipeline.hpp>

namespace partita::inline PARTITA_ABI {

/// A summary estimator that learns as data arrive: `partial_fit` takes in more rows, `merge` the rows of another one, `withdraw`
/// gives rows back that were taken in before (for windows), and `model` is what a fit on all rows held now would give.
///
/// Takes estimators whose summary is exact and needs one pass (StandardScale, OneHotEncode, LinearRegression, Impute by
/// mean, mode or constant, and users' own), over one column or list of columns: no selectors.
/// Errors: those of the estimator; InvalidSetting if its settings need a second pass.
/// Determinism: the same model as one fit on all the rows, bit for bit where the rows keep their blocks, and up to the
/// rounding of a block's sum where batches cut blocks elsewhere.
template <Stage S, class Row>
class OnlineFit {
    using Last = detail::LastNode<Row, S>;
    static_assert(sizeof(detail::Explanation<Last>) > 0);
    static_assert(detail::is_estimator<S>, "only an estimator learns");
    using At = typename Last::template InstanceAt<0>;
    static_assert(!Last::columnwise,
                  "OnlineFit takes a stage over named columns, not over a selector: make one for each column");

    template <class... V>
    static auto summary_of(detail::Types<V...>) -> typename detail::SummaryOf<S, V...>::type;
    using Summary = decltype(summary_of(typename At::FitValues{}));
    static_assert(!std::is_void_v<Summary>,
                  "this estimator passes the data several times and cannot learn from batches");
    static_assert(exact_state<Summary>, "only a summary of exact accumulators can be merged in any order");

  public:
    using Model = Fitted<Pipeline<S>, Row>;

    explicit OnlineFit(S stage = {}) : stage_(std::move(stage)), state_(fresh()) {}

    /// Takes in the rows of a batch. A collective. If it throws, nothing of the batch was taken in.
    void partial_fit(const Dataset<Row, Train>& batch) {
        const std::int64_t rows = batch.count();
        Summary both = state_;
        merge_state(both, summarise(batch, typename At::FitValues{}));
        hold(std::move(both), rows);
        seed_ = batch.session().seed();
    }
    /// Takes in what another one holds. If it throws, nothing of that was taken in.
    void merge(const OnlineFit& other) {
        Summary both = state_;
        merge_state(both, other.state_);
        hold(std::move(both), other.rows_);
    }
    /// Gives back the rows of a batch that was taken in before. Needs a summary of sums and counts: extremes cannot forget.
    void withdraw(const Dataset<Row, Train>& batch)
        requires requires(Summary& state, const Summary& part) { withdraw_state(state, part); }
    {
        const Summary summary = summarise(batch, typename At::FitValues{});
        withdraw_state(state_, summary);
        rows_ -= batch.count();
    }

    /// The stage fitted on the rows held now. Errors: EmptyDataset if there are none.
    Model model() const {
        if (rows_ <= 0) throw EmptyDataset("OnlineFit holds no rows; call partial_fit before model");
        auto models = std::make_shared<typename Model::Models>();
        Summary summary = state_;
        if (detail::advance_summary(stage_, summary))
            throw InvalidSetting(stage_title<S>() +
                                 " needs a second pass over the rows with these settings, and OnlineFit has let them "
                                 "go; fit it on a dataset");
        detail::in_stage(stage_title<S>(), [&] { std::get<0>(std::get<0>(*models)) = stage_.finish(summary); });
        return Model(std::move(models), seed_, rows_);
    }
    std::int64_t rows() const { return rows_; }

  private:
    Summary fresh() {
        detail::in_stage(stage_title<S>(), [&] { detail::validate_settings(stage_); });
        return detail::start_summary<Summary>(stage_);
    }
    /// What no fit could use is refused here: it could not be withdrawn either.
    void hold(Summary both, std::int64_t more_rows) {
        if constexpr (requires { both.check(); }) detail::in_stage(stage_title<S>(), [&] { both.check(); });
        state_ = std::move(both);
        rows_ += more_rows;
    }
    template <class... V>
    Summary summarise(const Dataset<Row, Train>& batch, detail::Types<V...>) const {
        const std::array<int, sizeof...(V)> slots = detail::mapped(batch.slots(), At::fit_inputs);
        return detail::aggregate_blocks(detail::rows_that_count(batch.state()), detail::start_summary<Summary>(stage_),
                                        [&](Summary& summary, Block& block, std::size_t) {
                                            [&]<std::size_t... I>(std::index_sequence<I...>) {
                                                summary.update(block.template view<V>(slots[I])..., block.weights());
                                            }(std::index_sequence_for<V...>());
                                        });
    }

    S stage_;
    Summary state_;
    std::int64_t rows_ = 0;
    std::uint64_t seed_ = 0;
};

}  // namespace partita::inline PARTITA_ABI
