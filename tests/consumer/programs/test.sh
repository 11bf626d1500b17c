#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One program trains under the user's own policy, another loads and serves: sh test.sh BINARIES
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for workers in 1 2 3; do "$1/train_boats" "$work/$workers.safetensors" $workers; done
cmp "$work/1.safetensors" "$work/2.safetensors"
cmp "$work/1.safetensors" "$work/3.safetensors"
"$1/serve_boats" "$work/3.safetensors"
# A file that is no model is refused with a sentence.
printf 'no model' >"$work/broken.safetensors"
if "$1/serve_boats" "$work/broken.safetensors" >"$work/answer"; then exit 1; fi
grep -q broken.safetensors "$work/answer"
