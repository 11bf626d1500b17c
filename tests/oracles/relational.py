# SPDX-License-Identifier: Apache-2.0
"""Sorts, groups and joins of the flights tables against pandas, on 1 to 5 workers: relational.py BUILD_FOLDER

PARTITA_FLIGHTS names a folder with flights, weather, planes and airports as .csv.gz, of all rows; without it the tables of
tests/data/flights are taken. Rows, their order and all values agree exactly, sums and means of whole minutes and miles included.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

program = pathlib.Path(sys.argv[1]) / "oracles" / "relational"
folder = pathlib.Path(tempfile.mkdtemp())
given = os.environ.get("PARTITA_FLIGHTS")
source = pathlib.Path(given) if given else pathlib.Path(__file__).parent.parent / "data" / "flights"
wanted = {"flights": ["month", "day", "hour", "dep_delay", "arr_delay", "carrier", "tailnum", "origin", "dest", "distance"],
          "weather": ["origin", "month", "day", "hour", "temp", "precip"], "planes": ["tailnum", "year", "manufacturer"],
          "airports": ["faa", "lat", "alt"]}


def read(path, **settings):
    return pd.read_csv(path, keep_default_na=False, na_values=["", "NA"], **settings)


tables = {}
for name, columns in wanted.items():
    table = read(source / (f"{name}.csv.gz" if given else f"{name}.csv"), dtype=str)[columns]
    table.to_csv(folder / f"{name}.csv", index=False)
    tables[name] = read(folder / f"{name}.csv")
flights, weather, planes, airports = tables.values()
late = flights["dep_delay"].rsub(0).fillna(np.inf)
in_order = flights.assign(late=late, tail=flights["tailnum"].fillna("")).sort_values(["origin", "late", "tail"], kind="stable")
arrived = flights.assign(late=flights["arr_delay"].rsub(0).fillna(np.inf)).sort_values(["late", "day"], kind="stable")
groups = (flights.assign(hour=flights["hour"].fillna(-1)).groupby(["dest", "hour"], sort=True)
          .agg(flights=("month", "size"), arrived=("arr_delay", "count"), mean_delay=("arr_delay", "mean"), miles=("distance", "sum"),
               first_plane=("tailnum", lambda values: values.dropna().min() if values.notna().any() else np.nan),
               latest=("dep_delay", "max")).reset_index())
groups["hour"] = groups["hour"].replace(-1, np.nan)


def looked_up(other, keys, how):
    # pandas matches missing keys with each other, and we match them with nothing
    known = other.dropna(subset=keys)
    return flights.reset_index().merge(known.assign(place=range(len(known))), on=keys, how=how).sort_values(
        ["index", "place"], kind="stable").drop(columns=["index", "place"])


expected = {
    "sorted": in_order[wanted["flights"]],
    "top": arrived[wanted["flights"]].head(1000),
    "groups": groups,
    "weather": looked_up(weather, ["origin", "month", "day", "hour"], "left"),
    "planes": looked_up(planes, ["tailnum"], "inner"),
    "airports": looked_up(airports.rename(columns={"faa": "dest"}), ["dest"], "left"),
}
failures, checks = [], 0
for workers in range(1, 6):
    results = folder / f"results_{workers}"
    results.mkdir()
    subprocess.run([program, folder, results, str(workers)], check=True)
    for name, theirs in expected.items():
        ours = read(results / f"{name}.csv")
        checks += 1
        try:
            pd.testing.assert_frame_equal(ours, theirs.reset_index(drop=True), check_dtype=False, check_exact=True)
        except AssertionError as error:
            failures.append(f"{name} on {workers} workers: {error}")
print(f"{checks} tables compared, of {len(flights)} flights; {len(failures)} differ")
for failure in failures:
    print("FAILED:", failure)
sys.exit(bool(failures))
