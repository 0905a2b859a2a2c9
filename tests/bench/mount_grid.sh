#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The mount against other file systems: s3fs and rclone over the same cluster's S3, CephFS by
# ceph-fuse, and the local disk. One table of seconds, a column a system, the systems one after the
# other on the same kind of disk; a cold row is after a fresh mount with empty caches.
#   TOOLS=DIR [PEERS=DIR] tests/bench/mount_grid.sh [aisfs|s3fs|rclone|ceph|disk]...
# TOOLS has fsbench.sh and torchload.py, PEERS has ceph-mini.sh (none of them is part of this
# project). Without names: all that are installed. environment: BUILD PORT FSTYPE BIG_MB LOADER
. "$(dirname "$0")/lib.sh"
[[ -x ${TOOLS:-}/fsbench.sh ]] || { echo "TOOLS must name the folder of fsbench.sh" >&2; exit 2; }
export BIG_MB=${BIG_MB:-512}
LOADER=${LOADER:-1000}  # files for the DataLoader; 0: without it
if ((LOADER > 0)) && ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then
  echo "no DataLoader rows: python3-torch is not installed" >&2
  LOADER=0
fi
MNT=$WORK/mnt
UNDO=()  # what ends the system under test, last first

undo() {
  local i
  for ((i = ${#UNDO[@]} - 1; i >= 0; i--)); do eval "${UNDO[i]}" >/dev/null 2>&1 || true; done
  UNDO=()
}
trap 'undo; cleanup' EXIT

playground() {
  "$REPO/deploy/playground" "$@" --data "$WORK/disk/pg" --port "$PORT" --build "$BUILD" </dev/null
}

start_cluster() {
  make_disk
  UNDO+=("playground down --force")
  playground up --no-mount >"$WORK/playground.log"
  set -a
  eval "$(playground env)"
  set +a
  "$BUILD/bin/ais" create "ais://$1" >/dev/null
}

unmount() { fusermount3 -u "$MNT" 2>/dev/null || fusermount3 -uz "$MNT"; }

mount_aisfs() { "$BUILD/bin/aisfs" "$AIS_ENDPOINT" "$MNT" -o "cache_dir=$WORK/cache"; }
start_aisfs() {
  start_cluster bench
  mkdir -p "$WORK/cache"
  mount_aisfs
  UNDO+=(unmount)
  COLD='unmount; mount_aisfs' FOLDER=$MNT/bench
}

mount_s3fs() {
  s3fs bench "$MNT" -o "url=$AWS_ENDPOINT_URL,use_path_request_style,passwd_file=$WORK/passwd,endpoint=us-east-1"
}
start_s3fs() {
  start_cluster bench
  (umask 077 && echo "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" >"$WORK/passwd")
  mount_s3fs
  UNDO+=(unmount)
  COLD='unmount; mount_s3fs' FOLDER=$MNT
}

mount_rclone() {
  env -u AWS_CA_BUNDLE RCLONE_CONFIG=/dev/null RCLONE_CONFIG_T_TYPE=s3 RCLONE_CONFIG_T_PROVIDER=Other \
    RCLONE_CONFIG_T_ENV_AUTH=true RCLONE_CONFIG_T_ENDPOINT="$AWS_ENDPOINT_URL" \
    setsid rclone mount t:bench "$MNT" --vfs-cache-mode full --cache-dir "$WORK/rclone" \
    --rc --rc-no-auth --rc-addr "127.0.0.1:$((PORT + 90))" >>"$WORK/rclone.log" 2>&1 </dev/null &
  local i
  for ((i = 0; i < 100; i++)); do
    ! mountpoint -q "$MNT" || return 0
    sleep 0.1
  done
  echo "rclone does not mount; see $WORK/rclone.log" >&2
  return 1
}
# Until what was written has reached the cluster.
settle_rclone() {
  while rclone rc --rc-addr "127.0.0.1:$((PORT + 90))" vfs/stats 2>/dev/null |
    grep -qE '"uploads(InProgress|Queued)": [1-9]'; do sleep 0.1; done
}
start_rclone() {
  start_cluster bench
  mount_rclone
  UNDO+=(unmount)
  # shellcheck disable=SC2016  # evaluated at each cold row
  COLD='settle_rclone; unmount; rm -rf "$WORK/rclone"; mount_rclone' FOLDER=$MNT
  export SETTLE=settle_rclone
}

# In the foreground, so that its end can be waited for: it writes its caches back after the unmount.
mount_ceph() {
  setsid ceph-fuse --conf "$WORK/disk/ceph/ceph.conf" -f "$MNT" >>"$WORK/ceph-fuse.log" 2>&1 </dev/null &
  echo $! >"$WORK/ceph-fuse.pid"
  local i
  for ((i = 0; i < 100; i++)); do
    ! mountpoint -q "$MNT" || return 0
    sleep 0.1
  done
  echo "ceph-fuse does not mount; see $WORK/ceph-fuse.log" >&2
  return 1
}
unmount_ceph() {
  umount "$MNT"
  tail --pid="$(<"$WORK/ceph-fuse.pid")" -f /dev/null
}
# A storage daemon of Ceph reads past the page cache and has a cache of its own instead.
drop_caches_ceph() {
  ceph --conf "$WORK/disk/ceph/ceph.conf" tell 'osd.*' cache drop >>"$WORK/ceph.log" 2>&1 ||
    echo "cold rows of ceph are not cold: its daemons keep their caches" >&2
}
# ceph-mini.sh ends only who watches it.
end_radosgw() {
  local pid
  for pid in $(pgrep -f "radosgw --conf $WORK/disk/ceph/"); do kill -KILL "$pid"; done
}
start_ceph() {
  local conf=$WORK/disk/ceph/ceph.conf pool
  make_disk
  "$PEERS/ceph-mini.sh" start "$WORK/disk/ceph" "$PORT" bluestore >"$WORK/ceph.log" 2>&1
  UNDO+=(end_radosgw "$PEERS/ceph-mini.sh stop $WORK/disk/ceph")
  for pool in cephfs_data cephfs_metadata; do ceph --conf "$conf" osd pool create "$pool" 4 4; done >>"$WORK/ceph.log" 2>&1
  ceph --conf "$conf" fs new cephfs cephfs_metadata cephfs_data >>"$WORK/ceph.log" 2>&1
  ceph-mds --conf "$conf" -i a -f >>"$WORK/ceph.log" 2>&1 &
  UNDO+=("stop_process $!")
  for _ in $(seq 100); do
    ! ceph --conf "$conf" mds stat 2>/dev/null | grep -q up:active || break
    sleep 0.2
  done
  mount_ceph
  UNDO+=(unmount_ceph)
  COLD='unmount_ceph; drop_caches_ceph; mount_ceph' FOLDER=$MNT
}

start_disk() {
  make_disk
  mkdir -p "$WORK/disk/plain"
  COLD=: FOLDER=$WORK/disk/plain
}

installed() {
  case $1 in
    aisfs | disk) return 0 ;;
    ceph) [[ -x ${PEERS:-}/ceph-mini.sh ]] && command -v ceph-fuse ceph-mds >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# The DataLoader's epochs, as rows of the same form.
loader_rows() {
  local out
  /usr/bin/python3 "$TOOLS/torchload.py" "$FOLDER/loader" --make "$LOADER" --epochs 0 >/dev/null
  [[ -z ${SETTLE:-} ]] || eval "$SETTLE"
  eval "$COLD"
  echo 3 >/proc/sys/vm/drop_caches
  out=$(/usr/bin/python3 "$TOOLS/torchload.py" "$FOLDER/loader" --workers 2 --epochs 2) || echo "loader FAILED" >&2
  awk '/^epoch/ { sub(":", "", $2); printf "%-34s %10.3f s  %s samples/s\n", "DataLoader epoch " $2 ($2 == 0 ? " cold" : " warm"), $5, $7 }' <<<"$out"
}

# "label<tab>seconds" of the lines that are rows.
rows_of() { sed -nE 's/^(.*[^ ]) +([0-9]*\.[0-9]+) s .*/\1\t\2/p'; }

measure() {
  echo "# $1, load $(cut -d' ' -f1-3 /proc/loadavg)" >&2
  unset SETTLE
  mkdir -p "$MNT"
  "start_$1"
  export COLD
  "$TOOLS/fsbench.sh" "$FOLDER" "$1" | tee "$WORK/$1.full" | rows_of >"$WORK/$1.rows"
  ! grep FAILED "$WORK/$1.full" >&2 || true
  if ((LOADER > 0)); then loader_rows | rows_of >>"$WORK/$1.rows"; fi
  undo
  unmount_disk
  rm -f "$WORK/disk.img"
}

systems=("$@")
if ((${#systems[@]} == 0)); then
  for name in aisfs s3fs rclone ceph disk; do ! installed "$name" || systems+=("$name"); done
fi
# fsbench.sh runs its cold step in a shell of its own.
export -f unmount mount_aisfs mount_s3fs mount_rclone settle_rclone mount_ceph unmount_ceph drop_caches_ceph
export BUILD MNT WORK PORT
for name in "${systems[@]}"; do measure "$name"; done

echo "# $(date -u +%FT%TZ) $FSTYPE disks, ${BIG_MB} MiB file, seconds; best/aisfs: of the other networked ones"
printf '%-38s' row && printf '%9s' "${systems[@]}" && printf '%12s\n' best/aisfs
cut -f1 "$WORK/${systems[0]}.rows" | while IFS= read -r label; do
  printf '%-38s' "$label"
  ours='' best=''
  for name in "${systems[@]}"; do
    value=$(awk -F '\t' -v label="$label" '$1 == label { print $2; exit }' "$WORK/$name.rows")
    printf '%9s' "${value:--}"
    [[ $name != aisfs ]] || ours=$value
    [[ $name == aisfs || $name == disk || -z $value ]] || best=$(awk -v a="${best:-$value}" -v b="$value" 'BEGIN { print (a < b ? a : b) }')
  done
  printf '%12s\n' "$([[ -z $ours || -z $best ]] || ratio "$best" "$ours")"
done
