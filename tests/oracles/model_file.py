# SPDX-License-Identifier: Apache-2.0
"""A model file of the taxi example opens with the ordinary safetensors package: model_file.py BUILD_FOLDER"""
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
program = pathlib.Path(sys.argv[1]) / "examples" / "taxi_fares" / "taxi_fares"
with tempfile.TemporaryDirectory() as folder:
    model = pathlib.Path(folder) / "fares.safetensors"
    subprocess.run([program, root / "examples/taxi_fares/green_trips_2021.csv", model], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, root / "tests/python/open_model.py", model], check=True)
