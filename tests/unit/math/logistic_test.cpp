// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/elementary.hpp>
#include <partita/math/logistic.hpp>
#include <partita/math/margins.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace logistic_test {

namespace pt = partita;

namespace {

struct Problem {
    std::size_t n, p;
    std::vector<float> x;
    std::vector<double> y, w, coefficients;

    Problem(std::size_t rows, std::size_t columns, bool intercept) : n(rows), p(columns) {
        std::mt19937_64 random(rows * 7 + columns);
        std::normal_distribution<double> draw;
        for (std::size_t k = 0; k < n * p; ++k) x.push_back(static_cast<float>(draw(random)));
        for (std::size_t r = 0; r < n; ++r) {
            y.push_back(random() % 3 == 0 ? 1.0 : 0.0);
            w.push_back(static_cast<double>(random() % 4) * 0.5);
        }
        for (std::size_t c = 0; c < p + (intercept ? 1 : 0); ++c) coefficients.push_back(draw(random));
    }
    pt::MatrixView<const float> view() const { return {x.data(), n, p}; }
};

struct Result {
    double loss = 0;
    std::vector<double> gradient, hessian;

    Result(const Problem& problem, bool intercept, bool weighted) {
        pt::LogisticBlock block(problem.p, intercept);
        gradient.resize(block.size());
        hessian.resize(pt::triangle_size(block.size()));
        loss = block.compute(problem.view(), problem.y, weighted ? pt::Weights(problem.w.data()) : pt::Weights(),
                             problem.coefficients, gradient, hessian);
    }
};

double tree_of_eight(const double* lane) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// The same sums in the promised order, one number at a time.
struct Twin {
    double loss = 0;
    std::vector<double> gradient, hessian, margins;

    Twin(const Problem& q, bool intercept, bool weighted) {
        const std::size_t m = q.coefficients.size(), tile = pt::detail::tile_rows(m);
        const auto at = [&](std::size_t r, std::size_t c) {
            return c < q.p ? static_cast<double>(q.x[r * q.p + c]) : intercept ? 1.0 : 0.0;
        };
        std::vector<double> residual(q.n), curvature(q.n);
        double losses[8] = {};
        for (std::size_t r = 0; r < q.n; ++r) {
            const double w = weighted ? q.w[r] : 1.0, y = q.y[r];
            double lane[8] = {};
            for (std::size_t c = 0; c < m && w != 0; ++c)
                lane[c % 8] = pt::fused(at(r, c), q.coefficients[c], lane[c % 8]);
            const double z = tree_of_eight(lane);
            margins.push_back(z);
            const auto parts = pt::detail::logistic_parts(z);
            const double small = pt::detail::product(parts.power, parts.reciprocal);
            const double one = z < 0 ? small : parts.reciprocal, zero = z < 0 ? parts.reciprocal : small;
            const double loss_of_row = pt::fused(-y, z, z > 0 ? z : 0.0) + parts.log;
            residual[r] = pt::detail::product(w, pt::fused(1.0 - y, one, -pt::detail::product(y, zero)));
            curvature[r] = pt::detail::product(w, pt::detail::product(small, parts.reciprocal));
            if (w != 0) losses[r % 8] = pt::fused(w, loss_of_row, losses[r % 8]);
        }
        loss = tree_of_eight(losses);
        gradient.assign(m, 0.0);
        for (std::size_t first = 0; first < q.n; first += tile) {
            for (std::size_t c = 0; c < m; ++c) {
                double half[2] = {};
                for (std::size_t r = first; r < std::min(q.n, first + tile); ++r) {
                    if (weighted && q.w[r] == 0) continue;
                    half[r % 2] = pt::fused(residual[r], at(r, c), half[r % 2]);
                }
                gradient[c] += half[0] + half[1];
            }
        }
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = i; j < m; ++j) {
                double total = 0;
                for (std::size_t first = 0; first < q.n; first += tile) {
                    double chain = 0;
                    for (std::size_t r = first; r < std::min(q.n, first + tile); ++r) {
                        chain = pt::fused(pt::detail::product(curvature[r], at(r, i)), at(r, j), chain);
                    }
                    total += chain;
                }
                hessian.push_back(total);
            }
        }
    }
};

