// SPDX-License-Identifier: Apache-2.0
// A learner that makes its own passes, and looks at what it should not: threads, workers, shares.
#include "broken_stages.hpp"

#include <partita/math/count.hpp>

namespace check_stage_workers_test {

using namespace partita;

namespace {

enum class Look { at_rows_only, at_threads, at_workers, at_share, away_from_errors };

struct Total {
    using stage_concept = Estimator;
    static constexpr std::string_view id = "Total";
    using Inputs = Columns<Column<"x", double>>;
    using Outputs = Columns<Column<"part", double>>;

    Look look = Look::at_rows_only;

    struct Model {
        double total = 0;
        void operator()(std::span<const double> x, std::span<double> part) const {
            for (std::size_t i = 0; i < x.size(); ++i) part[i] = x[i] / total;
        }
        BOOST_DESCRIBE_CLASS(Model, (), (total), (), ())
    };

    Model fit(FitRows<double>& rows) const {
        const auto sum = [&] {
            return rows.aggregate(ExactSums(2), [](ExactSums& sums, std::span<const double> x, Weights weights) {
                for (std::size_t i = 0; i < x.size(); ++i) {
                    if (weights[i] == 0) continue;
                    if (!(x[i] - x[i] == 0))
                        throw NonFiniteValue("a value is not finite", Place{.row = static_cast<std::int64_t>(i)});
                    sums.add(0, weights[i]);
                    sums.add(1, weights[i] * x[i]);
                }
            });
        };
        ExactSums sums(2);
        if (look == Look::away_from_errors) {
            try {
                sums = sum();
            } catch (const NegativeWeight&) {
                if (rows.session().rank() != 1) throw;
                return {1};
            }
        } else {
            sums = sum();
        }
        if (!(sums.value(0) > 0)) throw EmptyDataset("no row of positive weight");
        Model model{sums.value(1)};
        if (look == Look::at_threads) model.total += static_cast<double>(rows.session().threads());
        if (look == Look::at_workers) model.total += static_cast<double>(rows.session().size());
        if (look == Look::at_share) model.total += static_cast<double>(rows.local_blocks());
        return model;
    }
};

}  // namespace

static_assert(std::is_same_v<detail::TableToCheck<Total>, Schema<Column<"x", double>>>);

TEST_CASE("a sound learner with passes of its own keeps all laws", "[pipeline][check_stage]") {
    const auto report = check_stage<Total>(
        {.listed_failures = {{"what the fit refuses, transform refuses", "it divides whatever it is given"}}});
    broken::is_sound(report);
}

TEST_CASE("laws of distribution catch a learner that looks at its surroundings", "[pipeline][check_stage]") {
    broken::catches(check_stage<Total>({.stage = {Look::at_threads}}), "threads do not matter");
    const auto workers = check_stage<Total>({.stage = {Look::at_workers}});
    broken::catches(workers, "workers of a tree do not matter");
    broken::catches(workers, "workers of a ring do not matter");
    broken::catches(workers, "workers of a parameter server do not matter");
    CHECK_FALSE(workers.failed("chunks do not matter"));
    broken::catches(check_stage<Total>({.stage = {Look::at_share}}),
                    "how the rows are dealt to workers does not matter");
    broken::catches(check_stage<Total>({.stage = {Look::away_from_errors}}), "an error of one worker is thrown on all");
}

}  // namespace check_stage_workers_test
