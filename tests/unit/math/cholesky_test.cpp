// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/cholesky.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace cholesky_test {

namespace pt = partita;

namespace {

using Matrix = Eigen::MatrixXd;

Matrix positive_definite(int p, unsigned seed, double smallest) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> draw;
    Matrix a(p, p);
    for (int i = 0; i < p; ++i) {
        for (int j = 0; j < p; ++j) a(i, j) = draw(random);
    }
    Matrix m = a * a.transpose();
    m.diagonal().array() += smallest;
    return m;
}

std::vector<double> triangle(const Matrix& m) {
    std::vector<double> t;
    for (int i = 0; i < m.rows(); ++i) {
        for (int j = i; j < m.cols(); ++j) t.push_back(m(i, j));
    }
    return t;
}

}  // namespace

TEST_CASE("solutions and inverse diagonals agree with Eigen, for orders across the panels", "[math]") {
    for (const int p : {1, 2, 3, 7, 8, 9, 31, 32, 33, 40, 64, 65, 100, 131, 260}) {
        const Matrix m = positive_definite(p, static_cast<unsigned>(p), p);
        const pt::Cholesky cholesky(triangle(m), static_cast<std::size_t>(p));
        Eigen::VectorXd b(p);
        std::vector<double> x;
        for (int i = 0; i < p; ++i) x.push_back(b(i) = std::sin(i + 1.0));
        cholesky.solve(x);
        const Eigen::LLT<Matrix> oracle(m);
        const Eigen::VectorXd expected = oracle.solve(b);
        const Matrix inverse = oracle.solve(Matrix::Identity(p, p));
        const auto diagonal = cholesky.inverse_diagonal();
        CAPTURE(p);
        CHECK(cholesky.full_rank());
        CHECK(cholesky.first_dependent() == -1);
        double worst = 0, worst_diagonal = 0;
        for (int i = 0; i < p; ++i) {
            const auto k = static_cast<std::size_t>(i);
            worst = std::max(worst, std::fabs(x[k] - expected(i)) / expected.norm());
            worst_diagonal = std::max(worst_diagonal, std::fabs(diagonal[k] / inverse(i, i) - 1));
        }
        CHECK(worst < 1e-13);  // condition below 10: p roundings of 1e-16
        CHECK(worst_diagonal < 1e-13);
    }
}

TEST_CASE("a column that is a combination of others is named and left out", "[math]") {
    const int p = 50, n = 200;
    std::mt19937_64 random(3);
    std::normal_distribution<double> draw;
    Matrix x(n, p);
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < p; ++j) x(i, j) = draw(random) * std::pow(10.0, j % 7 - 3);  // very different units
        x(i, 41) = 2 * x(i, 3) - x(i, 17);
        x(i, 5) = 0;
    }
    const Matrix m = x.transpose() * x;
    const pt::Cholesky cholesky(triangle(m), p);
    CHECK(cholesky.rank() == 48);
    CHECK_FALSE(cholesky.full_rank());
    CHECK(cholesky.first_dependent() == 5);
    Eigen::VectorXd b = x.transpose() * Eigen::VectorXd::Ones(n);
    std::vector<double> w(b.data(), b.data() + p);
    cholesky.solve(w);
    CHECK(w[5] == 0.0);
    CHECK(w[41] == 0.0);
    const Eigen::Map<Eigen::VectorXd> solution(w.data(), p);
    CHECK((m * solution - b).cwiseAbs().maxCoeff() <
          1e-9 * b.cwiseAbs().maxCoeff());  // still solves the normal equations
    CHECK(cholesky.inverse_diagonal()[41] == 0.0);
    CHECK(cholesky.inverse_diagonal()[40] > 0.0);
}

TEST_CASE("an ill-conditioned matrix is still solved", "[math]") {
    const int p = 12;  // Hilbert's matrix of order 12 has condition 1e16; lifted to 1e9
    Matrix m(p, p);
    for (int i = 0; i < p; ++i) {
        for (int j = 0; j < p; ++j) m(i, j) = 1.0 / (i + j + 1);
    }
    m.diagonal().array() += 1e-9;
    const pt::Cholesky cholesky(triangle(m), p, 1e-13);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(p), b = m * ones;
    std::vector<double> x(b.data(), b.data() + p);
    cholesky.solve(x);
    CHECK(cholesky.full_rank());
    for (const double v : x) CHECK(std::fabs(v - 1) < 1e-5);  // condition times 1e-16, and some
}

TEST_CASE("indefinite matrices and numbers that are none drop columns instead of spreading", "[math]") {
    const std::vector<double> indefinite = {1, 2, 1};
    const pt::Cholesky cholesky(indefinite, 2);
    CHECK(cholesky.rank() == 1);
    CHECK(cholesky.first_dependent() == 1);
    const std::vector<double> none = {1, std::numeric_limits<double>::quiet_NaN(), 1};
    CHECK(pt::Cholesky(none, 2).first_dependent() == 1);
}

}  // namespace cholesky_test