std::size_t differences(const std::vector<double>& a, const std::vector<double>& b) {
    std::size_t count = a.size() != b.size();
    for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) count += a[k] != b[k];
    return count;
}

long double exact_loss(const Problem& q, const std::vector<double>& coefficients) {
    long double total = 0;
    for (std::size_t r = 0; r < q.n; ++r) {
        long double z = coefficients.size() > q.p ? coefficients[q.p] : 0.0;
        for (std::size_t c = 0; c < q.p; ++c) z += static_cast<long double>(q.x[r * q.p + c]) * coefficients[c];
        const long double signed_margin = q.y[r] > 0.5 ? -z : z;
        total += std::max(signed_margin, 0.0L) + std::log1p(std::exp(-std::fabs(z)));
    }
    return total;
}

}  // namespace

TEST_CASE("the logistic block has the bits of its scalar twin", "[math]") {
    for (const std::size_t p : {1u, 3u, 7u, 8u, 17u, 28u, 40u}) {
        for (const std::size_t n : {1u, 8u, 63u, 64u, 130u, 333u}) {
            for (const bool intercept : {false, true}) {
                for (const bool weighted : {false, true}) {
                    const Problem q(n, p, intercept);
                    const Result got(q, intercept, weighted);
                    const Twin twin(q, intercept, weighted);
                    CAPTURE(n, p, intercept, weighted);
                    CHECK(got.loss == twin.loss);
                    CHECK(differences(got.gradient, twin.gradient) == 0);
                    CHECK(differences(got.hessian, twin.hessian) == 0);
                }
            }
        }
    }
}

TEST_CASE("loss, gradient and Hessian agree with long double", "[math]") {
    const Problem q(3000, 6, true);
    const Result got(q, true, false);
    // 3000 terms in eight lanes, each within some ulps: 1e-13 is a hundred times what is expected.
    CHECK(std::fabs(got.loss / static_cast<double>(exact_loss(q, q.coefficients)) - 1) < 1e-13);
    const std::size_t m = q.coefficients.size();
    for (std::size_t c = 0; c < m; ++c) {
        const long double step = 1e-4L;
        auto up = q.coefficients, down = q.coefficients;
        up[c] += static_cast<double>(step);
        down[c] -= static_cast<double>(step);
        const long double width = static_cast<long double>(up[c]) - static_cast<long double>(down[c]);
        const auto slope = static_cast<double>((exact_loss(q, up) - exact_loss(q, down)) / width);
        CHECK(std::fabs(got.gradient[c] - slope) <
              1e-5);  // a central difference errs by step² times the third derivative
        Problem shifted = q;
        shifted.coefficients = up;
        const Result high(shifted, true, false);
        shifted.coefficients = down;
        const Result low(shifted, true, false);
        for (std::size_t j = c; j < m; ++j) {
            const double difference = (high.gradient[j] - low.gradient[j]) / static_cast<double>(width);
            CHECK(std::fabs(got.hessian[pt::triangle_index(c, j, m)] - difference) < 1e-5);
        }
    }
}

TEST_CASE("losses are accurate for either label however sure the model is", "[math]") {
    std::vector<double> z = {-700, -40, -20, -1, 0, 1e-9, 1, 20, 40, 700, 36.7, -36.7};
    for (const double label : {0.0, 1.0}) {
        for (const double margin : z) {
            double residual = 0, curvature = 0;
            const double loss = pt::logistic_terms({&margin, 1}, {&label, 1}, {}, &residual, &curvature);
            const long double s = label > 0.5 ? -static_cast<long double>(margin) : static_cast<long double>(margin);
            const long double truth = s > 0 ? s + std::log1p(std::exp(-s)) : std::log1p(std::exp(s));
            const long double slope = (label > 0.5 ? -1 : 1) / (1 + std::exp(-s));
            const long double bend =
                std::exp(-std::fabs(s)) / ((1 + std::exp(-std::fabs(s))) * (1 + std::exp(-std::fabs(s))));
            CAPTURE(label, margin);
            CHECK(std::fabs(loss / static_cast<double>(truth) - 1) < 1e-15);
            CHECK(std::fabs(residual / static_cast<double>(slope) - 1) < 1e-15);
            CHECK(std::fabs(curvature / static_cast<double>(bend) - 1) < 2e-15);
        }
    }
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()}) {
        const double label = 1.0;
        double residual = 0;
        const double loss = pt::logistic_terms({&bad, 1}, {&label, 1}, {}, &residual, nullptr);
        CHECK((bad > 0 || !std::isfinite(loss)));  // only +infinity with label 1 is no loss at all
    }
}

