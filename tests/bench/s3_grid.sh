#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signed S3 requests: our cluster (a playground, level full, through its gateway) against radosgw
# with BlueStore on the same kind of disk. Both run; cells alternate, the best of ROUNDS counts.
#   TOOLS=DIR PEERS=DIR tests/bench/s3_grid.sh [ROUNDS=3] [SECONDS=3]   environment: BUILD PORT FSTYPE CONNS
# TOOLS has s3bench.c, PEERS has ceph-mini.sh (neither is part of this project).
. "$(dirname "$0")/lib.sh"
ROUNDS=${1:-3} SECS=${2:-3} CONNS=${CONNS:-8}
[[ -r ${TOOLS:-}/s3bench.c ]] || { echo "TOOLS must name the folder of s3bench.c" >&2; exit 2; }
[[ -x ${PEERS:-}/ceph-mini.sh ]] || { echo "PEERS must name the folder of ceph-mini.sh" >&2; exit 2; }
CEPH_PORT=$((PORT + 90))
# The first user that ceph-mini.sh makes.
CEPH_KEY=0555b35654ad1656d804 CEPH_SECRET='h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q=='

playground() {
  "$REPO/deploy/playground" "$@" --data "$WORK/disk/pg" --port "$PORT" --build "$BUILD" </dev/null
}
end() {
  playground down --force >/dev/null 2>&1 || true
  "$PEERS/ceph-mini.sh" stop "$WORK/disk/ceph" >/dev/null 2>&1 || true
  cleanup
}
trap end EXIT

make_disk
gcc -O2 -Wno-deprecated-declarations -D_GNU_SOURCE "$TOOLS/s3bench.c" -o "$WORK/s3bench" -lcrypto -lpthread
playground up --no-mount >"$WORK/playground.log"
eval "$(playground env)"
"$PEERS/ceph-mini.sh" start "$WORK/disk/ceph" "$CEPH_PORT" bluestore >"$WORK/ceph.log" 2>&1

ours() { "$WORK/s3bench" -e "${AWS_ENDPOINT_URL#http://}" -b s3bench -k "$AWS_ACCESS_KEY_ID" -s "$AWS_SECRET_ACCESS_KEY" "$@"; }
theirs() { "$WORK/s3bench" -e "127.0.0.1:$CEPH_PORT" -b s3bench -k "$CEPH_KEY" -s "$CEPH_SECRET" "$@"; }
names_for() { case $1 in 4096) echo 1000 ;; 131072) echo 400 ;; 1048576) echo 100 ;; *) echo 12 ;; esac; }

# best SERVER ARGUMENT...: operations a second
best() { for ((i = 0; i < ROUNDS; i++)); do "$@" -t "$SECS" || true; done | awk '$4 > m { m = $4 } END { print m + 0 }'; }

row() {
  local label=$1 bar=$2 a b
  shift 2
  a=$(best ours "$@")
  b=$(best theirs "$@")
  printf '%-18s %12s %12s %9s   bar %s\n' "$label" "$a" "$b" "$(ratio "$a" "$b")" "$bar"
}

for server in ours theirs; do
  "$server" -o mkb -q
  "$server" -o put -z 4096 -c 1 -n 4 -t 1 -q  # pools are made at the first write
done
echo "# $(date -u +%FT%TZ) $FSTYPE, $CONNS connections, best of $ROUNDS x $SECS s, load $(cut -d' ' -f1-3 /proc/loadavg), level full"
printf '%-18s %12s %12s %9s\n' operation "ours /s" "radosgw /s" ratio
for cell in 4096:3:6 131072:-:3.5 1048576:2:2.2 16777216:-:2; do
  IFS=: read -r size put_bar get_bar <<<"$cell"
  load=(-z "$size" -c "$CONNS" -n "$(names_for "$size")")
  row "PUT $size" "$put_bar" -o put "${load[@]}"
  for server in ours theirs; do "$server" -o put "${load[@]}" -1 -q; done  # every key exists
  row "GET $size" "$get_bar" -o get "${load[@]}"
done
row HEAD 5 -o head -z 4096 -c "$CONNS" -n 1000
row "LIST 1000" 2 -o list -z 4096 -c "$CONNS" -n 1000
