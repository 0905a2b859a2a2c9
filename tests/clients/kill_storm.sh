#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill -9 of random nodes under a PUT/GET/DELETE storm: nothing acknowledged is lost, nothing
# deleted comes back, no partial object is ever seen.
# usage: kill_storm.sh BUILD     AISFS_TEST_KILLS=N (10)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
KILLS=${AISFS_TEST_KILLS:-10}

# Also the program that `storm` runs beside its clients.
kill_nodes() {
  local i pids
  for ((i = 1; i <= KILLS; i++)); do
    eval "$("${PLAYGROUND[@]}" env)"
    read -ra pids <<<"$AISFS_PIDS"
    # Every tenth time all at once.
    if ((i % 10 == 0)); then kill -9 "${pids[@]}"; else kill -9 "${pids[RANDOM % ${#pids[@]}]}"; fi
    "${PLAYGROUND[@]}" up --no-mount >>"$WORK/restart.log" 2>&1 || { tail "$WORK/restart.log" && return 1; }
  done
}

if [[ ${2:-} == killer ]]; then
  PLAYGROUND=("$REPO/deploy/playground" --data "$WORK/data" --build "$1")
  kill_nodes
  exit
fi
start_playground "$1" --no-mount
export WORK AISFS_TEST_KILLS=$KILLS
"$1/tests/storm" "$AIS_ENDPOINT" 8 100 "$0" "$1" killer
echo "$KILLS kills survived"
