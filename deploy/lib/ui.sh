# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# How the scripts of this project talk: steps, progress, errors with a remedy.
# Sourced by deploy/playground, deploy/install-packages, tests/run.

if [[ -t 2 && ${TERM:-dumb} != dumb && -z ${NO_COLOR:-} ]]; then
  UI_BOLD=$'\e[1m' UI_RED=$'\e[31m' UI_DIM=$'\e[2m' UI_CLEAR=$'\r\e[K' UI_OFF=$'\e[0m'
else
  UI_BOLD='' UI_RED='' UI_DIM='' UI_CLEAR='' UI_OFF=''
fi

say() { printf '%s\n' "$*" >&2; }
title() { printf '%s%s%s\n' "$UI_BOLD" "$*" "$UI_OFF" >&2; }
warn() { printf '%swarning:%s %s\n' "$UI_BOLD" "$UI_OFF" "$*" >&2; }

# die WHAT [REMEDY]: says both and ends the script with status 1.
die() {
  printf '%serror:%s %s\n' "$UI_RED" "$UI_OFF" "$1" >&2
  [[ -z ${2:-} ]] || printf '  remedy: %s\n' "$2" >&2
  exit 1
}

# run_step TEXT LOG COMMAND...: runs the command with its output in LOG. After two seconds shows
# how long it has been going on and the last line of the log. Returns the command's status; on
# failure the end of the log has been shown.
run_step() {
  local text=$1 log=$2 started=$SECONDS status=0 pid
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  show_progress "$text" "$log" "$pid"
  wait "$pid" || status=$?
  printf '%s' "$UI_CLEAR" >&2
  if ((status == 0)); then
    say "  $text: done in $((SECONDS - started)) s"
  else
    say "  $text: failed after $((SECONDS - started)) s (exit status $status)"
    tail -n 25 "$log" | sed 's/^/    | /' >&2
    say "  the whole output is in $log"
  fi
  return "$status"
}

# Until process PID ends: one line that is rewritten on a terminal, elsewhere one every 15 s.
show_progress() {
  local text=$1 log=$2 pid=$3 started=$SECONDS every=15 shown=0 line
  [[ -z $UI_CLEAR ]] || every=1
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - started < 2 || SECONDS - shown < every)); then continue; fi
    shown=$SECONDS
    line=$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-60)
    if [[ -n $UI_CLEAR ]]; then
      printf '%s  %s: %d s %s%s%s' "$UI_CLEAR" "$text" $((SECONDS - started)) "$UI_DIM" "$line" "$UI_OFF" >&2
    else
      say "  $text: $((SECONDS - started)) s, $line"
    fi
  done
}

# human_kib N: "812 MiB" of kibibytes.
human_kib() {
  if (($1 >= 1048576)); then
    printf '%d.%d GiB' $(($1 / 1048576)) $(($1 % 1048576 * 10 / 1048576))
  else
    printf '%d MiB' $(($1 / 1024))
  fi
}
