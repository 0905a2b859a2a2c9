# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# The mount of a playground. A dead or stuck mount hangs whoever touches it, so its state is read
# from the kernel's table first, and touched under a time limit only.

# absent, alive, dead (its daemon is gone) or stuck (does not answer).
mount_state() {
  if ! is_mounted; then
    echo absent
  elif timeout 10 stat -f "$MOUNT" >/dev/null 2>&1; then
    echo alive
  elif (($? == 124)); then
    echo stuck
  else
    echo dead
  fi
}

# Blanks and others are written \040 in the table.
is_mounted() {
  local point
  while read -r _ _ _ _ point _; do
    if [[ $(printf '%b' "${point//\\/\\0}") == "$MOUNT" ]]; then return 0; fi
  done </proc/self/mountinfo
  return 1
}

# unmount [lazy]: by fusermount3, which needs no root; root has umount too.
unmount() {
  local flags=(-u)
  [[ ${1:-} != lazy ]] || flags=(-uz)
  timeout 20 fusermount3 "${flags[@]}" "$MOUNT" 2>/dev/null && return 0
  ((EUID == 0)) || return 1
  if [[ ${1:-} == lazy ]]; then timeout 20 umount -l "$MOUNT"; else timeout 20 umount "$MOUNT"; fi 2>/dev/null
}

# Removes what a killed mount left behind.
clear_dead_mount() {
  case $(mount_state) in
    dead | stuck)
      say "  a dead mount lies on $MOUNT: unmounting it lazily"
      unmount lazy || die "cannot unmount the dead mount on $MOUNT" "as root: umount -l $MOUNT"
      ;;
  esac
}

# One line "pid command" for each process that has a file or its folder on the mount. Reads links
# only, so it cannot hang; a single find, because a fork a link takes minutes on a busy machine.
mount_holders() {
  local pattern pid
  pattern=$(sed 's/[][\\*?]/\\&/g' <<<"$MOUNT")
  { find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd -maxdepth 1 \
    \( -lname "$pattern" -o -lname "$pattern/*" \) -print 2>/dev/null || true; } |
    cut -d / -f 3 | sort -nu | while read -r pid; do
    echo "$pid $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
  done
}

start_mount() {
  local log=$DATA/mount.log why
  if [[ $(mount_state) == alive ]]; then return 0; fi
  why=$(why_no_mount)
  if [[ -n $why ]]; then cannot_mount "$why"; fi
  mkdir -p "$MOUNT"
  [[ -z $(ls -A "$MOUNT") ]] || die "$MOUNT is not empty" "choose another folder: --mount DIR"
  run_step "mounting $MOUNT" "$DATA/mount-start.log" mount_command "$log" ||
    cannot_mount "aisfs failed, see $log"
}

# The cluster runs; say why there is no mount and end with the status that means just this.
cannot_mount() {
  print_summary
  printf '%sno mount:%s %s\n' "$UI_RED" "$UI_OFF" "$1" >&2
  exit 3
}

stop_mount() {
  case $(mount_state) in
    absent) return 0 ;;
    dead | stuck) clear_dead_mount ;;
    alive) unmount_cleanly ;;
  esac
}

unmount_cleanly() {
  local holders
  if unmount; then return 0; fi
  holders=$(mount_holders)
  if [[ $FORCE == yes ]]; then
    unmount lazy || die "cannot unmount $MOUNT" "as root: umount -l $MOUNT"
    return 0
  fi
  [[ -z $holders ]] || sed 's/^/  in use by pid /' <<<"$holders" >&2
  die "$MOUNT is in use" "end these programs (or leave the folder), or: deploy/playground down --force"
}

# The daemon of this mount, found by its program and its command line; nothing when there is none.
mount_pid() {
  local process
  for process in /proc/[0-9]*; do
    [[ $(readlink "$process/exe" 2>/dev/null) == "$BUILD/bin/aisfs"* ]] || continue
    tr '\0' '\n' <"$process/cmdline" 2>/dev/null | grep -qxF -- "$MOUNT" || continue
    echo "${process#/proc/}"
    return 0
  done
}

# An unmounted daemon finishes what it has in hand and ends.
wait_mount_gone() {
  local pid
  pid=$(mount_pid)
  if [[ -n $pid ]]; then stop_pid "the mount" "$pid"; fi
}
