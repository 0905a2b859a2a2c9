#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# GET and PUT of 4 KiB ... 16 MiB: one aisnode (native API, bearer token, bucket at level none)
# against nginx with sendfile and DAV over the same disk. Rows alternate between the two, the best
# of ROUNDS counts: other load on the machine only ever makes a cell worse.
#   tests/bench/http_grid.sh [ROUNDS=3] [SECONDS=2]     environment: BUILD PORT FSTYPE SIZES CONNS
. "$(dirname "$0")/lib.sh"
ROUNDS=${1:-3} SECS=${2:-2}
make_disk
start_node
start_nginx
make_bench_bucket bench none
make_bench_bucket durable full

names_for() { case $1 in 4096) echo 1000 ;; 131072) echo 400 ;; 1048576) echo 100 ;; *) echo 12 ;; esac; }

# best FUNCTION ARGUMENT...: "requests/s MB/s CPU-us", each the best of the rounds
best() {
  local i
  for ((i = 0; i < ROUNDS; i++)); do "$@" || true; done |
    awk 'NR == 1 || $1 > r { r = $1; m = $2 } NR == 1 || $3 < c { c = $3 } END { print r, m, c }'
}

row() {
  local op=$1 size=$2 conns=$3 names ours theirs
  names=$(names_for "$size")
  local load=(--op "$op" --size "$size" --connections "$conns" --names "$names" --seconds "$SECS")
  read -ra ours < <(best load_on_node "${load[@]}" --path "/v1/objects/bench/$size-")
  read -ra theirs < <(best load_on_nginx "${load[@]}" --path "/$size-")
  printf '%-4s %9d %4d %9s %8s %8s   %9s %8s %8s   %6s %6s\n' "$op" "$size" "$conns" "${ours[@]}" "${theirs[@]}" \
    "$(ratio "${ours[0]}" "${theirs[0]}")" "$(ratio "${ours[2]}" "${theirs[2]}")"
}

full_row() {
  local names none full
  local load=(--op put --size "$1" --connections 32 --names "$(names_for "$1")" --seconds "$SECS")
  read -ra none < <(best load_on_node "${load[@]}" --path "/v1/objects/bench/$1-")
  read -ra full < <(best load_on_node "${load[@]}" --path "/v1/objects/durable/$1-")
  printf 'full %9d   32 %9s %8s %8s   none: %9s   full/none %s\n' "$1" "${full[@]}" "${none[0]}" "$(ratio "${full[0]}" "${none[0]}")"
}

echo "# $(date -u +%FT%TZ) $FSTYPE, best of $ROUNDS x $SECS s, load $(cut -d' ' -f1-3 /proc/loadavg), verify_read first"
echo "                      aisnode                       nginx                        aisnode / nginx"
echo "op       bytes conn     req/s     MB/s   CPU us       req/s     MB/s   CPU us    req/s    CPU"
for size in ${SIZES:-4096 131072 1048576 16777216}; do
  for conns in ${CONNS:-16 64}; do row put "$size" "$conns"; done
  fill=(--op put --once --size "$size" --connections 8 --names "$(names_for "$size")")
  load_on_node "${fill[@]}" --path "/v1/objects/bench/$size-" >/dev/null
  load_on_nginx "${fill[@]}" --path "/$size-" >/dev/null
  for conns in ${CONNS:-16 64}; do row get "$size" "$conns"; done
done
for size in ${SIZES:-4096 131072 1048576}; do full_row "$size"; done
