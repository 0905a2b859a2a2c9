# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# What `up` looks at before it changes anything; every complaint names its remedy.

check_host() {
  is_debian_12 || warn "this is not Debian 12; packages and build are tried on Debian 12 only"
  check_data_folder
  check_disk_space
  check_ports
  check_xattrs
}

check_data_folder() {
  mkdir -p "$DATA" 2>/dev/null || die "cannot create $DATA" "choose another folder: --data DIR"
  [[ -w $DATA && -O $DATA ]] || die "$DATA belongs to somebody else" "choose another folder: --data DIR"
  if [[ ! -e $DATA/.aisfs-playground && -n $(ls -A "$DATA") ]]; then
    die "$DATA is not empty and not a playground" "choose another folder: --data DIR"
  fi
  chmod 0700 "$DATA"
  : >>"$DATA/.aisfs-playground"
}

check_disk_space() {
  require_space "$DATA" 1048576 --data
  [[ -x $BUILD/bin/aisnode ]] || require_space "$BUILD" 6291456 --build
}

# require_space DIR KIB OPTION
require_space() {
  local folder=$1 free
  while [[ ! -e $folder ]]; do folder=$(dirname "$folder"); done
  free=$(df -k --output=avail "$folder" | tr -dc '0-9')
  ((free >= $2)) || die "$folder has $(human_kib "$free") free, $(human_kib "$2") are needed" \
    "free some space or choose another folder: $3 DIR"
}

check_ports() {
  local name port taken=()
  while read -r name; do
    node_alive "$name" && continue
    for port in $(node_ports "$name"); do
      if port_stays_taken "$port"; then taken+=("$port by $(port_owner "$port")"); fi
    done
  done < <(node_names && etcd_names)
  ((${#taken[@]} == 0)) || die "ports are taken: $(join_with ', ' "${taken[@]}")" \
    "choose others: --port BASE (with a --data of its own if it is a second playground)"
}

# A node that was killed a moment ago lets go of its ports only when its last thread has ended.
port_stays_taken() {
  local i
  for ((i = 0; i < 50; i++)); do
    port_listens "$1" || return 1
    sleep 0.1
  done
}

# join_with SEPARATOR WORD...
join_with() {
  local separator=$1 text=$2
  shift 2
  while (($# > 0)); do text+=$separator$1 && shift; done
  printf '%s\n' "$text"
}

# port_socket PORT: the inode of the socket that listens on it, by the kernel's own table.
port_socket() {
  local hex
  printf -v hex '%04X' "$1"
  sed -nE "s/^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F:]+ 0A ([^ ]+ +){5}([0-9]+) .*/\2/p" \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null | head -n 1
}

port_listens() { [[ -n $(port_socket "$1") ]]; }

# port_owner PORT: the program that listens there, as far as this user may see.
port_owner() {
  local socket link pid
  socket=$(port_socket "$1")
  link=$(find /proc/[0-9]*/fd -lname "socket:\[$socket\]" -print -quit 2>/dev/null) || true
  if [[ -z $link ]]; then
    echo "a program of another user"
    return 0
  fi
  pid=${link#/proc/} pid=${pid%%/*}
  echo "$(cat "/proc/$pid/comm" 2>/dev/null || echo a program) (pid $pid)"
}

check_xattrs() {
  local probe=$DATA/.probe.$$
  : >"$probe"
  if ! setfattr -n user.aisfs.probe -v 1 "$probe" 2>/dev/null; then
    rm -f "$probe"
    die "$DATA is on a file system without user xattrs ($(stat -f -c %T "$DATA"))" \
      "choose a folder on ext4, xfs or btrfs: --data DIR"
  fi
  cp --reflink=always "$probe" "$probe.clone" 2>/dev/null ||
    say "  note: no reflink on $DATA ($(stat -f -c %T "$DATA")): changes inside big files cost a little more"
  rm -f "$probe" "$probe.clone"
}

# Why a mount cannot work here, one sentence with its remedy; nothing when it can be tried.
why_no_mount() {
  if [[ ! -e /dev/fuse ]]; then
    echo "/dev/fuse does not exist; remedy: modprobe fuse, or run the container with --device /dev/fuse"
  elif [[ $(stat -L -c %t:%T /dev/fuse) != a:e5 ]]; then
    echo "/dev/fuse is not the FUSE device; remedy, as root: rm /dev/fuse && mknod -m 0666 /dev/fuse c 10 229"
  elif ! { : <>/dev/fuse; } 2>/dev/null; then
    echo "/dev/fuse cannot be opened; remedy, as root: chmod 0666 /dev/fuse"
  elif ((EUID != 0)) && ! fusermount_is_setuid; then
    echo "fusermount3 is not installed setuid root; remedy: apt-get install --reinstall fuse3"
  elif ((EUID == 0)) && ! may_mount; then
    echo "this root may not mount (no CAP_SYS_ADMIN); remedy: run the container with --cap-add SYS_ADMIN"
  fi
}

fusermount_is_setuid() {
  local program
  program=$(PATH=$PATH:/usr/bin:/bin command -v fusermount3) && [[ -u $(realpath "$program") ]]
}

# CAP_SYS_ADMIN is bit 21 of the effective set.
may_mount() {
  local set
  set=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
  ((0x$set >> 21 & 1))
}
