// SPDX-License-Identifier: Apache-2.0
// Fits one linear model and prints what it found as JSON; linear_models.py runs it and compares.
//   linear_models ROWS.csv MODEL FEATURES [SETTING=VALUE]…
// MODEL is linear or logistic. FEATURES is float or double (the columns x_0 … x_4), sparse (x_0, x_1 and the categories a and b
// side by side) or onehot (a alone). Settings: l2, intercept, standardize, balanced, weighted, lbfgs, tolerance.

#include <partita/comm/session.hpp>
#include <partita/data/split.hpp>
#include <partita/evaluate/accuracy.hpp>
#include <partita/evaluate/evaluate.hpp>
#include <partita/evaluate/log_loss.hpp>
#include <partita/evaluate/mae.hpp>
#include <partita/evaluate/r_squared.hpp>
#include <partita/evaluate/rmse.hpp>
#include <partita/evaluate/roc_area.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/io/csv.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/linear/p_values.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace pt = partita;

template <class T>
struct Row {
    pt::Vector<T, 5> x;
    pt::Category a, b;
    double y, w;
    BOOST_DESCRIBE_CLASS(Row, (), (x, a, b, y, w), (), ())
};
struct SparseRow {
    float x_0, x_1;
    pt::Category a, b;
    double y, w;
};
BOOST_DESCRIBE_STRUCT(SparseRow, (), (x_0, x_1, a, b, y, w))

namespace {

std::string settings_text;

double setting(std::string_view name, double otherwise) {
    const std::string key = " " + std::string(name) + "=";
    const auto at = settings_text.find(key);
    return at == std::string::npos ? otherwise : std::atof(settings_text.c_str() + at + key.size());
}

void print(const char* name, const std::vector<double>& values) {
    std::printf("\"%s\": [", name);
    for (std::size_t i = 0; i < values.size(); ++i) std::printf("%s%.17g", i ? ", " : "", values[i]);
    std::printf("], ");
}
void print(const char* name, double value) { std::printf("\"%s\": %.17g, ", name, value); }

template <pt::Name Features>
auto least_squares() {
    return pt::LinearRegression<Features, "y">{.l2 = setting("l2", 0), .fit_intercept = setting("intercept", 1) != 0};
}
template <pt::Name Features>
auto logistic() {
    return pt::LogisticRegression<Features, "y">{
        .l2 = setting("l2", 0),
        .fit_intercept = setting("intercept", 1) != 0,
        .standardize = setting("standardize", 1) != 0,
        .class_weights = setting("balanced", 0) != 0 ? pt::ClassWeights::balanced : pt::ClassWeights::equal,
        .solver = setting("lbfgs", 0) != 0 ? pt::LogisticSolver::lbfgs : pt::LogisticSolver::automatic,
        .max_iterations = 5000,
        .tolerance = setting("tolerance", 1e-9)};
}

void print_learner(const pt::LinearModel& model) {
    print("intercept", model.intercept());
    print("standard_errors", model.standard_errors());
    print("intercept_standard_error", model.intercept_standard_error());
    print("t", model.t_values());
    print("p", pt::p_values(model));
    print("mean_squared_error", model.mean_squared_error());
    print("degrees_of_freedom", model.degrees_of_freedom());
}
void print_learner(const pt::LogisticModel<double>& model) {
    print("intercept", model.intercept());
    print("history", model.objective_history());
    print("converged", model.converged());
}

template <class Row, class Pipeline>
void fit(const std::string& path, const Pipeline& pipeline) {
    constexpr int last = static_cast<int>(std::tuple_size_v<decltype(pipeline.stages)>);
    pt::LocalSession session({.threads = 2});
    auto rows = pt::read_csv<Row>(session, path);
    if (setting("weighted", 0) != 0) rows = rows.template weigh_by<"w">();
    const auto model = pipeline.fit(pt::as_train(rows));
    std::printf("{");
    std::vector<double> values;
    std::printf("\"names\": [");
    for (const auto& coefficient : model.coefficients()) {
        std::printf("%s\"%s\"", values.empty() ? "" : ", ", coefficient.name.c_str());
        values.push_back(coefficient.value);
    }
    std::printf("], ");
    print("coefficients", values);
    print_learner(model.template stage<last>());
    const auto judged = model.transform(pt::as_test(rows));
    if constexpr (requires { model.template stage<last>().classes(); }) {
        const auto [loss, area, accuracy] =
            pt::evaluate(judged, pt::LogLoss<"y">{}, pt::RocArea<"y">{}, pt::Accuracy<"y">{});
        print("log_loss", loss.value());
        print("roc_area", area.value());
        print("accuracy", accuracy.value());
    } else {
        const auto [rmse, mae, r_squared] = pt::evaluate(judged, pt::Rmse<"y">{}, pt::Mae<"y">{}, pt::RSquared<"y">{});
        print("rmse", rmse.value());
        print("mae", mae.value());
        print("r_squared", r_squared.value());
    }
    std::printf("\"done\": true}\n");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr,
                     "usage: linear_models ROWS.csv linear|logistic float|double|sparse|onehot [SETTING=VALUE]...\n");
        return 2;
    }
    const std::string path = argv[1];
    const std::string_view model = argv[2], features = argv[3];
    for (int i = 4; i < argc; ++i) settings_text.append(" ").append(argv[i]);
    const bool linear = model == "linear";
    try {
        const auto encoded = pt::OneHotEncode<"a", pt::Unseen::all_zero>{};
        const auto sparse = encoded | pt::OneHotEncode<"b", pt::Unseen::all_zero>{} |
                            pt::AssembleSparse<"x_0", "x_1", "a", "b", "features">{};
        if (features == "float") {
            linear ? fit<Row<float>>(path, pt::pipeline(least_squares<"x">()))
                   : fit<Row<float>>(path, pt::pipeline(logistic<"x">()));
        } else if (features == "double") {
            linear ? fit<Row<double>>(path, pt::pipeline(least_squares<"x">()))
                   : fit<Row<double>>(path, pt::pipeline(logistic<"x">()));
        } else if (features == "sparse") {
            linear ? fit<SparseRow>(path, sparse | least_squares<"features">())
                   : fit<SparseRow>(path, sparse | logistic<"features">());
        } else {
            linear ? fit<SparseRow>(path, encoded | least_squares<"a">())
                   : fit<SparseRow>(path, encoded | logistic<"a">());
        }
    } catch (const pt::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
