// SPDX-License-Identifier: Apache-2.0
// Fits of made-up rows, for the paths and the distributions of rows that the two examples do not show.
// Every number is a short binary fraction, and so are the sums that it comes from: no compiler can round them differently.

#include "comparison.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/linear/linear_regression.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>

namespace {

namespace pt = partita;
using Files = std::vector<std::string>;

/// Uniform draws of 24 bits.
class Draws {
  public:
    double next() {
        s_ = s_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(s_ >> 40) / 16777216.0;
    }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() * static_cast<double>(limit)); }

  private:
    std::uint64_t s_ = 1;
};

/// Zero for all of block 1 and for some other rows, else with a fraction that no sum of doubles holds exactly.
double weight_of(std::size_t row) {
    if (row / 4096 == 1 || row % 11 == 3) return 0;
    return static_cast<double>(1 + row % 7) * 0.1;
}
/// Leaves no row of the blocks 0, 2 and 3, and few of block 4.
bool gappy(std::int32_t row) {
    const int block = row / 4096;
    return block == 1 || block > 4 || (block == 4 && row % 1000 == 3);
}

/// A fit that does not go where it is meant to go would prove nothing.
void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(std::string("tests/digests/fits.cpp: ") + what);
}

// ---- dense features ------------------------------------------------------------------------------------------------------

template <class T>
struct DenseRow {
    pt::Vector<T> x;
    double y;
    bool yes;
    std::int32_t row;
    double weight;
    BOOST_DESCRIBE_CLASS(DenseRow, (), (x, y, yes, row, weight), (), ())
};
template <class T>
struct DenseRows {
    std::vector<T> values;
    std::vector<DenseRow<T>> rows;
};

/// Five features: three plain ones, one that is large in just the rows that blocks look at for a provisional mean, and one
/// `far` from zero.
template <class T>
std::shared_ptr<DenseRows<T>> plain_rows(std::size_t count, double far) {
    auto made = std::make_shared<DenseRows<T>>();
    made->values.resize(5 * count);
    Draws draws;
    for (std::size_t row = 0; row < count; ++row) {
        const double a = draws.next(), b = draws.next(), c = draws.next(), d = draws.next(), e = draws.next();
        T* x = made->values.data() + 5 * row;
        x[0] = static_cast<T>(a - 0.5);
        x[1] = static_cast<T>(4 * b);
        x[2] = static_cast<T>(c);
        x[3] = static_cast<T>(row % 256 == 0 ? 1048576.0 : d);
        x[4] = static_cast<T>(far + std::floor(64 * e) / 64);
        made->rows.push_back({{x, 5},
                              1000 + 3 * a - 2 * b + 0.5 * c + (draws.next() - 0.5),
                              draws.next() < a,
                              static_cast<std::int32_t>(row),
                              weight_of(row)});
    }
    return made;
}

/// Eighty features: two categories of 37 levels spread out, neither with zeros nor ones, and six plain ones.
template <class T>
std::shared_ptr<DenseRows<T>> spread_rows(std::size_t count) {
    constexpr std::size_t levels = 37, p = 2 * levels + 6;
    auto made = std::make_shared<DenseRows<T>>();
    made->values.resize(p * count);
    Draws draws;
    for (std::size_t row = 0; row < count; ++row) {
        T* x = made->values.data() + p * row;
        double y = 0;
        for (std::size_t k = 0; k < 6; ++k) {
            x[k] = static_cast<T>(draws.next());
            y += static_cast<double>(x[k]);
        }
        const std::size_t first = draws.below(levels), second = draws.below(levels);
        for (std::size_t level = 0; level < levels; ++level) {
            const T rest = static_cast<T>(-0.125) * static_cast<T>(1 + level % 5);
            x[6 + level] = level == first ? T(3) : rest;
            x[6 + levels + level] = level == second ? T(5) : rest;
        }
        y += static_cast<double>(first) / 32 - static_cast<double>(second % 4);
        made->rows.push_back({{x, p}, y, draws.next() * 6 < y + 1, static_cast<std::int32_t>(row), weight_of(row)});
    }
    return made;
}

using LeastSquares = pt::LinearRegression<"x", "y">;

