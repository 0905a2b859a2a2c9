#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The installation of packages with stand-ins for what it calls: which services it keeps from starting,
# and that nothing else changes.
# usage: packages_test.sh ROOT
set -euo pipefail
root=$1
work=$(mktemp -d /tmp/aisfs-packages-XXXXXX)
trap 'rm -rf "$work"' EXIT
export AISFS_ROOT=$work/root PATH=$work/bin:$PATH
policy=$AISFS_ROOT/usr/sbin/policy-rc.d

fail() {
  echo "FAILED: $*"
  exit 1
}
# is FILE TEXT: all that is in it.
is() { [[ $(cat "$1" 2>/dev/null) == "$2" ]] || fail "$1 is \"$(cat "$1" 2>/dev/null)\", not \"$2\""; }
nothing_is_left() {
  local left
  left=$(ls "$AISFS_ROOT/usr/sbin")
  [[ $left == "$1" ]] || fail "left: $left"
}

# Like apt-get, it asks whether it may start what it has installed.
make_programs() {
  mkdir -p "$work/bin"
  cat >"$work/bin/apt-get" <<'PROGRAM'
#!/usr/bin/env bash
[[ $* == *install* ]] || exit 0
mkdir -p "$AISFS_ROOT/etc/init.d"
: >"$AISFS_ROOT/etc/init.d/etcd"
for question in "--quiet etcd start 2" "etcd.service restart" "other start"; do
  status=0
  [[ ! -e $AISFS_ROOT/usr/sbin/policy-rc.d ]] || "$AISFS_ROOT/usr/sbin/policy-rc.d" $question || status=$?
  printf '%s ' $status >>"$AISFS_ROOT/answers"
done
[[ ! -e $AISFS_ROOT/kills ]] || kill -9 $PPID
[[ ! -e $AISFS_ROOT/fails ]] || exit 7
PROGRAM
  printf '#!/bin/sh\necho "$@" >>"%s/disabled"\n' "$AISFS_ROOT" >"$work/bin/update-rc.d"
  chmod +x "$work"/bin/*
}
machine() {
  rm -rf "$AISFS_ROOT"
  mkdir -p "$AISFS_ROOT/usr/sbin"
}
# has_policy LINE...: of the machine's own policy.
has_policy() {
  printf '%s\n' '#!/bin/sh' "$@" >"$policy"
  chmod 755 "$policy"
}
install_etcd() {
  : >"$AISFS_ROOT/answers"
  "$root/deploy/lib/without-service" etcd apt-get install etcd-server
}

a_new_service_is_neither_started_nor_enabled() {
  machine
  install_etcd
  is "$AISFS_ROOT/answers" '101 101 0 '
  is "$AISFS_ROOT/disabled" 'etcd disable'
  nothing_is_left ''
}

a_policy_that_is_there_counts_for_the_rest_and_comes_back() {
  machine
  has_policy '[ "$1" != other ] || exit 101'
  cp "$policy" "$work/before"
  install_etcd
  is "$AISFS_ROOT/answers" '101 101 101 '
  cmp "$policy" "$work/before" || fail "another policy"
  [[ -x $policy ]] || fail "not executable"
  nothing_is_left policy-rc.d
}

one_that_refuses_everything_is_left_alone() {
  machine
  has_policy 'exit 101'
  local before
  before=$(stat -c '%i %z' "$policy")
  install_etcd
  is "$AISFS_ROOT/answers" '101 101 101 '
  [[ $(stat -c '%i %z' "$policy") == "$before" ]] || fail "it was written"
}

a_service_that_was_there_stays_as_it_is() {
  machine
  mkdir -p "$AISFS_ROOT/etc/systemd/system"
  : >"$AISFS_ROOT/etc/systemd/system/etcd.service"
  install_etcd
  is "$AISFS_ROOT/answers" '101 101 0 '
  [[ ! -e $AISFS_ROOT/disabled ]] || fail "disabled"
}

a_failure_is_told_and_cleared_away() {
  machine
  : >"$AISFS_ROOT/fails"
  local status=0
  install_etcd || status=$?
  ((status == 7)) || fail "status $status"
  nothing_is_left ''
}

what_a_kill_leaves_refuses_nothing_and_goes_with_the_next() {
  machine
  has_policy '[ "$1" != other ] || exit 101'
  : >"$AISFS_ROOT/kills"
  (install_etcd) 2>/dev/null && fail "it lives"
  "$policy" etcd start || fail "refused"
  if "$policy" other start; then fail "the machine's own policy does not count"; fi
  rm "$AISFS_ROOT/kills"
  install_etcd
  is "$AISFS_ROOT/answers" '101 101 101 '
  nothing_is_left policy-rc.d
  grep -q other "$policy" || fail "another policy"
}

# installed GROUP: as deploy/install-packages does where all of it is missing.
installed() (
  . "$root/deploy/lib/ui.sh"
  . "$root/deploy/lib/packages.sh"
  is_debian_12() { :; }
  root_prefix() { :; }
  missing_packages() { packages_of "$@"; }
  install_packages "$work/log" "$1" 2>/dev/null
)
etcd_is_installed_so_and_nothing_else() {
  machine
  installed etcd
  is "$AISFS_ROOT/answers" '101 101 0 '
  machine
  installed run
  is "$AISFS_ROOT/answers" '0 0 0 '
}

every_group_can_be_asked_for() {
  local group
  while read -r group; do
    "$root/deploy/install-packages" --list "$group" >/dev/null || fail "group $group"
  done < <(sed -n 's/^# group: //p' "$root/deploy/packages.txt")
}

make_programs
for check in a_new_service_is_neither_started_nor_enabled \
  a_policy_that_is_there_counts_for_the_rest_and_comes_back one_that_refuses_everything_is_left_alone \
  a_service_that_was_there_stays_as_it_is a_failure_is_told_and_cleared_away \
  what_a_kill_leaves_refuses_nothing_and_goes_with_the_next etcd_is_installed_so_and_nothing_else \
  every_group_can_be_asked_for; do
  "$check"
  echo "ok $check"
done