TEST_CASE("the terms of a block's margins are the block's", "[math]") {
    const Problem q(517, 11, true);
    const Result whole(q, true, true);
    const Twin twin(q, true, true);
    std::vector<double> residuals(q.n), curvatures(q.n);
    const pt::Weights weights(q.w.data());
    CHECK(pt::logistic_terms(twin.margins, q.y, weights, residuals.data(), curvatures.data()) == whole.loss);
}

TEST_CASE("sparse and one-hot rows give what dense rows give", "[math]") {
    Problem q(300, 12, true);
    std::vector<std::int64_t> offsets = {0};
    std::vector<std::int32_t> indices;
    std::vector<float> values;
    std::mt19937_64 random(1);
    for (std::size_t r = 0; r < q.n; ++r) {
        for (std::size_t c = 0; c < q.p; ++c) {
            if (random() % 2) {
                q.x[r * q.p + c] = 0;
            } else {
                indices.push_back(static_cast<std::int32_t>(c));
                values.push_back(q.x[r * q.p + c]);
            }
        }
        offsets.push_back(static_cast<std::int64_t>(indices.size()));
    }
    const pt::SparseView<float> sparse{offsets.data(), indices.data(), values.data(), q.n, q.p};
    const Result dense(q, true, true);
    std::vector<double> margins(q.n), residuals(q.n), curvatures(q.n), gradient(q.p), hessian(dense.hessian.size());
    pt::block_margins(sparse, q.coefficients, q.coefficients[q.p], margins);
    const double loss = pt::logistic_terms(margins, q.y, pt::Weights(q.w.data()), residuals.data(), curvatures.data());
    CHECK(loss == Approx(dense.loss).epsilon(1e-13));
    pt::add_block_gradient(sparse, residuals, gradient);
    pt::add_block_hessian(sparse, curvatures, true, hessian);
    std::vector<std::int64_t> fixed(q.p);
    pt::add_block_gradient(sparse, residuals, 0x1p+40, fixed);
    for (std::size_t c = 0; c < q.p; ++c) {
        CHECK(gradient[c] == Approx(dense.gradient[c]).epsilon(1e-12).margin(1e-12));
        CHECK(static_cast<double>(fixed[c]) * 0x1p-40 ==
              Approx(dense.gradient[c]).margin(300 * 0x1p-41));  // half a unit a term
    }
    for (std::size_t k = 0; k < hessian.size(); ++k)
        CHECK(hessian[k] == Approx(dense.hessian[k]).epsilon(1e-12).margin(1e-12));

    std::vector<std::int32_t> codes;
    std::fill(q.x.begin(), q.x.end(), 0.0f);
    for (std::size_t r = 0; r < q.n; ++r) {
        codes.push_back(static_cast<std::int32_t>(r % (q.p + 1)) - 1);
        if (codes.back() >= 0) q.x[r * q.p + static_cast<std::size_t>(codes.back())] = 1.0f;
    }
    const pt::OneHotView one_hot{codes.data(), q.n, q.p};
    std::vector<double> ones(q.n);
    pt::block_margins(q.view(), q.coefficients, q.coefficients[q.p], ones);
    pt::block_margins(one_hot, q.coefficients, q.coefficients[q.p], margins);
    CHECK(differences(margins, ones) == 0);  // all terms but one are zeros
}

TEST_CASE("a row of weight zero may hold anything", "[math]") {
    Problem q(70, 4, true);
    for (auto& w : q.w) w = 1.0;
    const Result before(q, true, true);
    q.w[65] = 0.0;
    const Result without(q, true, true);
    q.x[65 * 4 + 2] = std::numeric_limits<float>::quiet_NaN();
    const Result with(q, true, true);
    CHECK(with.loss == without.loss);
    CHECK(with.loss < before.loss);
    CHECK(differences(with.gradient, without.gradient) == 0);
    CHECK(differences(with.hessian, without.hessian) == 0);
}

}  // namespace logistic_test
