#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the tables of generate.py with pyarrow, polars and duckdb, told the same types, and prints the best and median
wall time and the CPU time of all threads.

usage: peers.py FOLDER [RUNS]            (threads: 2)
"""
import os
import statistics
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "2"
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

pa.set_cpu_count(2)
pa.set_io_thread_count(2)
FOLDER, RUNS = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
CATEGORY = "category"
TABLES = {
    "numeric": {"label": "int32", **{f"f_{i}": "float32" for i in range(28)}},
    "mixed": {"pickup": "timestamp", "zone_from": CATEGORY, "zone_to": CATEGORY, "passengers": "float32", "distance": "float32",
              "fare": "float32", "meter": "int32", "tip": "float32", "payment": CATEGORY},
    "quoted": {"id": "int64", "brand": CATEGORY, "note": "text", "price": "float64", "stock": "int32", "word": CATEGORY},
}
ARROW = {"int32": pa.int32(), "int64": pa.int64(), "float32": pa.float32(), "float64": pa.float64(), "text": pa.string(),
         "timestamp": pa.timestamp("us"), CATEGORY: pa.dictionary(pa.int32(), pa.string())}
POLARS = {"int32": pl.Int32, "int64": pl.Int64, "float32": pl.Float32, "float64": pl.Float64, "text": pl.String,
          "timestamp": pl.Datetime("us"), CATEGORY: pl.Categorical}
DUCK = {"int32": "INTEGER", "int64": "BIGINT", "float32": "FLOAT", "float64": "DOUBLE", "text": "VARCHAR",
        "timestamp": "TIMESTAMP", CATEGORY: "VARCHAR"}


def arrow(path, types, name):
    convert = pacsv.ConvertOptions(column_types={c: ARROW[t] for c, t in types.items()})
    parse = pacsv.ParseOptions(newlines_in_values=name == "quoted")
    return pacsv.read_csv(path, convert_options=convert, parse_options=parse).num_rows


def polars(path, types, name):
    return pl.read_csv(path, schema={c: POLARS[t] for c, t in types.items()}).height


def duck(path, types, name):
    con = duckdb.connect(config={"threads": 2})
    columns = "{" + ",".join(f"'{c}':'{DUCK[t]}'" for c, t in types.items()) + "}"
    con.execute(f"create temp table t as select * from read_csv('{path}', header=true, columns={columns}, delim=',', quote='\"', escape='\"')")
    return con.execute("select count(*) from t").fetchone()[0]


for table, types in TABLES.items():
    for name, read in (("pyarrow", arrow), ("polars", polars), ("duckdb", duck)):
        seconds, cpu = [], []
        try:
            for _ in range(RUNS):
                start, cpu_start = time.perf_counter(), time.process_time()
                rows = read(f"{FOLDER}/{table}.csv", types, table)
                seconds.append(time.perf_counter() - start)
                cpu.append(time.process_time() - cpu_start)
            print(f"{name:8s}{table:8s} {rows:9d} rows  best {min(seconds):.4f} s  median {statistics.median(seconds):.4f} s  best CPU {min(cpu):.4f} s", flush=True)
        except Exception as error:
            print(f"{name:8s}{table:8s} failed: {str(error)[:200]}", flush=True)
