#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# PUT into a bucket with two copies against the same into one with one: `ais put -r` of a folder to a
# cluster of 3 targets on one loop-mounted disk, level none. The two alternate, the best of ROUNDS
# counts.
#   tests/bench/copies_grid.sh [ROUNDS=3]          environment: BUILD PORT FSTYPE
. "$(dirname "$0")/lib.sh"
ROUNDS=${1:-3}
PLAYGROUND=(--build "$BUILD" --data "$WORK/disk/cluster" --port "$PORT" --no-mount)

end_cluster() { "$REPO/deploy/playground" down "${PLAYGROUND[@]}" >/dev/null || true; }
trap 'end_cluster; cleanup' EXIT

# fill FOLDER COUNT BYTES
fill() {
  local i
  mkdir -p "$1"
  for ((i = 0; i < $2; i++)); do head -c "$3" /dev/urandom >"$1/f$i"; done
}

# timed FOLDER BUCKET: seconds of one run, into names that are free
timed() {
  local begin end
  "$BUILD/bin/ais" rm -r "ais://$2/" >/dev/null 2>&1 || true
  sync
  begin=$(date +%s.%N)
  "$BUILD/bin/ais" put -r "$1" "ais://$2/" >/dev/null
  end=$(date +%s.%N)
  awk -v a="$begin" -v b="$end" 'BEGIN { print b - a }'
}

row() {
  local name=$1 folder=$2 bytes=$3 i one two best_one='' best_two=''
  for ((i = 0; i < ROUNDS; i++)); do
    one=$(timed "$folder" one) two=$(timed "$folder" two)
    best_one=$(printf '%s\n' $best_one "$one" | sort -g | head -1)
    best_two=$(printf '%s\n' $best_two "$two" | sort -g | head -1)
  done
  awk -v n="$name" -v a="$best_one" -v b="$best_two" -v s="$bytes" \
    'BEGIN { printf "%-6s  %8.0f MB/s  %8.0f MB/s   %.2f\n", n, s / a / 1e6, s / b / 1e6, a / b }'
}

make_disk
"$REPO/deploy/playground" up "${PLAYGROUND[@]}" >/dev/null
eval "$("$REPO/deploy/playground" env "${PLAYGROUND[@]}")"
"$BUILD/bin/ais" create ais://one --props write_level=none >/dev/null
"$BUILD/bin/ais" create ais://two --props "write_level=none copies=2" >/dev/null
fill "$WORK/1M" 256 $((1 << 20))
fill "$WORK/64M" 8 $((64 << 20))
echo "# $(date -u +%FT%TZ) $FSTYPE, best of $ROUNDS, load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "size     one copy       two copies      ratio"
row "1 MiB" "$WORK/1M" $((256 << 20))
row "64 MiB" "$WORK/64M" $((512 << 20))
