# SPDX-License-Identifier: Apache-2.0
"""The exact ROC area by scikit-learn and scikit-learn-intelex: peers.py FOLDER [RUNS]; set OMP_NUM_THREADS as wanted."""
import sys
import time

import numpy as np
import sklearn
import sklearn.metrics
import sklearnex
import sklearnex.metrics

folder = sys.argv[1]
runs = int(sys.argv[2]) if len(sys.argv) > 2 else 11
print(f"# scikit-learn {sklearn.__version__}, scikit-learn-intelex {sklearnex.__version__}")
labels = np.fromfile(f"{folder}/labels.u8", np.uint8)
weights = np.fromfile(f"{folder}/weights.f64", np.float64)
peers = {"scikit-learn": sklearn.metrics.roc_auc_score, "intelex": sklearnex.metrics.roc_auc_score}


def measure(name, peer, scores, sample_weight=None):
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        area = peers[peer](labels, scores, sample_weight=sample_weight)
        seconds.append(time.perf_counter() - begin)
    seconds.sort()
    print(f"{name:24} {peer:24} best {seconds[0] * 1e3:8.2f} ms  median {seconds[runs // 2] * 1e3:8.2f} ms  area {area:.16f}")


for shape in ["continuous", "tied", "margins", "rare"]:
    for suffix, dtype in [("f32", np.float32), ("f64", np.float64)]:
        scores = np.fromfile(f"{folder}/{shape}.{suffix}", dtype)
        for peer in peers:
            measure(f"{shape} {suffix}", peer, scores)
scores = np.fromfile(f"{folder}/continuous.f64", np.float64)
for peer in peers:
    measure("continuous f64 weighted", peer, scores, weights)