digests::Job least_squares(std::size_t every) {
    const auto plain = plain_rows<float>(std::max<std::size_t>(25'000, 100'000 / every), 65536);
    const auto spread = spread_rows<float>(6 * 4096 / 2 + 700);
    return {"least squares",
            {"l2 = 0", "no intercept", "weighted, gaps", "around common values", "common, weighted, gaps"},
            [=](pt::Session& session, std::size_t chunk_blocks) -> Files {
                const auto fit = [](const LeastSquares& learner, const auto& data) {
                    const auto model = pt::pipeline(learner).fit(pt::as_train(data));
                    require(model.template stage<1>().standard_errors().empty() == (learner.l2 > 0),
                            "standard errors are where l2 = 0");
                    return pt::to_bytes(model);
                };
                const auto all = pt::dataset(session, plain->rows).repartition(chunk_blocks);
                const auto common = pt::dataset(session, spread->rows).repartition(chunk_blocks);
                return {fit({}, all), fit({.fit_intercept = false}, all),
                        fit({}, all.template filter<"row">(gappy).template weigh_by<"weight">()),
                        fit({.l2 = 1e-3}, common),
                        fit({.l2 = 1e-3}, common.template weigh_by<"weight">().template filter<"row">(
                                              [](int row) { return row / 4096 != 0; }))};
            }};
}

using Logistic = pt::LogisticRegression<"x", "yes">;

