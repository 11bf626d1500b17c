# SPDX-License-Identifier: Apache-2.0
"""The job of bench/jobs/fares.cpp in pandas and scikit-learn: fares.py FOLDER [THREADS [RUNS [READER]]]

The reader is pandas' C parser or its pyarrow engine; features stay sparse, which is scikit-learn's fastest way here (a scaler
without centring gives the same model, since the intercept takes the means up).
"""
import json
import os
import sys
import time

folder = sys.argv[1]
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import numpy as np
import pandas as pd
import pyarrow
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

pyarrow.set_cpu_count(threads)
columns = ["lpep_pickup_datetime", "PULocationID", "DOLocationID", "passenger_count", "trip_distance", "fare_amount"]
zones = ["PULocationID", "DOLocationID"]


def job(engine, solver):
    trips = pd.read_csv(f"{folder}/trips.csv", engine=engine, usecols=columns, dtype={**{zone: "category" for zone in zones}, "passenger_count": "float32"},
                        parse_dates=["lpep_pickup_datetime"])
    trips = trips[(trips.fare_amount > 0) & (trips.fare_amount < 200) & (trips.trip_distance > 0) & (trips.trip_distance < 100)]
    hour = trips["lpep_pickup_datetime"].dt.hour
    trips = trips.assign(root_distance=np.sqrt(trips.trip_distance), night=((hour >= 20) | (hour < 6)).astype(np.float32))
    border = trips["lpep_pickup_datetime"].quantile(0.8, interpolation="nearest")
    train, test = trips[trips["lpep_pickup_datetime"] < border], trips[trips["lpep_pickup_datetime"] >= border]
    pipeline = make_pipeline(
        ColumnTransformer([("zones", OneHotEncoder(handle_unknown="ignore", dtype=np.float32), zones),
                           ("passengers", SimpleImputer(strategy="median"), ["passenger_count"]),
                           ("numbers", "passthrough", ["trip_distance", "root_distance", "night"])], sparse_threshold=1.0),
        StandardScaler(with_mean=False), Ridge(1e-3 * len(train), solver=solver))
    pipeline.fit(train, train["fare_amount"])
    guess = pipeline.predict(test)
    return [root_mean_squared_error(test["fare_amount"], guess), mean_absolute_error(test["fare_amount"], guess), r2_score(test["fare_amount"], guess)]


for engine in ("pyarrow", "c"):
    for solver in ("sparse_cg",):
        seconds, result = [], job(engine, solver)
        for _ in range(runs):
            begin = time.perf_counter()
            result = job(engine, solver)
            seconds.append(time.perf_counter() - begin)
        print(json.dumps({"job": "fares", "peer": f"pandas ({engine}) and scikit-learn ({solver})", "threads": threads, "seconds": seconds,
                          "result": result}), flush=True)
