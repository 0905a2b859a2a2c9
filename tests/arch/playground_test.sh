#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# deploy/playground with stand-ins for the programs: what it checks, keeps, prints and stops.
# usage: playground_test.sh ROOT
set -euo pipefail
root=$1
work=$(mktemp -d /tmp/aisfs-playground-XXXXXX)
data=$work/data
base=$((20000 + RANDOM % 12000))

playground() {
  HOME=$work timeout 60 "$root/deploy/playground" "$@" --data "$data" --build "$work/build" </dev/null
}
finish() {
  playground down --force >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}
expect() { "$@" || fail "$*"; }
expect_not() { ! "$@" || fail "not: $*"; }
expect_status() {
  local wanted=$1 status=0
  shift
  "$@" >"$work/out" 2>&1 || status=$?
  [[ $status == "$wanted" ]] || fail "$* ended with $status, not $wanted: $(<"$work/out")"
}
has() { grep -qF -- "$1" "$work/out" || fail "no \"$1\" in: $(<"$work/out")"; }

# A zombie that nobody has reaped yet is gone.
lives() { grep -qsE '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$1/status"; }

make_programs() {
  mkdir -p "$work/build/bin"
  cat >"$work/build/bin/aisnode" <<'NODE'
#!/bin/sh
dir=$(sed -n 's/^data_dir = //p' "$2")
umask 077
[ -e "$dir/admin.keys" ] || printf 'AWS_ACCESS_KEY_ID=A%s\nAWS_SECRET_ACCESS_KEY=S\n' $$ >"$dir/admin.keys"
exec sleep 1000
NODE
  printf '#!/bin/sh\ncase "$1 $2" in "token create") echo tok;; esac\n' >"$work/build/bin/ais"
  printf '#!/bin/sh\nexit 1\n' >"$work/build/bin/aisfs"
  chmod +x "$work"/build/bin/*
}

wrong_usage_is_told() {
  expect_status 2 playground dance
  expect_status 2 playground up --targets none
  expect_status 2 playground up --port 80
  expect_status 1 playground env
}

up_starts_all_and_prints_secrets() {
  expect_status 0 playground up --no-mount --port "$base" --targets 2
  has "access key"
  [[ $(stat -c %a "$data/g1/state/admin.keys") == 600 && $(stat -c %a "$data/cluster.key") == 600 ]] || fail "keys are not private"
  eval "$(playground env)"
  [[ $(wc -w <<<"$AISFS_PIDS") == 3 && $(wc -w <<<"$AISFS_TARGET_PIDS") == 2 ]] || fail "pids: $AISFS_PIDS"
  [[ $AIS_ENDPOINT == "http://127.0.0.1:$base" && $AIS_AUTHN_TOKEN == tok ]] || fail "env"
  expect kill -0 $AISFS_PIDS
}

up_again_changes_nothing() {
  local before=$AISFS_PIDS
  expect_status 0 playground up --no-mount
  eval "$(playground env)"
  [[ $AISFS_PIDS == "$before" ]] || fail "restarted: $before to $AISFS_PIDS"
}

another_shape_is_refused() {
  expect_status 1 playground up --no-mount --targets 1
  has "remedy:"
  expect_status 1 playground up --no-mount --mountpaths 5
  has "remedy:"
}

more_targets_are_added() {
  local pid before=$AISFS_PIDS
  expect_status 0 playground up --no-mount --targets 3
  eval "$(playground env)"
  for pid in $before; do
    [[ " $AISFS_PIDS " == *" $pid "* ]] || fail "$pid of $before was restarted: $AISFS_PIDS"
  done
  [[ $(wc -w <<<"$AISFS_PIDS") == $(($(wc -w <<<"$before") + 1)) ]] || fail "not one more: $AISFS_PIDS"
}

it_comes_back_after_kill_9() {
  local key before=$AISFS_PIDS
  key=$(cat "$data/g1/state/admin.keys")
  kill -9 $AISFS_PIDS
  expect_status 1 playground status
  expect_status 0 playground up --no-mount
  eval "$(playground env)"
  [[ $AISFS_PIDS != "$before" ]] || fail "the dead were taken for alive"
  expect kill -0 $AISFS_PIDS
  [[ $(cat "$data/g1/state/admin.keys") == "$key" ]] || fail "new keys"
}

a_pid_of_another_process_is_not_ours() {
  playground down 2>/dev/null
  echo "$$ 1 another-boot" >"$data/g1/pid"
  expect_status 1 playground status
  expect kill -0 $$
}

no_mount_is_status_3() {
  expect_status 3 playground up
  has "no mount:"
  expect_not mountpoint -q "$data/mnt"
}

down_ends_all_and_keeps_data() {
  eval "$(playground env)"
  expect_status 0 playground down
  for pid in $AISFS_PIDS; do expect_not lives "$pid"; done
  [[ -s $data/g1/state/admin.keys ]] || fail "the keys are gone"
  expect_status 0 playground down
}

wipe_takes_playgrounds_only() {
  mkdir "$work/precious"
  : >"$work/precious/file"
  expect_status 1 env HOME="$work" "$root/deploy/playground" wipe --data "$work/precious"
  [[ -e $work/precious/file ]] || fail "wiped what is no playground"
  expect_status 0 playground wipe
  [[ ! -e $data ]] || fail "not wiped"
}

taken_ports_are_named() {
  data=$work/second
  python3 -c 'import socket,sys,time
s=socket.socket(); s.bind(("127.0.0.1",int(sys.argv[1]))); s.listen(); print("up",flush=True); time.sleep(60)' \
    "$((base + 1))" >"$work/listening" &
  local listener=$!
  until [[ -s $work/listening ]]; do kill -0 "$listener" || fail "no listener"; done
  expect_status 1 playground up --no-mount --port "$base"
  has "$((base + 1)) by python3 (pid $listener)"
  kill "$listener"
}

# Any folder will do: a mount is in use when a process stands in it.
holders_are_named() {
  mkdir -p "$work/a [b] mount"
  (cd "$work/a [b] mount" && exec sleep 60) &
  local holder=$! found=''
  until [[ $(readlink "/proc/$holder/cwd") == *mount ]]; do kill -0 "$holder" || fail "no holder"; done
  found=$(MOUNT="$work/a [b] mount" && . "$root/deploy/lib/playground/mount.sh" && mount_holders)
  kill "$holder"
  [[ $found == "$holder "* ]] || fail "holders: $found"
}

make_programs
for check in wrong_usage_is_told up_starts_all_and_prints_secrets up_again_changes_nothing \
  another_shape_is_refused more_targets_are_added it_comes_back_after_kill_9 a_pid_of_another_process_is_not_ours \
  no_mount_is_status_3 down_ends_all_and_keeps_data wipe_takes_playgrounds_only taken_ports_are_named \
  holders_are_named; do
  "$check"
  echo "ok $check"
done