digests::Job logistic() {
    const auto plain = plain_rows<double>(25'000, 16);
    const auto spread = spread_rows<double>(9'000);
    const auto one_block = plain_rows<double>(700, 16);
    return {"logistic",
            {"from a sample", "an empty sample", "weighted, balanced", "lbfgs", "lbfgs, not standardised",
             "newton, not standardised", "too wide for a sample", "one block"},
            [=](pt::Session& session, std::size_t chunk_blocks) -> Files {
                const auto fit = [](const Logistic& learner, const auto& data, auto path) {
                    const auto model = pt::pipeline(learner).fit(pt::as_train(data));
                    const std::vector<double>& objective = model.template stage<1>().objective_history();
                    require(path(objective),
                            "a logistic fit does not take the path it is for: " + std::to_string(objective.size()) +
                                " objectives from " + std::to_string(objective.front()) + " to " +
                                std::to_string(objective.back()));
                    return pt::to_bytes(model);
                };
                // Six coefficients have a sample of the blocks from 12,288 rows on, and then begin near the end.
                const auto near = [](const std::vector<double>& objective) {
                    return objective.front() < objective.back() + 0.01;
                };
                const auto far = [](const std::vector<double>& objective) {
                    return objective.front() > objective.back() + 0.02 && objective.size() < 12;
                };
                const auto long_way = [](const std::vector<double>& objective) { return objective.size() == 21; };
                const auto all = pt::dataset(session, plain->rows).repartition(chunk_blocks);
                const auto wide = pt::dataset(session, spread->rows).repartition(chunk_blocks);
                const auto small = pt::dataset(session, one_block->rows).repartition(chunk_blocks);
                return {
                    fit({}, all, near),
                    fit({.l2 = 1e-4}, all.template filter<"row">([](int row) { return row / 4096 % 5 != 0; }), far),
                    fit({.class_weights = pt::ClassWeights::balanced}, all.template weigh_by<"weight">(), near),
                    fit({.l2 = 1e-6, .solver = pt::LogisticSolver::lbfgs, .max_iterations = 20}, all, long_way),
                    fit({.l2 = 1e-3, .standardize = false, .solver = pt::LogisticSolver::lbfgs, .max_iterations = 20},
                        all.template filter<"row">(gappy).template weigh_by<"weight">(), long_way),
                    fit({.l2 = 1e-3, .fit_intercept = false, .standardize = false}, all, near),
                    fit({.l2 = 1e-3, .class_weights = pt::ClassWeights::balanced}, wide, far),
                    fit({.l2 = 1e-3, .fit_intercept = false}, small, far)};
            }};
}

// ---- sparse features -----------------------------------------------------------------------------------------------------

struct SparseRow {
    pt::Category zone, maker, label;
    std::optional<float> distance;
    double y;
    std::int32_t row;
    double weight;
};
BOOST_DESCRIBE_STRUCT(SparseRow, (), (zone, maker, label, distance, y, row, weight))

struct SparseRows {
    std::vector<std::string> zones, makers;
    std::vector<SparseRow> rows;
};

/// `zones` are equally frequent where `ties`, so that only their bytes order them; each block has a maker of its own, and one
/// label has all rows of some blocks. Distances are of few values, zeros of both signs among them, and some are missing.
std::shared_ptr<SparseRows> sparse_rows(std::size_t count, std::size_t zones, bool ties) {
    auto made = std::make_shared<SparseRows>();
    for (std::size_t k = 0; k < zones; ++k) made->zones.push_back("zone " + std::to_string(k * 7919 % zones));
    for (std::size_t k = 0; k < 4 + count / 4096 + 1; ++k) made->makers.push_back("maker " + std::to_string(97 - k));
    Draws draws;
    for (std::size_t row = 0; row < count; ++row) {
        const std::size_t block = row / 4096, zone = ties ? row % zones : draws.below(zones),
                          maker = row % 10 == 0 ? 4 + block : draws.below(4), level = draws.below(8);
        const double noise = draws.next(), drawn = draws.next();
        const bool late = block % 3 != 0 && (block % 3 == 1 || drawn * 8 < static_cast<double>(1 + level));
        SparseRow made_row{std::string_view(made->zones[zone]),
                           std::string_view(made->makers[maker]),
                           late ? "late" : "in time",
                           std::optional<float>(static_cast<float>(level) * 0.5f),
                           static_cast<double>(zone % 16) / 8 + static_cast<double>(level) + noise,
                           static_cast<std::int32_t>(row),
                           weight_of(row)};
        if (level == 0 && row % 2 == 1) made_row.distance = -0.0f;
        if (row % 13 == 5) made_row.distance.reset();
        made->rows.push_back(made_row);
    }
    return made;
}

auto sparse_pipeline(pt::Imputation imputation, const pt::LogisticRegression<"features", "label">& learner) {
    return pt::Impute<"distance">{.strategy = imputation} | pt::OneHotEncode<"zone", pt::Unseen::all_zero>{} |
           pt::OneHotEncode<"maker", pt::Unseen::own_column>{.drop_last = true} |
           pt::AssembleSparse<"distance", "zone", "maker", "features">{} | learner;
}

digests::Job sparse_logistic() {
    const auto some = sparse_rows(25'000, 40, true);
    const auto wide = sparse_rows(9'000, 4'500, false);
    return {
        "sparse",
        {"newton", "lbfgs, balanced", "lbfgs, not standardised", "newton, weighted, gaps", "4,500 features"},
        [=](pt::Session& session, std::size_t chunk_blocks) -> Files {
            using Learner = pt::LogisticRegression<"features", "label">;
            const auto fit = [](pt::Imputation imputation, const Learner& learner, const auto& data) {
                const auto model = sparse_pipeline(imputation, learner).fit(pt::as_train(data));
                const std::size_t objectives = model.template stage<5>().objective_history().size();
                require((objectives == 21) == (learner.solver == pt::LogisticSolver::lbfgs),
                        "a sparse fit does not take the path it is for: " + std::to_string(objectives) + " objectives");
                return pt::to_bytes(model);
            };
            const auto all = pt::dataset(session, some->rows).repartition(chunk_blocks);
            const auto lbfgs = pt::LogisticSolver::lbfgs;
            return {
                fit(pt::Imputation::mean, {.l2 = 1e-3}, all),
                fit(pt::Imputation::mode,
                    {.l2 = 1e-4, .class_weights = pt::ClassWeights::balanced, .solver = lbfgs, .max_iterations = 20},
                    all.weigh_by<"weight">()),
                fit(pt::Imputation::median, {.l2 = 1e-4, .standardize = false, .solver = lbfgs, .max_iterations = 20},
                    all),
                fit(pt::Imputation::mean, {.l2 = 1e-3, .standardize = false},
                    all.filter<"row">(gappy).weigh_by<"weight">()),
                fit(pt::Imputation::mode, {.l2 = 1e-3, .solver = lbfgs, .max_iterations = 20},
                    pt::dataset(session, wide->rows).repartition(chunk_blocks))};
        }};
}

digests::Job one_hot() {
    const auto some = sparse_rows(25'000, 40, false);
    return {"one-hot",
            {"least squares", "least squares, weighted", "logistic", "logistic, weighted"},
            [=](pt::Session& session, std::size_t chunk_blocks) -> Files {
                const auto squares = pt::OneHotEncode<"zone", pt::Unseen::all_zero>{.drop_last = true} |
                                     pt::LinearRegression<"zone", "y">{};
                const auto logistic = pt::OneHotEncode<"zone", pt::Unseen::all_zero>{.max_categories = 30} |
                                      pt::LogisticRegression<"zone", "label">{.l2 = 1e-3, .standardize = false};
                const auto all = pt::dataset(session, some->rows).repartition(chunk_blocks);
                const auto weighted = all.filter<"row">(gappy).weigh_by<"weight">();
                return {pt::to_bytes(squares.fit(pt::as_train(all))), pt::to_bytes(squares.fit(pt::as_train(weighted))),
                        pt::to_bytes(logistic.fit(pt::as_train(all))),
                        pt::to_bytes(logistic.fit(pt::as_train(weighted)))};
            }};
}

}  // namespace

std::vector<digests::Job> digests::made_up_jobs(std::size_t every) {
    return {least_squares(every), logistic(), sparse_logistic(), one_hot()};
}
