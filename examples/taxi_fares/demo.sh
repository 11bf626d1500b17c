#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What scripts/demo shows: sh demo.sh BINARIES DATA
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "== taxi_fares: threads of this process"
"$1/taxi_fares" "$2/green_trips_2021.csv" "$work/fares.safetensors"
echo
echo "== serve_fares: another program, one row at a time"
"$1/serve_fares" "$work/fares.safetensors"
