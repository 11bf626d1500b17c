// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/math/logistic.hpp>
#include <partita/optimize/lbfgs.hpp>
#include <partita/optimize/newton.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace descent_test {

namespace pt = partita;

namespace {

using In = std::span<const double>;
using Out = std::span<double>;

// Σ scale·(x - target)², whose scales differ by `condition`.
struct Quadratic {
    std::size_t m;
    double condition;

    double scale(std::size_t c) const {
        return std::pow(condition, static_cast<double>(c) / static_cast<double>(m - 1));
    }
    double operator()(In x, Out gradient) const {
        double value = 0;
        for (std::size_t c = 0; c < m; ++c) {
            const double d = x[c] - static_cast<double>(c);
            value += 0.5 * scale(c) * d * d;
            gradient[c] = scale(c) * d;
        }
        return value;
    }
    double operator()(In x, Out gradient, Out hessian) const {
        if (!hessian.empty()) {
            for (double& h : hessian) h = 0;
            for (std::size_t c = 0; c < m; ++c) hessian[pt::triangle_index(c, c, m)] = scale(c);
        }
        return (*this)(x, gradient);
    }
};

struct Rosenbrock {
    double operator()(In x, Out g) const {
        const double a = 1 - x[0], b = x[1] - x[0] * x[0];
        g[0] = -2 * a - 400 * x[0] * b;
        g[1] = 200 * b;
        return a * a + 100 * b * b;
    }
    double operator()(In x, Out g, Out h) const {
        if (!h.empty()) {
            h[0] = 2 - 400 * (x[1] - 3 * x[0] * x[0]);
            h[1] = -400 * x[0];
            h[2] = 200;
        }
        return (*this)(x, g);
    }
};

// Average logistic loss with a ridge, features of condition 1e4 or so.
struct Logistic {
    std::size_t n = 2000, p = 9;
    std::vector<float> x;
    std::vector<double> y;
    double ridge = 1e-6;
    int evaluations = 0;

    Logistic() {
        std::mt19937_64 random(11);
        std::normal_distribution<double> draw;
        for (std::size_t r = 0; r < n; ++r) {
            std::vector<double> z(p);
            for (double& v : z) v = draw(random);
            for (std::size_t c = 0; c < p; ++c) {
                double v = z[c] * std::pow(10.0, -0.5 * static_cast<double>(c % 5));
                if (c > 0) v += 0.99 * static_cast<double>(x[r * p]);
                x.push_back(static_cast<float>(v));
            }
            y.push_back(draw(random) + z[1] + 0.5 * z[2] > 0.3 ? 1.0 : 0.0);
        }
    }
    std::size_t size() const { return p + 1; }
    double penalty(In w) const {
        double total = 0;
        for (std::size_t c = 0; c < p; ++c) total += 0.5 * ridge * w[c] * w[c];
        return total;
    }
    double operator()(In w, Out gradient, Out hessian) {
        ++evaluations;
        pt::LogisticBlock block(p, true);
        double loss = block.compute(pt::MatrixView<const float>(x.data(), n, p), y, {}, w, gradient, hessian);
        for (std::size_t c = 0; c <= p; ++c) {
            gradient[c] = gradient[c] / static_cast<double>(n) + (c < p ? ridge * w[c] : 0.0);
        }
        for (double& h : hessian) h /= static_cast<double>(n);
        if (!hessian.empty()) {
            for (std::size_t c = 0; c < p; ++c) hessian[pt::triangle_index(c, c, p + 1)] += ridge;
        }
        return loss / static_cast<double>(n) + penalty(w);
    }
    double operator()(In w, Out gradient) { return (*this)(w, gradient, {}); }
};

}  // namespace

TEST_CASE("Newton solves a quadratic in one step, L-BFGS in a few", "[optimize]") {
    for (const double condition : {1.0, 1e2}) {
        const Quadratic q{20, condition};
        const std::vector<double> start(20, 50.0);
        const pt::Descent newton = pt::newton(start, q);
        CHECK(newton.iterations == 1);
        CHECK(newton.evaluations == 2);
        CHECK(newton.converged());
        CHECK(newton.history.size() == 2);
        const pt::Descent lbfgs = pt::lbfgs(start, q, {{.max_iterations = 300}});
        CHECK(lbfgs.stopped == pt::Stopped::gradient_small);
        CHECK(lbfgs.iterations < 150);
        for (std::size_t c = 0; c < 20; ++c) {
            CHECK(newton.point[c] == Approx(static_cast<double>(c)).margin(1e-8));
            CHECK(lbfgs.point[c] == Approx(static_cast<double>(c)).margin(1e-8));
        }
        for (std::size_t k = 1; k < lbfgs.history.size(); ++k)
            CHECK(lbfgs.history[k] <= lbfgs.history[k - 1] + 0x1p-44 * (1 + lbfgs.history[k - 1]));
    }
}

TEST_CASE("the remembered steps meet the secant equation of the last one", "[optimize]") {
    const std::size_t m = 6;
    pt::detail::StepMemory memory;
    std::mt19937_64 random(2);
    std::vector<double> x(m), gradient(m), next(m), next_gradient(m);
    const auto gradient_at = [&](const std::vector<double>& at) {
        std::vector<double> g(m);
        for (std::size_t c = 0; c < m; ++c)
            g[c] = static_cast<double>(c + 1) * at[c] + 0.25 * at[(c + 1) % m] + 0.25 * at[(c + m - 1) % m];
        return g;
    };
    gradient = gradient_at(x);
    for (int k = 0; k < 5; ++k) {  // more steps than it remembers
        for (double& v : next) v = static_cast<double>(random() % 1000) / 500.0 - 1;
        next_gradient = gradient_at(next);
        memory.remember(3, x, next, gradient, next_gradient);
        std::vector<double> change(m), step(m);
        for (std::size_t c = 0; c < m; ++c) change[c] = -(next_gradient[c] - gradient[c]);
        memory.direction(change, step);  // the approximate inverse Hessian times the change of the gradient
        for (std::size_t c = 0; c < m; ++c) CHECK(step[c] == Approx(next[c] - x[c]).epsilon(1e-12).margin(1e-12));
        x = next;
        gradient = next_gradient;
    }
}

