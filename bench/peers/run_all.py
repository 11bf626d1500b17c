# SPDX-License-Identifier: Apache-2.0
"""Every whole job, ours and the peers', side by side: run_all.py BUILD_FOLDER DATA_FOLDER [JOB…]

Ours and the peers run in turns, ROUNDS times over, so that whatever else the machine does meets both. The ratio is that of the
best times; medians stand beside them. BUILD_FOLDER holds bench/jobs/ as CMake builds it (fits, fits_plain, fares, fares_plain).
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy as np

here = pathlib.Path(__file__).parent
programs, data = pathlib.Path(sys.argv[1]) / "bench" / "jobs", sys.argv[2]
chosen = sys.argv[3:] or ["scale", "linear", "logistic", "logistic_mixed", "fares"]
rounds = int(os.environ.get("ROUNDS", "3"))


def lines(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"# {command[0]} failed: {done.stderr[-400:]}", flush=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def python(script, *arguments):
    return lines([sys.executable, here / script, *arguments])


def oracle(job):
    """What the job should find, in double, and how far a result is from it."""
    target = np.fromfile(f"{data}/{'labels' if job.startswith('logistic') else 'target'}.f32", np.float32).astype(float)
    x = np.fromfile(f"{data}/{'mixed' if job == 'logistic_mixed' else 'features'}.f32", np.float32).reshape(len(target), -1).astype(float)
    if job == "scale":
        deviation = x.std(0)
        return lambda result: max(np.max(np.abs(np.array(result[:28]) - x.mean(0)) / deviation), np.max(np.abs(np.array(result[28:]) / deviation - 1)))
    wide = np.column_stack([x, np.ones(len(x))])
    if job == "linear":
        mean, centre = x.mean(0), target.mean()
        best = np.linalg.solve((x - mean).T @ (x - mean), (x - mean).T @ (target - centre))
        best = np.append(best, centre - mean @ best)
        return lambda result: np.max(np.abs(np.array(result) - best) / np.abs(best))
    ridge = np.append(np.full(x.shape[1], 1 / len(x)), 0)
    point = np.zeros(wide.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(wide @ point)))
        gradient = wide.T @ (p - target) / len(x) + ridge * point
        step = np.linalg.solve((wide * (p * (1 - p))[:, None]).T @ wide / len(x) + np.diag(ridge), gradient)
        point -= step
        if np.max(np.abs(gradient)) < 1e-13:
            break

    def value(point):
        z = wide @ np.asarray(point)
        return (np.logaddexp(0, z) - target * z).mean() + 0.5 * (ridge * np.square(point)).sum()
    optimum = value(point)
    return lambda result: value(result) / optimum - 1


quality = {"scale": "largest error", "linear": "largest relative error", "logistic": "objective over optimum", "logistic_mixed": "objective over optimum",
           "fares": "RMSE"}
# What a peer must reach to count; in float the peers of a scaler do not reach more.
enough = {"scale": 1e-4, "linear": 1e-4, "logistic": 1e-9, "logistic_mixed": 1e-9, "fares": 1e9}
python("generate.py", data)
python("generate_trips.py", data)
for job in chosen:
    found = {}

    def keep(name, runs):
        for run in runs:
            if "error" in run:
                print(f"# {run['peer']}: {run['error']}")
            elif run["job"] == job or run["job"] == "read":
                entry = found.setdefault("bare read" + name[4:] if run["job"] == "read" else run.get("peer", name), {"seconds": [], "result": run["result"]})
                entry["seconds"] += run["seconds"]

    whole = job == "fares"
    for _ in range(rounds):
        for suffix, title in (("", "ours, 2 threads"), ("_plain", "ours, 2 threads, plain build")):
            keep(title, lines([programs / (("fares" if whole else "fits") + suffix), data, 2, 3 if whole else 9] + ([] if whole else [job])))
        keep("ours, 1 thread", lines([programs / ("fares" if whole else "fits"), data, 1, 3 if whole else 5] + ([] if whole else [job])))
        if not whole:
            keep("read, 2 threads", lines([programs / "fits", data, 2, 9, "read"]))
            keep("read, 1 thread", lines([programs / "fits", data, 1, 9, "read"]))
        keep("", python("fares.py" if whole else "fits.py", data, 2, 2 if whole else 3, *([] if whole else [job])))
    judge = (lambda result: result[0]) if whole else oracle(job)
    ours = min(found["ours, 2 threads"]["seconds"])
    print(f"\n## {job}\n\n| | best ms | median ms | ratio to ours | {quality[job]} |\n|---|---|---|---|---|")
    for name, entry in sorted(found.items(), key=lambda item: min(item[1]["seconds"])):
        best, error = min(entry["seconds"]), None if name.startswith("bare") else judge(entry["result"])
        short = "" if error is None or error <= enough[job] else " (not there)"
        print(f"| {name} | {best * 1e3:.2f} | {statistics.median(entry['seconds']) * 1e3:.2f} | {best / ours:.2f} | "
              f"{'' if error is None else f'{error:.3g}'}{short} |", flush=True)
