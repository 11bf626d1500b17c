# SPDX-License-Identifier: Apache-2.0
"""Linear and logistic regression against scikit-learn, statsmodels and the objective itself: linear_models.py BUILD_FOLDER

Coefficients, standard errors, t and p values, intercepts and objectives agree to 1e-6 relative, metrics to 1e-12, and rows of
weight k give what k copies give, to 1e-12.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pandas as pd
import sklearn.linear_model as linear
import sklearn.metrics as metrics
import statsmodels.api as sm

program = pathlib.Path(sys.argv[1]) / "oracles" / "linear_models"
folder = pathlib.Path(tempfile.mkdtemp())
failures, checks = [], 0
warnings.filterwarnings("ignore")


def check(case, what, ours, theirs, tolerance, floor=1e-6):
    global checks
    checks += 1
    ours, theirs = np.atleast_1d(np.asarray(ours, float)), np.atleast_1d(np.asarray(theirs, float))
    if ours.shape != theirs.shape:
        failures.append(f"{case}: {what} has shape {ours.shape}, not {theirs.shape}")
        return
    # Relative to each value; to `floor` times the largest where a value is nearly zero beside it.
    error = np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), floor * max(np.max(np.abs(theirs)), 1e-300)))
    if not error <= tolerance:
        failures.append(f"{case}: {what} is off by {error:.2e} relative (ours {ours[:3]}, theirs {theirs[:3]})")


def write(name, x, a, b, y, w):
    columns = {f"x_{i}": x[:, i] for i in range(x.shape[1])}
    table = pd.DataFrame({**columns, "a": a, "b": b, "y": y, "w": w})
    path = folder / f"{name}.csv"
    table.to_csv(path, index=False, float_format="%.17g")
    return path


def ours(path, model, features, **settings):
    done = subprocess.run([program, path, model, features, *[f"{k}={float(v):.17g}" for k, v in settings.items()]],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{model} {features} {settings}: {done.stderr}")
    return json.loads(done.stdout)


random = np.random.default_rng(7)
n = 9000
x = (random.normal(0, 1, (n, 5)) @ random.normal(0, 1, (5, 5)) * [1, 10, 0.1, 1, 3] + [0, 100, 0, -5, 1]).astype(np.float32).astype(float)
a = random.choice([f"a{i:02d}" for i in range(12)], n, p=np.arange(1, 13) / 78)
b = random.choice([f"b{i:02d}" for i in range(30)], n)
w = random.integers(0, 4, n).astype(float)
effect = {name: random.normal() for name in sorted(set(a) | set(b))}
score = (x - x.mean(0)) / x.std(0) @ [0.5, -1, 0.3, 0, 0.8] + np.vectorize(effect.get)(a) + 0.5 * np.vectorize(effect.get)(b)
number = 20 + 3 * score + random.normal(0, 2, n)
label = (random.random(n) < 1 / (1 + np.exp(-(score - 1)))).astype(float)
numbers, labels = write("numbers", x, a, b, number, w), write("labels", x, a, b, label, w)


def design(features, names):
    """The matrix that the model saw, its columns in the model's order."""
    if features in ("float", "double"):
        return x
    columns = []
    for name in names:
        column, _, value = name.partition("=")
        columns.append(x[:, int(column[2:])] if not value else ((a if column == "a" else b) == value).astype(float))
    return np.column_stack(columns)


