# SPDX-License-Identifier: Apache-2.0
"""Writes what the whole-job benchmarks read, as raw little-endian arrays: generate.py FOLDER [ROWS]

features.f32  rows x 28, standard normal (the shape of the Higgs table, standardised)
mixed.f32     the same rows times a 28 x 28 matrix of condition 10^4: the ill-conditioned twin
labels.f32    0 or 1, drawn from a logistic model of the features
target.f32    a linear model of the features, and noise
columns 0..27 are f32 so that every library is given the same bytes.
"""
import os
import sys

import numpy as np

folder = sys.argv[1]
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
os.makedirs(folder, exist_ok=True)
if os.path.exists(f"{folder}/target.f32") and os.path.getsize(f"{folder}/target.f32") == 4 * rows:
    sys.exit()
random = np.random.default_rng(20140512)
x = random.standard_normal((rows, 28), np.float32)
x = ((x - x.mean(0, np.float64)) / x.std(0, dtype=np.float64)).astype(np.float32)
x.tofile(f"{folder}/features.f32")
left, _ = np.linalg.qr(random.standard_normal((28, 28)))
right, _ = np.linalg.qr(random.standard_normal((28, 28)))
(x @ (left * np.logspace(0, -4, 28)) @ right).astype(np.float32).tofile(f"{folder}/mixed.f32")
margins = x @ random.normal(0, 0.55, 28) + 0.5
(random.random(rows) < 1 / (1 + np.exp(-margins))).astype(np.float32).tofile(f"{folder}/labels.f32")
(x @ random.normal(0, 1, 28) + 3 + random.normal(0, 2, rows)).astype(np.float32).tofile(f"{folder}/target.f32")