TEST_CASE("both find the bottom of Rosenbrock's valley", "[optimize]") {
    const std::vector<double> start = {-1.2, 1.0};
    const pt::Descent newton = pt::newton(start, Rosenbrock{}), lbfgs = pt::lbfgs(start, Rosenbrock{});
    for (const pt::Descent& d : {newton, lbfgs}) {
        CHECK(d.converged());
        CHECK(d.point[0] == Approx(1.0).epsilon(1e-7));
        CHECK(d.point[1] == Approx(1.0).epsilon(1e-7));
        CHECK(d.iterations < 60);
        CHECK(d.evaluations < 120);
    }
}

TEST_CASE("an ill-conditioned logistic fit reaches a gradient of 1e-9 by either method, and the same point",
          "[optimize]") {
    Logistic plain;
    const std::vector<double> start(plain.size(), 0.0);

    // The objective first: its gradient against central differences (error step² plus rounding/step: 1e-9 and 1e-11).
    std::vector<double> w(plain.size()), gradient(plain.size()), scratch(plain.size());
    for (std::size_t c = 0; c < w.size(); ++c) w[c] = std::cos(static_cast<double>(c));
    plain(w, gradient);
    for (std::size_t c = 0; c < w.size(); ++c) {
        auto up = w, down = w;
        up[c] += 1e-5, down[c] -= 1e-5;
        CHECK(gradient[c] == Approx((plain(up, scratch) - plain(down, scratch)) / (up[c] - down[c])).margin(1e-8));
    }

    const pt::Descent newton = pt::newton(start, plain);
    CHECK(newton.stopped == pt::Stopped::gradient_small);
    CHECK(newton.gradient_norm <= 1e-9);
    CHECK(newton.iterations < 10);
    CHECK(newton.evaluations == newton.iterations + 1);
    plain.evaluations = 0;
    const pt::Descent lbfgs = pt::lbfgs(start, plain, {{.max_iterations = 1000}});
    CHECK(lbfgs.stopped == pt::Stopped::gradient_small);
    CHECK(lbfgs.evaluations == plain.evaluations);
    CHECK(std::fabs(lbfgs.objective - newton.objective) < 1e-9 * newton.objective);
    for (std::size_t c = 0; c < start.size(); ++c) CHECK(lbfgs.point[c] == Approx(newton.point[c]).margin(1e-3));
}

TEST_CASE("Newton halves its step where a full one overshoots", "[optimize]") {
    // sqrt(1 + x²): from |x| > 1 a full Newton step goes to -x³.
    struct Hyperbola {
        double operator()(In x, Out g, Out h) const {
            const double r = std::sqrt(1 + x[0] * x[0]);
            g[0] = x[0] / r;
            if (!h.empty()) h[0] = 1 / (r * r * r);
            return r;
        }
    };
    const std::vector<double> start = {3.0};
    const pt::Descent d = pt::newton(start, Hyperbola{});
    CHECK(d.converged());
    CHECK(std::fabs(d.point[0]) < 1e-8);
    CHECK(d.evaluations > d.iterations + 1);
    for (std::size_t k = 1; k < d.history.size(); ++k) CHECK(d.history[k] <= d.history[k - 1]);
}

TEST_CASE("objectives that are infinite somewhere are stepped around", "[optimize]") {
    const auto barrier = [](In x, Out g) {  // x - log x, minimum 1 at 1; no value below 0
        if (x[0] <= 0) return std::numeric_limits<double>::infinity();
        g[0] = 1 - 1 / x[0];
        return x[0] - std::log(x[0]);
    };
    const auto with_hessian = [&](In x, Out g, Out h) {
        if (!h.empty()) h[0] = 1 / (x[0] * x[0]);
        return barrier(x, g);
    };
    const std::vector<double> start = {30.0};
    const pt::Descent a = pt::lbfgs(start, barrier), b = pt::newton(start, with_hessian);
    CHECK(a.converged());
    CHECK(a.point[0] == Approx(1.0).epsilon(1e-7));
    CHECK(b.converged());
    CHECK(b.point[0] == Approx(1.0).epsilon(1e-7));
}

TEST_CASE("descent stops where rounding is all that moves it, and at its limit of iterations", "[optimize]") {
    const std::vector<double> start = {-1.2, 1.0};
    const pt::Descent spent = pt::newton(start, Rosenbrock{}, {.max_iterations = 2});
    CHECK(spent.stopped == pt::Stopped::iterations_spent);
    CHECK_FALSE(spent.converged());
    CHECK(pt::lbfgs(start, Rosenbrock{}, {{.max_iterations = 2}}).iterations == 2);
    const pt::Descent exhausted =
        pt::lbfgs(start, Rosenbrock{}, {{.max_iterations = 10000, .gradient_tolerance = 0.0}});
    CHECK((exhausted.stopped == pt::Stopped::no_progress || exhausted.gradient_norm == 0.0));
    CHECK(pt::newton(std::vector<double>{0, 1}, Quadratic{2, 3.0}).iterations == 0);
}

}  // namespace descent_test
