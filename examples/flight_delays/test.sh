#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Any number of threads, and of workers or processes under any policy, gives the same model; the area under the curve is what
# this data allows: sh test.sh BINARIES DATA
set -eu
rm -f ./*.safetensors
PARTITA_THREADS=1 "$1/flight_delays" "$2/flights_2013.csv" one.safetensors | tee out.txt
PARTITA_THREADS=3 "$1/flight_delays" "$2/flights_2013.csv" three.safetensors >/dev/null
cmp one.safetensors three.safetensors
"$1/flight_delays" "$2/flights_2013.csv" server.safetensors server 3 >/dev/null
cmp one.safetensors server.safetensors
if ldd "$1/flight_delays" | grep -q libmpi; then      # built with partita::mpi: processes as workers
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
    for run in "1 server" "2 ring" "3 tree"; do
        mpirun -n "${run% *}" "$1/flight_delays" "$2/flights_2013.csv" processes.safetensors "${run#* }" >/dev/null
        cmp one.safetensors processes.safetensors
    done
fi
area=$(awk '/area under/ {print $NF}' out.txt)
awk -v area="$area" 'BEGIN { exit !(area > 0.86 && area < 0.91) }'
