#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Any number of threads, and of workers or processes under any synchronous policy, gives the same model, and Ssp one that is
# as good; the log loss is what this data allows: sh test.sh BINARIES DATA
set -eu
rm -f ./*.safetensors
loss_of() { awk '/^  log loss/ {print $NF}' "$1"; }
PARTITA_THREADS=1 "$1/click_prediction" "$2/households_1994.csv" one.safetensors | tee out.txt
PARTITA_THREADS=3 "$1/click_prediction" "$2/households_1994.csv" three.safetensors >/dev/null
cmp one.safetensors three.safetensors
"$1/click_prediction" "$2/households_1994.csv" server.safetensors server 3 >/dev/null
cmp one.safetensors server.safetensors
"$1/click_prediction" "$2/households_1994.csv" stale.safetensors stale 2 >stale.txt
if ldd "$1/click_prediction" | grep -q libmpi; then      # built with partita::mpi: processes as workers
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
    for run in "1 server" "2 server" "3 ring" "3 server"; do
        mpirun -n "${run% *}" "$1/click_prediction" "$2/households_1994.csv" processes.safetensors "${run#* }" >/dev/null
        cmp one.safetensors processes.safetensors
    done
fi
awk -v one="$(loss_of out.txt)" -v stale="$(loss_of stale.txt)" 'BEGIN { exit !(one < 0.36 && stale < 1.05 * one) }'
