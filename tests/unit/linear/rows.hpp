// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that any language makes alike, and the values that the peers found on them.

#include <partita/comm/session.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>

#include <boost/describe.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace partita_tests {

namespace pt = partita;

/// 9000 rows (three blocks) from s -> 6364136223846793005 s + 1442695040888963407 modulo 2^64, started at 1: each draw is the
/// upper 24 bits of the next s over 2^24, and a row takes five draws a, b, c, d, e. Every value is exact in double, and the
/// features are in float. Literals in the tests were computed once on these rows by scikit-learn 1.9.1 and statsmodels 0.15.0.
template <class T>
struct LinearRow {
    pt::Vector<T, 3> x;  ///< a - 1/2, 4 b, c
    double y;            ///< 1000 + 3 a - 2 b + c/2 + d - 1/2
    bool yes;            ///< e < a
    double w;            ///< ⌊4 d⌋
    pt::Category group;  ///< ⌊5 b⌋ as a letter
    BOOST_DESCRIBE_CLASS(LinearRow, (), (x, y, yes, w, group), (), ())
};

template <class T>
std::vector<LinearRow<T>> linear_rows() {
    static constexpr const char* letters[] = {"A", "B", "C", "D", "E"};
    std::vector<LinearRow<T>> rows(9000);
    std::uint64_t s = 1;
    const auto draw = [&] {
        s = s * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(s >> 40) / 16777216.0;
    };
    for (LinearRow<T>& row : rows) {
        const double a = draw(), b = draw(), c = draw(), d = draw(), e = draw();
        row.x[0] = static_cast<T>(a - 0.5);
        row.x[1] = static_cast<T>(4 * b);
        row.x[2] = static_cast<T>(c);
        row.y = 1000 + 3 * a - 2 * b + 0.5 * c + (d - 0.5);
        row.yes = e < a;
        row.w = std::floor(4 * d);
        row.group = letters[static_cast<std::size_t>(5 * b)];
    }
    return rows;
}

/// Each row as often as its weight says.
template <class Row>
std::vector<Row> copies(const std::vector<Row>& rows) {
    std::vector<Row> all;
    for (const Row& row : rows)
        for (int k = 0; k < static_cast<int>(row.w); ++k) all.push_back(row);
    return all;
}

/// The largest difference relative to the larger of the value and a millionth of the largest value.
inline double relative_error(const std::vector<double>& ours, const std::vector<double>& theirs) {
    if (ours.size() != theirs.size()) return HUGE_VAL;
    double largest = 0, error = 0;
    for (double value : theirs) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < ours.size(); ++i)
        error = std::max(error, std::abs(ours[i] - theirs[i]) / std::max(std::abs(theirs[i]), 1e-6 * largest));
    return error;
}

template <class Model>
std::vector<double> with_intercept(const Model& model) {
    std::vector<double> all = model.coefficients();
    all.push_back(model.intercept());
    return all;
}

/// The learner fitted on the rows, weighted if asked for.
template <class Row, class Learner>
auto fitted(const std::vector<Row>& rows, const Learner& learner, bool weighted = false, std::size_t threads = 1) {
    pt::LocalSession session({.threads = threads});
    auto data = pt::dataset(session, rows);
    if (weighted) data = data.template weigh_by<"w">();
    return pt::pipeline(learner).fit(pt::as_train(data));
}
template <class Row, class Learner>
auto learnt(const std::vector<Row>& rows, const Learner& learner, bool weighted = false, std::size_t threads = 1) {
    return fitted(rows, learner, weighted, threads).template stage<1>();
}

}  // namespace partita_tests
