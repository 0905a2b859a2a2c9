# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the benchmarks share: a disk of their own (a loop-mounted journaled file system, because the
# root file system may have no journal and then costs nothing to sync), one aisnode with all roles,
# nginx on the same disk, and their end.
set -euo pipefail
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$REPO/build/release}
PORT=${PORT:-21700}
FSTYPE=${FSTYPE:-ext4}
DISK_GB=${DISK_GB:-12}
WORK=${WORK:-$(mktemp -d /var/tmp/aisfs-bench-XXXXXX)}
NODE_PID='' NGINX_PID=''

stop_process() {
  [[ -n $1 ]] || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  tail --pid="$1" -f /dev/null
}

# Who was told to end may need a moment for it.
unmount_disk() {
  local i
  for ((i = 0; i < 100; i++)); do
    mountpoint -q "$WORK/disk" || return 0
    ! umount "$WORK/disk" 2>/dev/null || return 0
    sleep 0.1
  done
  umount --lazy "$WORK/disk"  # whoever is left goes on without a name
}

cleanup() {
  stop_process "$NODE_PID"
  stop_process "$NGINX_PID"
  unmount_disk
  [[ -n ${KEEP:-} ]] || rm -rf --one-file-system "$WORK"
}
trap cleanup EXIT

make_disk() {
  mkdir -p "$WORK/disk"
  if [[ ! -e $WORK/disk.img ]]; then
    truncate -s "${DISK_GB}G" "$WORK/disk.img"
    if [[ $FSTYPE == xfs ]]; then mkfs.xfs -q -m reflink=1 "$WORK/disk.img"; else mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$WORK/disk.img"; fi
  fi
  mountpoint -q "$WORK/disk" || mount -o loop "$WORK/disk.img" "$WORK/disk"
  # Like a disk: what is read cold is read from it, several requests at once, and nothing is kept
  # twice in the page cache.
  losetup --direct-io=on "$(findmnt -no SOURCE "$WORK/disk")" || echo "the disk is a loop device with a cache of its own" >&2
}

# start_node [SETTING...]: on the disk, with one mountpath; sets NODE_PID, AIS_ENDPOINT, S3_AT, TOKEN.
start_node() {
  mkdir -p "$WORK/disk/mp" "$WORK/state"
  [[ -e $WORK/cluster.key ]] || (umask 077 && head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$WORK/cluster.key")
  {
    printf '%s\n' "role = all" "bootstrap = true" "data_dir = $WORK/state" "cluster_key = $WORK/cluster.key"
    printf '%s\n' "mountpaths = $WORK/disk/mp" "net.public_port = $PORT" "net.s3_port = $((PORT + 1))"
    printf '%s\n' "net.control_port = $((PORT + 2))" "net.data_port = $((PORT + 3))" "$@"
  } >"$WORK/node.conf"
  start_node_process
  export AIS_ENDPOINT=http://127.0.0.1:$PORT AIS_AUTHN_TOKEN=''
  S3_AT=127.0.0.1:$((PORT + 1))
  local i
  for ((i = 0; i < 300; i++)); do
    [[ ! -s $WORK/state/admin.keys ]] || break
    sleep 0.1
  done
  set -a
  . "$WORK/state/admin.keys"
  set +a
  "$BUILD/bin/ais" wait --targets 1 --for 60s >/dev/null || { tail "$WORK/node.log" >&2; exit 1; }
  TOKEN=$("$BUILD/bin/ais" token create --lifetime 1d)
}

# With the settings of the last start_node.
start_node_process() {
  "$BUILD/bin/aisnode" --config "$WORK/node.conf" >>"$WORK/node.log" 2>&1 &
  NODE_PID=$!
}

make_bench_bucket() { "$BUILD/bin/ais" create "ais://$1" --props "write_level=$2" >/dev/null; }

start_nginx() {
  mkdir -p "$WORK/disk/www" "$WORK/disk/tmp"
  cat >"$WORK/nginx.conf" <<CONF
worker_processes 2; pid $WORK/nginx.pid; error_log $WORK/nginx.log; user root; daemon off;
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000;
  client_max_body_size 0; client_body_temp_path $WORK/disk/tmp; client_body_buffer_size 256k;
  open_file_cache max=4000 inactive=60s;
  server {
    listen 127.0.0.1:$((PORT + 8)); root $WORK/disk/www;
    location / { dav_methods PUT DELETE; create_full_put_path on; }
  }
}
CONF
  /usr/sbin/nginx -c "$WORK/nginx.conf" -p "$WORK" &
  NGINX_PID=$!
  local i
  for ((i = 0; i < 50; i++)); do
    ! (: <"/dev/tcp/127.0.0.1/$((PORT + 8))") 2>/dev/null || return 0
    sleep 0.1
  done
  echo "nginx does not start; see $WORK/nginx.log" >&2
  exit 1
}

load_on_node() { "$BUILD/bin/aisfs_bench_load" 127.0.0.1 "$PORT" --header "Authorization: Bearer $TOKEN" --pid "$NODE_PID" "$@"; }
load_on_nginx() { "$BUILD/bin/aisfs_bench_load" 127.0.0.1 "$((PORT + 8))" --pid "$NGINX_PID" "$@"; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }
