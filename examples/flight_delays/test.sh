#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Any number of threads gives the same model; the area under the curve is what this data allows: sh test.sh BINARIES DATA
set -eu
PARTITA_THREADS=1 "$1/flight_delays" "$2/flights_2013.csv" one.safetensors | tee out.txt
PARTITA_THREADS=3 "$1/flight_delays" "$2/flights_2013.csv" three.safetensors >/dev/null
cmp one.safetensors three.safetensors
area=$(awk '/area under/ {print $NF}' out.txt)
awk -v area="$area" 'BEGIN { exit !(area > 0.86 && area < 0.91) }'
