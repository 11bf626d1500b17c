# SPDX-License-Identifier: Apache-2.0
"""Writes the scores and labels that area.cpp and peers.py judge: generate.py FOLDER [ROWS]"""
import os
import sys

import numpy as np

folder = sys.argv[1]
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(20130101)
chance = random.random(rows)
labels = (random.random(rows) < chance).astype(np.uint8)
shapes = {
    "continuous": chance,
    "tied": np.round(chance * 100) / 100,             # 101 distinct values
    "margins": 3 * (chance - 0.5) + random.normal(0, 2, rows),
    "rare": 1 / (1 + np.exp(6 - 4 * random.normal(0, 1, rows) - chance)),
}
labels.tofile(f"{folder}/labels.u8")
random.random(rows).tofile(f"{folder}/weights.f64")
for name, scores in shapes.items():
    scores.astype(np.float32).tofile(f"{folder}/{name}.f32")
    scores.astype(np.float64).tofile(f"{folder}/{name}.f64")