def least_squares(features, weighted, l2, intercept):
    case = f"LinearRegression {features} weighted={weighted} l2={l2} intercept={intercept}"
    found = ours(numbers, "linear", features, weighted=weighted, l2=l2, intercept=intercept)
    matrix = design(features, found["names"])
    weight = w if weighted else np.ones(n)
    if l2 == 0:
        exog = sm.add_constant(matrix, prepend=False, has_constant="add") if intercept else matrix
        model = sm.GLM(number, exog, freq_weights=weight).fit(tol=1e-14)
        wls = sm.WLS(number, exog, weights=weight).fit()
        degrees = weight.sum() - exog.shape[1]
        residual = number - exog @ wls.params
        errors = np.sqrt((weight * residual**2).sum() / degrees * np.diag(np.linalg.inv((exog * weight[:, None]).T @ exog)))
        k = matrix.shape[1]
        check(case, "coefficients (statsmodels)", found["coefficients"], wls.params[:k], 1e-6)
        check(case, "standard errors (statsmodels)", found["standard_errors"], model.bse[:k], 1e-6)
        check(case, "standard errors (formula)", found["standard_errors"], errors[:k], 1e-6)
        t = wls.params / errors
        check(case, "t values", found["t"], t[:k], 1e-6)
        import scipy.stats
        check(case, "p values", found["p"], 2 * scipy.stats.t.sf(np.abs(t[:k]), degrees), 1e-5)  # a p value multiplies the error of t
        check(case, "degrees of freedom", found["degrees_of_freedom"], degrees, 1e-12)
        if intercept:
            check(case, "intercept", found["intercept"], wls.params[k], 1e-6)
            check(case, "standard error of the intercept", found["intercept_standard_error"], errors[k], 1e-6)
        if not weighted:
            check(case, "p values (statsmodels)", found["p"], sm.OLS(number, exog).fit().pvalues[:k], 1e-5)
    intercept = bool(intercept)
    peer = linear.Ridge(l2 * weight.sum(), fit_intercept=intercept, solver="cholesky") if l2 > 0 else linear.LinearRegression(fit_intercept=intercept)
    peer.fit(matrix, number, sample_weight=weight)
    check(case, "coefficients (scikit-learn)", found["coefficients"], peer.coef_, 1e-6)
    check(case, "intercept (scikit-learn)", found["intercept"], peer.intercept_, 1e-6)
    predicted = matrix @ np.array(found["coefficients"]) + found["intercept"]
    check(case, "rmse", found["rmse"], np.sqrt(metrics.mean_squared_error(number, predicted, sample_weight=weight)), 1e-12)
    check(case, "mae", found["mae"], metrics.mean_absolute_error(number, predicted, sample_weight=weight), 1e-12)
    check(case, "r squared", found["r_squared"], metrics.r2_score(number, predicted, sample_weight=weight), 1e-12)
    check(case, "mean squared error", found["mean_squared_error"], metrics.mean_squared_error(number, predicted, sample_weight=weight), 1e-9)


for features in ("float", "double"):
    for weighted in (0, 1):
        for l2 in (0, 0.1):
            for intercept in (1, 0):
                least_squares(features, weighted, l2, intercept)
for weighted in (0, 1):
    least_squares("sparse", weighted, 0.01, 1)
    least_squares("sparse", weighted, 0.01, 0)
    least_squares("onehot", weighted, 0, 0)
    least_squares("onehot", weighted, 0.01, 1)


def solve(matrix, y, weight, penalty, intercept):
    """The minimum of 1/Σw Σw loss + Σ penalty b²/2 by Newton's method in double, to the last digits."""
    wide = np.column_stack([matrix, np.ones(len(y))]) if intercept else matrix
    ridge = np.append(penalty, 0) if intercept else penalty
    point, total = np.zeros(wide.shape[1]), weight.sum()
    scale = np.sqrt(np.average(wide**2, axis=0, weights=weight))
    for _ in range(100):
        margin = wide @ point
        p = 1 / (1 + np.exp(-margin))
        gradient = wide.T @ (weight * (p - y)) / total + ridge * point
        hessian = (wide * (weight * p * (1 - p))[:, None]).T @ wide / total + np.diag(ridge)
        step = np.linalg.solve(hessian / np.outer(scale, scale), gradient / scale) / scale
        point = point - step
        if np.max(np.abs(step * scale)) < 1e-13 * max(1, np.max(np.abs(point * scale))):
            break
    margin = wide @ point
    value = (weight * (np.logaddexp(0, margin) - y * margin)).sum() / total + 0.5 * (ridge * point**2).sum()
    return (point[:-1], point[-1], value) if intercept else (point, 0.0, value)


def classify(features, weighted=0, balanced=0, l2=0.0, standardize=1, intercept=1, lbfgs=0):
    settings = dict(weighted=weighted, balanced=balanced, l2=l2, standardize=standardize, intercept=intercept, lbfgs=lbfgs)
    if lbfgs:  # stops at its tolerance where Newton's last step goes far below it
        settings["tolerance"] = 1e-12
    case = "LogisticRegression " + features + " " + " ".join(f"{k}={v}" for k, v in settings.items())
    found = ours(labels, "logistic", features, **settings)
    matrix, base = design(features, found["names"]), w if weighted else np.ones(n)
    share = (base * label).sum() / base.sum()
    weight = base * np.where(label == 1, 0.5 / share, 0.5 / (1 - share)) if balanced else base
    mean = np.average(matrix, axis=0, weights=weight)
    deviation = np.sqrt((weight[:, None] * (matrix - mean)**2).sum(0) / (weight.sum() - 1)) if standardize else np.ones(matrix.shape[1])
    coefficients, at, value = solve(matrix, label, weight, l2 * deviation**2, intercept)
    if not found["converged"]:
        failures.append(f"{case}: did not converge")
    check(case, "coefficients (Newton)", found["coefficients"], coefficients, 1e-6)
    check(case, "intercept (Newton)", found["intercept"], at, 1e-6)
    check(case, "objective (Newton)", found["history"][-1], value, 1e-12)
    # scikit-learn sees columns in units of their deviation, which changes nothing but the penalty's meaning
    peer = linear.LogisticRegression(C=1 / (l2 * weight.sum()) if l2 > 0 else np.inf, fit_intercept=bool(intercept), tol=1e-12,
                                     solver="newton-cholesky" if features not in ("onehot",) or l2 > 0 else "lbfgs", max_iter=10000)
    peer.fit(matrix / deviation, label, sample_weight=weight)
    check(case, "coefficients (scikit-learn)", found["coefficients"], peer.coef_[0] / deviation, 1e-6)
    check(case, "intercept (scikit-learn)", found["intercept"], peer.intercept_[0] if intercept else 0, 1e-6)
    if l2 == 0 and features != "onehot" and not balanced:
        exog = np.column_stack([matrix, np.ones(n)]) if intercept else matrix
        other = sm.GLM(label, exog, family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-14, maxiter=200)
        check(case, "coefficients (statsmodels)", found["coefficients"], other.params[:matrix.shape[1]], 1e-6)
        check(case, "objective (statsmodels)", found["history"][-1], -other.llf / weight.sum(), 1e-9)
    probability = 1 / (1 + np.exp(-(matrix @ np.array(found["coefficients"]) + found["intercept"])))
    check(case, "log loss", found["log_loss"], metrics.log_loss(label, probability, sample_weight=base), 1e-12)
    check(case, "area", found["roc_area"], metrics.roc_auc_score(label, probability, sample_weight=base), 1e-12)
    check(case, "accuracy", found["accuracy"], metrics.accuracy_score(label, probability > 0.5, sample_weight=base), 1e-12)


