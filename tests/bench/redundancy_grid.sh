#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What redundancy costs, at level none: `ais put -r` and `ais get -r` of a folder, to and from a cluster
# of 4 targets on one loop-mounted disk. PUT into a bucket with one copy, with two, and with 2+2 slices;
# GET of each, and of slices when a target has been killed (nobody can take its place). The buckets take
# turns, the best of ROUNDS counts.
#   tests/bench/redundancy_grid.sh [ROUNDS=3]          environment: BUILD PORT FSTYPE JOBS WARM
. "$(dirname "$0")/lib.sh"
ROUNDS=${1:-3}
JOBS=${JOBS:-8}
WARM=${WARM:-6G}
BUCKETS=(one two slices)
PLAYGROUND=(--build "$BUILD" --data "$WORK/disk/cluster" --port "$PORT" --targets 4 --mountpaths 1 --no-mount)

end_cluster() { "$REPO/deploy/playground" down "${PLAYGROUND[@]}" >/dev/null || true; }
trap 'end_cluster; cleanup' EXIT

# fill FOLDER COUNT BYTES
fill() {
  local i
  mkdir -p "$1"
  for ((i = 0; i < $2; i++)); do head -c "$3" /dev/urandom >"$1/f$i"; done
}

# seconds COMMAND...
seconds() {
  local begin end
  begin=$(date +%s.%N)
  "$@" >/dev/null
  end=$(date +%s.%N)
  awk -v a="$begin" -v b="$end" 'BEGIN { print b - a }'
}

# WARM bytes of memory have just been used. A virtual machine gives what lies idle back to its host, and
# each page of that costs a fault there, ten times what is measured; two copies need more pages than one.
warm() {
  head -c "$WARM" /dev/zero >"/dev/shm/${WORK##*/}" || true
  rm -f "/dev/shm/${WORK##*/}"
}

# put FOLDER BUCKET: into names that are free
put() {
  "$BUILD/bin/ais" rm -r "ais://$2/" >/dev/null 2>&1 || true
  sync
  warm
  seconds "$BUILD/bin/ais" put -r -j "$JOBS" "$1" "ais://$2/"
}

# get FOLDER BUCKET: checked against the folder
get() {
  rm -rf "$WORK/back"
  seconds "$BUILD/bin/ais" get -r -j "$JOBS" "ais://$2/" "$WORK/back"
  diff -r "$1" "$WORK/back" >&2
}

# row WHAT FOLDER BYTES BUCKET...: MB/s of each, and what part of the first it is
row() {
  local what=$1 folder=$2 bytes=$3 i bucket
  local -A best=()
  shift 3
  for ((i = 0; i < ROUNDS; i++)); do
    for bucket in "$@"; do
      best[$bucket]=$(printf '%s\n' ${best[$bucket]:-} "$("$what" "$folder" "$bucket")" | sort -g | head -1)
    done
  done
  printf '%-22s' "$what $(basename "$folder")"
  for bucket in "$@"; do
    awk -v t="${best[$bucket]}" -v f="${best[$1]}" -v b="$bytes" \
      'BEGIN { printf "  %8.0f MB/s %5.2f", b / t / 1e6, f / t }'
  done
  echo
}

make_disk
"$REPO/deploy/playground" up "${PLAYGROUND[@]}" >/dev/null
eval "$("$REPO/deploy/playground" env "${PLAYGROUND[@]}")"
"$BUILD/bin/ais" create ais://one --props "write_level=none copies=1" >/dev/null
"$BUILD/bin/ais" create ais://two --props "write_level=none copies=2" >/dev/null
"$BUILD/bin/ais" create ais://slices --props "write_level=none ec=2+2" >/dev/null
fill "$WORK/1M" 256 $((1 << 20))
fill "$WORK/64M" 8 $((64 << 20))
echo "# $(date -u +%FT%TZ) $FSTYPE, -j $JOBS, best of $ROUNDS, load $(cut -d' ' -f1-3 /proc/loadavg)"
printf '%-22s  %19s  %19s  %19s\n' "" "one copy" "two copies" "2+2 slices"
for size in "1M 256" "64M 512"; do
  read -r folder mib <<<"$size"
  row put "$WORK/$folder" $((mib << 20)) "${BUCKETS[@]}"
  row get "$WORK/$folder" $((mib << 20)) "${BUCKETS[@]}"
done
# Slices of both sizes are there now: the last ones were put last.
kill -KILL "${AISFS_TARGET_PIDS##* }"
echo "# one of the four targets was killed"
row get "$WORK/64M" $((512 << 20)) slices
