# SPDX-License-Identifier: Apache-2.0
"""Writes what the benchmarks of sparse learners read: generate_clicks.py FOLDER [ROWS]

ids20.i32   rows x 39 ids, floor(2^20 u^4), ascending in a row; an id may stand twice
ids24.i32   the same ids, hashed below 2^24
clicks.u8   0 or 1, drawn from a logistic model: a weight from N(0, .6) for each id, offset -2
ids20.vw, ids24.vw   the same as Vowpal Wabbit's text
"""
import os
import sys

import numpy as np

folder = sys.argv[1]
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
os.makedirs(folder, exist_ok=True)
if os.path.exists(f"{folder}/clicks.u8") and os.path.getsize(f"{folder}/clicks.u8") == rows:
    sys.exit()
random = np.random.default_rng(20130811)
weights = random.normal(0, 0.6, 1 << 20)
ids = np.sort((random.random((rows, 39)) ** 4 * (1 << 20)).astype(np.int64), axis=1)
clicks = (random.random(rows) < 1 / (1 + np.exp(2 - weights[ids].sum(1)))).astype(np.uint8)
hashed = np.sort((ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)).astype(np.int64), axis=1)
for name, numbers in (("ids20", ids), ("ids24", hashed)):
    numbers.astype(np.int32).tofile(f"{folder}/{name}.i32")
    with open(f"{folder}/{name}.vw", "w") as text:
        for first in range(0, rows, 50_000):
            some = zip(clicks[first:first + 50_000].tolist(), numbers[first:first + 50_000].tolist())
            text.write("".join(f"{1 if click else -1} |f {' '.join(map(str, row))}\n" for click, row in some))
clicks.tofile(f"{folder}/clicks.u8")
