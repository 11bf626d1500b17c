# SPDX-License-Identifier: Apache-2.0
"""Opens a model file with the ordinary safetensors package and checks that manifest and tensors agree.

usage: open_model.py FILE
"""
import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="np") as file:
    metadata = file.metadata()
    assert metadata["partita_format"] == "1", metadata["partita_format"]
    manifest = json.loads(metadata["partita_manifest"])
    named = [name for stage in manifest["stages"] for name in stage["tensors"]]
    assert sorted(named) == sorted(file.keys()), "the manifest and the file name other tensors"
    print(json.dumps(manifest["provenance"]))
    for stage in manifest["stages"]:
        print(f"{stage['id']} version {stage['version']}")
        for name in stage["tensors"]:
            tensor = file.get_tensor(name)
            print(f"  {name}: {tensor.dtype} {list(tensor.shape)}")
