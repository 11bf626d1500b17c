# SPDX-License-Identifier: Apache-2.0
"""Whole fits of the peers on what generate.py wrote, as bench/jobs/fits.cpp runs them: fits.py FOLDER [THREADS [RUNS [JOB]]]

Every peer gets its best documented options for the job. One JSON line per peer and job, a warm-up before each.
"""
import json
import os
import sys
import time

folder = sys.argv[1]
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
only = sys.argv[4] if len(sys.argv) > 4 else ""
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[name] = str(threads)

import daal4py
import numpy as np
import polars as pl
import sklearn.linear_model as linear
import sklearn.preprocessing as preprocessing
import sklearnex.basic_statistics
import sklearnex.linear_model as fast_linear

daal4py.daalinit(threads)
x = np.fromfile(f"{folder}/features.f32", np.float32).reshape(-1, 28)
target = np.fromfile(f"{folder}/target.f32", np.float32)
labels = np.fromfile(f"{folder}/labels.f32", np.float32)


def measure(job, peer, body, most=runs):
    if only and only != job:
        return
    try:
        result = body()
        if most > 1 and (only or True):
            seconds = []
            for _ in range(most):
                begin = time.perf_counter()
                result = body()
                seconds.append(time.perf_counter() - begin)
        else:
            begin = time.perf_counter()
            result = body()
            seconds = [time.perf_counter() - begin]
    except Exception as error:
        print(json.dumps({"job": job, "peer": peer, "error": str(error)[:200]}), flush=True)
        return
    print(json.dumps({"job": job, "peer": peer, "threads": threads, "seconds": seconds,
                      "result": [float(v) for v in np.concatenate([np.ravel(part) for part in result])]}), flush=True)


def scaler():
    fitted = preprocessing.StandardScaler().fit(x)
    return fitted.mean_, fitted.scale_


def statistics(wanted=("mean", "standard_deviation")):
    fitted = sklearnex.basic_statistics.BasicStatistics(result_options=list(wanted)).fit(x)
    return fitted.mean_, fitted.standard_deviation_


frame = pl.DataFrame({f"f_{i}": np.ascontiguousarray(x[:, i]) for i in range(28)})


def polars():
    both = frame.lazy().select(pl.all().mean().name.suffix("_mean"), pl.all().std(ddof=0).name.suffix("_std")).collect()
    return (np.array(both.row(0)),)


def fitted(model, *data):
    done = model.fit(*data)
    return np.ravel(done.coef_), np.ravel(done.intercept_)


measure("scale", "scikit-learn StandardScaler", scaler)
measure("scale", "intelex BasicStatistics", statistics)
measure("scale", "polars", polars)
measure("linear", "scikit-learn LinearRegression", lambda: fitted(linear.LinearRegression(), x, target))
measure("linear", "scikit-learn Ridge cholesky", lambda: fitted(linear.Ridge(1e-12, solver="cholesky"), x, target))
measure("linear", "intelex LinearRegression", lambda: fitted(fast_linear.LinearRegression(), x, target))
wide, wide_target = x.astype(np.float64), target.astype(np.float64)
measure("linear", "intelex LinearRegression, double", lambda: fitted(fast_linear.LinearRegression(), wide, wide_target))

tolerances = [1e-4, 1e-5, 1e-6]
for tolerance in tolerances:
    measure("logistic", f"scikit-learn lbfgs tol={tolerance:g}", lambda: fitted(linear.LogisticRegression(tol=tolerance, max_iter=1000), x, labels))
for tolerance in (1e-4,):
    measure("logistic", f"scikit-learn newton-cholesky tol={tolerance:g}",
            lambda: fitted(linear.LogisticRegression(solver="newton-cholesky", tol=tolerance), x, labels))
for dtype in (np.float32, np.float64):
    data, classes = x.astype(dtype), labels.astype(dtype)
    for tolerance in tolerances:
        measure("logistic", f"intelex lbfgs {np.dtype(dtype).name} tol={tolerance:g}",
                lambda: fitted(fast_linear.LogisticRegression(tol=tolerance, max_iter=1000), data, classes))
    measure("logistic", f"intelex newton-cg {np.dtype(dtype).name}",
            lambda: fitted(fast_linear.LogisticRegression(solver="newton-cg", tol=1e-5, max_iter=1000), data, classes))
if not only or only == "logistic_mixed":
    mixed = np.fromfile(f"{folder}/mixed.f32", np.float32).reshape(-1, 28)
    doubles, classes = mixed.astype(np.float64), labels.astype(np.float64)
    for tolerance in (1e-4, 1e-6, 1e-8):
        measure("logistic_mixed", f"intelex lbfgs float64 tol={tolerance:g}",
                lambda: fitted(fast_linear.LogisticRegression(tol=tolerance, max_iter=20000), doubles, classes), 1)
    for tolerance in (1e-4, 1e-7):
        measure("logistic_mixed", f"scikit-learn newton-cholesky tol={tolerance:g}",
                lambda: fitted(linear.LogisticRegression(solver="newton-cholesky", tol=tolerance, max_iter=1000), doubles, classes), 1)
    measure("logistic_mixed", "scikit-learn newton-cholesky float32",
            lambda: fitted(linear.LogisticRegression(solver="newton-cholesky", tol=1e-4, max_iter=1000), mixed, labels), 1)
