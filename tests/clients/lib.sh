# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A playground of its own for a test, and steps that say what they prove.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# start_playground BUILD [OPTION...]: data in a temporary folder, free ports; sets WORK (scratch),
# MOUNT, and what `playground env` prints. Everything is gone when the script ends.
start_playground() {
  local build=$1
  shift
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/aisfs-test.XXXXXX")
  trap stop_playground EXIT
  PLAYGROUND=("$REPO/deploy/playground" --data "$WORK/data" --build "$build")
  local port
  port=$(free_port_base)
  "$REPO/deploy/playground" up --data "$WORK/data" --build "$build" --port "$port" "$@" \
    >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log" && return 1; }
  eval "$("${PLAYGROUND[@]}" env)"
  export MOUNT=$AISFS_MOUNT WORK
}

stop_playground() {
  local status=$?
  if ((status != 0)); then show_logs; fi
  "${PLAYGROUND[@]}" wipe --yes --force >"$WORK/wipe.log" 2>&1 || cat "$WORK/wipe.log"
  rm -rf --one-file-system "$WORK"
  exit "$status"
}

show_logs() {
  local log
  for log in "$WORK"/data/*/log "$WORK"/data/log/*.log; do
    [[ -f $log ]] || continue
    echo "--- the end of $log"
    tail -n 20 "$log"
  done
}

# The first of 64 ports that nobody listens on.
free_port_base() {
  local base
  for ((base = 20000 + RANDOM % 8000; ; base = 20000 + RANDOM % 8000)); do
    ss -Hltn "sport >= :$base and sport < :$((base + 64))" | grep -q . || break
  done
  echo "$base"
}

# step WHAT COMMAND...: runs it in this shell and prints how long it took.
step() {
  local what=$1 began=$EPOCHREALTIME
  shift
  if ! "$@" >"$WORK/step.log" 2>&1; then
    printf 'FAILED  %s\n' "$what"
    tail -n 40 "$WORK/step.log"
    exit 1
  fi
  printf 'ok  %6.1f s  %s\n' "$(bc <<<"$EPOCHREALTIME - $began")" "$what"
}

remount() {
  "${PLAYGROUND[@]}" down && "${PLAYGROUND[@]}" up && eval "$("${PLAYGROUND[@]}" env)"
}
