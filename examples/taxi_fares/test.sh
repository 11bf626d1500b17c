#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Trains under every policy, which must give the same bytes, and serves: sh test.sh BINARIES DATA
set -eu
rm -f ./*.safetensors
"$1/taxi_fares" "$2/green_trips_2021.csv" threads.safetensors | tee out.txt
grep -q "saved as" out.txt
for policy in tree ring server; do
    for workers in 1 2 3; do
        "$1/taxi_fares" "$2/green_trips_2021.csv" $policy.safetensors $policy $workers >/dev/null
        cmp threads.safetensors $policy.safetensors
    done
done
if ldd "$1/taxi_fares" | grep -q libmpi; then      # built with partita::mpi: processes as workers
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
    for policy in tree ring server; do
        for processes in 1 2 3; do
            mpirun -n $processes "$1/taxi_fares" "$2/green_trips_2021.csv" $policy.safetensors $policy >/dev/null
            cmp threads.safetensors $policy.safetensors
        done
    done
fi
"$1/serve_fares" threads.safetensors | tee served.txt
test "$(grep -c dollars served.txt)" = 3
if "$1/taxi_fares" no-such-file.csv x.safetensors 2>error.txt; then exit 1; fi
grep -q "no-such-file.csv" error.txt
