#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Three mounts of one cluster see each other's changes at once: also while a mount is killed, and
# after a target is.
# usage: two_mounts.sh BUILD     AISFS_TEST_STEPS=N (1500)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
STEPS=${AISFS_TEST_STEPS:-1500}
BUILD=$1

mount_again() {  # mount_again DIR: the cluster of the playground once more
  mkdir -p "$1"
  # Directories are asked for again as soon as they have been given back.
  "$BUILD/bin/aisfs" "$AIS_ENDPOINT" "$1" \
    -o "cache_dir=$WORK/cache,delegate_ms=0,log=$WORK/$(basename "$1").log"
}
coherent() {  # coherent SEED: in a folder of its own
  local folder=demo/seed$1
  mkdir "$MOUNT/$folder"
  "$BUILD/tests/coherence" "$1" "$STEPS" "$MOUNT/$folder" "$WORK/second/$folder" "$WORK/third/$folder"
}
one_wins() {
  for i in 1 2 3; do
    mkdir "$WORK/second/demo/race$i"
    "$BUILD/tests/exclusive" 300 "$MOUNT/demo/race$i" "$WORK/second/demo/race$i" "$WORK/third/demo/race$i"
  done
}
kill_mount() { # a mount that is gone holds others up for a lease, not for good
  local pid
  ls -lR "$WORK/third/demo" >"$WORK/seen"
  pid=$(pgrep -f "bin/aisfs $AIS_ENDPOINT $WORK/third")
  kill -9 "$pid"
  fusermount3 -uz "$WORK/third"
  echo changed >"$MOUNT/demo/seed1.txt"
  rm -r "$MOUNT/demo/seed1"
  [[ ! -e $WORK/second/demo/seed1 ]] || return
  mount_again "$WORK/third"
}
kill_writer() { # what close(2) has answered is there, whatever happens to the mount
  local folder=demo/written$RANDOM i writer
  mkdir "$WORK/third/$folder"
  : >"$WORK/closed"
  # dd looks at what close(2) says; a shell's redirection does not.
  (for ((i = 0; ; i++)); do
    dd status=none of="$WORK/third/$folder/$i" <<<"file $i" || break
    echo "$i" >>"$WORK/closed"
  done) 2>>"$WORK/writer.log" &
  writer=$!
  while (($(wc -l <"$WORK/closed") < 100)); do kill -0 "$writer" || return; done
  kill -9 "$(pgrep -f "bin/aisfs $AIS_ENDPOINT $WORK/third")"
  wait "$writer"
  fusermount3 -uz "$WORK/third"
  while read -r i; do
    if [[ $(<"$MOUNT/$folder/$i") != "file $i" ]]; then
      echo "file $i of $(wc -l <"$WORK/closed") is lost"
      return 1
    fi
  done <"$WORK/closed"
  mount_again "$WORK/third"
}
kill_target() { # what it had leased is not changed before the mounts know
  local pids
  mkdir -p "$MOUNT/demo/again"
  for i in {1..30}; do echo "$i" >"$MOUNT/demo/again/$i"; done
  cat "$WORK"/second/demo/again/* >"$WORK/seen"
  read -ra pids <<<"$AISFS_TARGET_PIDS"
  kill -9 "${pids[0]}"
  "${PLAYGROUND[@]}" up >>"$WORK/restart.log" 2>&1
  for i in {1..30}; do
    echo "new $i" >"$MOUNT/demo/again/$i"
    [[ $(cat "$WORK/second/demo/again/$i") == "new $i" ]] || return
  done
  eval "$("${PLAYGROUND[@]}" env)"
}
unmount_both() { fusermount3 -u "$WORK/second" && fusermount3 -u "$WORK/third"; }

end() {
  local status=$?
  for mount in second third; do fusermount3 -uz "$WORK/$mount" 2>/dev/null || true; done
  (exit "$status")
  stop_playground
}

start_playground "$BUILD"
trap end EXIT
mount_again "$WORK/second"
mount_again "$WORK/third"
step "$STEPS random steps on three mounts" coherent 1
step "three mounts make the same names at once" one_wins
step "a mount is killed" kill_mount
step "a mount is killed while it writes" kill_writer
step "$STEPS more steps" coherent 2
step "a target is killed" kill_target
step "$STEPS more steps" coherent 3
step "unmount" unmount_both
