#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tries the stages and uses them: sh test.sh BINARIES DATA
set -eu
rm -f ./*.safetensors
"$1/write_a_stage" | tee out.txt
test "$(grep -c ' 0 failed,' out.txt)" = 3
grep -q "the same model, bit for bit" out.txt
grep -q "the same prediction" out.txt
test -s tips.safetensors
