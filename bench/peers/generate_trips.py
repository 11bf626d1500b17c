# SPDX-License-Identifier: Apache-2.0
"""Writes FOLDER/trips.csv: the trips of examples/taxi_fares twenty times over, a month later each time, distances and fares
moved a little so that no two copies are alike: generate_trips.py FOLDER [COPIES]"""
import os
import sys

import numpy as np
import pandas as pd

folder, copies = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
os.makedirs(folder, exist_ok=True)
if not os.path.exists(f"{folder}/trips.csv"):
    here = os.path.dirname(os.path.abspath(__file__))
    trips = pd.read_csv(f"{here}/../../examples/taxi_fares/green_trips_2021.csv", dtype=str)
    random = np.random.default_rng(20210101)
    pickup = pd.to_datetime(trips["lpep_pickup_datetime"])
    parts = []
    for copy in range(copies):
        part = trips.copy()
        part["lpep_pickup_datetime"] = (pickup + pd.Timedelta(days=31 * copy)).dt.strftime("%Y-%m-%d %H:%M:%S")
        for column in ("trip_distance", "fare_amount"):
            part[column] = (trips[column].astype(float) * random.uniform(0.97, 1.03, len(trips))).round(2).astype(str)
        parts.append(part)
    pd.concat(parts).to_csv(f"{folder}/trips.csv", index=False)
