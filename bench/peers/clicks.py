# SPDX-License-Identifier: Apache-2.0
"""One pass of FTRL-proximal by ours and by Vowpal Wabbit, in turns: clicks.py BUILD_FOLDER DATA_FOLDER

Vowpal Wabbit reads its binary cache, made beforehand (its fastest documented way), and learns row by row; ours has the rows in memory as
columns, and packs them in the time. Same step sizes, progressive losses beside the times.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

programs, data = pathlib.Path(sys.argv[1]) / "bench" / "jobs", sys.argv[2]
here = pathlib.Path(__file__).parent
subprocess.run([sys.executable, here / "generate_clicks.py", data], check=True)


def vowpal_wabbit(variant):
    command = [sys.executable, "-m", "vowpalwabbit", "-d", f"{data}/ids{variant}.vw", "-b", "25" if variant == "24" else "21", "--loss_function", "logistic",
               "--ftrl", "--ftrl_alpha", "0.2", "--ftrl_beta", "1", "--cache_file", f"{data}/ids{variant}.cache"]
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    return time.perf_counter() - begin, re.search(r"average loss = (\S+)", done.stderr + done.stdout)[1]


for variant in ("20", "24"):
    if not os.path.exists(f"{data}/ids{variant}.cache"):
        vowpal_wabbit(variant)
    for _ in range(int(os.environ.get("ROUNDS", "3"))):
        ours = subprocess.run([programs / "clicks", data, "2", "1", variant], capture_output=True, text=True, check=True)
        print(f"ours           {ours.stdout.strip()}")
        print("Vowpal Wabbit  2^%s: %.2f s, loss %s" % (variant, *vowpal_wabbit(variant)), flush=True)
