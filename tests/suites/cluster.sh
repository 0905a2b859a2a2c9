# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A playground of its own for one suite: started here, wiped at the end. Sourced by the suites.

SUITE_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# start_cluster BUILD [OPTION...]: sets the variables of `deploy/playground env`, and SUITE_WORK, a
# scratch folder. A port that is taken leads to other ports.
start_cluster() {
  local build=$1 attempt
  shift
  SUITE_WORK=$(mktemp -d "${TMPDIR:-/tmp}/aisfs-suite-XXXXXX")
  SUITE_PLAYGROUND=("$SUITE_REPO/deploy/playground" --data "$SUITE_WORK/data" --build "$build")
  trap stop_cluster EXIT
  for attempt in 1 2 3; do
    if "${SUITE_PLAYGROUND[@]}" up --port $((20000 + RANDOM % 12000)) "$@"; then break; fi
    ((attempt < 3)) || return 1
    "${SUITE_PLAYGROUND[@]}" wipe --force
  done
  eval "$("${SUITE_PLAYGROUND[@]}" env)"
}

stop_cluster() {
  cd /
  "${SUITE_PLAYGROUND[@]}" wipe --force || true
  rm -rf "$SUITE_WORK"
}