for features in ("float", "double"):
    for weighted in (0, 1):
        for balanced in (0, 1):
            classify(features, weighted, balanced)
            classify(features, weighted, balanced, l2=1e-3)
            classify(features, weighted, balanced, l2=1e-3, standardize=0)
    classify(features, intercept=0)
    classify(features, l2=1e-3, lbfgs=1)
for weighted in (0, 1):
    for balanced in (0, 1):
        classify("sparse", weighted, balanced, l2=1e-3)
        classify("sparse", weighted, balanced, l2=1e-3, standardize=0, intercept=0)
        classify("onehot", weighted, balanced, l2=1e-3)
    classify("sparse", weighted, l2=1e-3, lbfgs=1)
    classify("onehot", weighted, intercept=0)

# Weight k is k copies; weight 0 is absence.
times = w.astype(int)
copied = write("copies", *[np.repeat(part, times, axis=0) for part in (x, a, b, number)], np.ones(times.sum()))
copied_labels = write("copied_labels", *[np.repeat(part, times, axis=0) for part in (x, a, b, label)], np.ones(times.sum()))
for features in ("float", "double", "sparse", "onehot"):
    weighted, copies = (ours(path, "linear", features, weighted=flag, l2=0.01) for path, flag in ((numbers, 1), (copied, 0)))
    for what in ("coefficients", "intercept", "mean_squared_error", "rmse", "mae", "r_squared"):
        check(f"copies, LinearRegression {features}", what, weighted[what], copies[what], 1e-12, floor=1)
    weighted, copies = (ours(path, "logistic", features, weighted=flag, l2=0.01, tolerance=1e-13) for path, flag in ((labels, 1), (copied_labels, 0)))
    for what in ("coefficients", "intercept", "log_loss", "roc_area", "accuracy"):
        check(f"copies, LogisticRegression {features}", what, weighted[what], copies[what], 1e-12, floor=1)

# More columns than exact sums are kept for: the gradient in integers of one unit.
n = 12000
x = random.normal(0, 1, (n, 5)).astype(np.float32).astype(float)
a, b = np.array([f"a{i}" for i in random.integers(0, 3000, n)]), np.array([f"b{i}" for i in random.integers(0, 2500, n)])
w = random.integers(0, 3, n).astype(float)
label = (random.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
wide = write("wide", x, a, b, label, w)
for weighted in (0, 1):
    found = ours(wide, "logistic", "sparse", l2=1e-3, weighted=weighted, tolerance=1e-9, standardize=0)
    assert len(found["names"]) > 4096
    matrix, weight = design("sparse", found["names"]), w if weighted else np.ones(n)
    point = np.array(found["coefficients"])
    margin = matrix @ point + found["intercept"]
    residual = weight * (1 / (1 + np.exp(-margin)) - label)
    gradient = np.append(matrix.T @ residual / weight.sum() + 1e-3 * point, residual.sum() / weight.sum())
    checks += 1
    if not np.max(np.abs(gradient)) < 2e-9:
        failures.append(f"wide, weighted={weighted}: the gradient is {np.max(np.abs(gradient)):.2e}")
    if not found["converged"]:
        failures.append(f"wide, weighted={weighted}: did not converge")

print(f"{checks} comparisons, {len(failures)} failures")
for failure in failures:
    print("FAILED:", failure)
sys.exit(bool(failures))
