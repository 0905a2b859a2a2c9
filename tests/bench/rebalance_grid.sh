#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A target is added to a cluster that has TARGETS, on one loop-mounted disk: how fast names move to it,
# against `rsync -a` of the very files that have moved, from where they lie now to a folder of the same
# disk. Then another is added while a client reads: against rsync of what moves then, while it reads
# as well, and the 99th percentile of its GETs against the one just before. The page cache is dropped
# before each, and memory is warm.
#   tests/bench/rebalance_grid.sh [LEVEL...]=none full
#     environment: BUILD PORT FSTYPE ROUNDS=1 TARGETS=1 LARGE=2000 SMALL=20000 RATE=100 QUIET=20 WARM=6G
# LARGE objects of 1 MiB and SMALL ones of 16 KiB. `rebalance`: from the first look of a target until the
# last has nothing left that belongs to others, and that is durable. `rsync`: without, and with a sync of
# the disk after it. GETs are of the small objects, RATE a second, through the S3 listener of the first node.
# Exit status 1: below 0.6 of rsync, each without or with GETs, or above 3 times the quiet GET, in the median
# of a level's rounds: a disk that is shared with others holds up one in a few for longer than all of this.
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-1}
TARGETS=${TARGETS:-1}
LARGE=${LARGE:-2000}
SMALL=${SMALL:-20000}
RATE=${RATE:-100}
QUIET=${QUIET:-20}
WARM=${WARM:-6G}
LEVELS=("$@")
((${#LEVELS[@]} > 0)) || LEVELS=(none full)
TARGET_PIDS=()

end_cluster() {
  local pid
  for pid in "${TARGET_PIDS[@]}"; do stop_process "$pid"; done
  stop_process "$NODE_PID"
  TARGET_PIDS=() NODE_PID=''
}
trap 'end_cluster; cleanup' EXIT

ais() { "$BUILD/bin/ais" "$@"; }

# add_target NUMBER: with a mountpath and four ports of its own; returns when names are placed on it.
add_target() {
  local first=$((PORT + 10 * $1))
  mkdir -p "$WORK/disk/mp$1" "$WORK/state$1"
  {
    printf '%s\n' "role = target" "join = 127.0.0.1:$((PORT + 2))" "data_dir = $WORK/state$1"
    printf '%s\n' "cluster_key = $WORK/cluster.key" "mountpaths = $WORK/disk/mp$1" "net.host = 127.0.0.1"
    printf '%s\n' "net.public_port = $first" "net.s3_port = $((first + 1))"
    printf '%s\n' "net.control_port = $((first + 2))" "net.data_port = $((first + 3))"
  } >"$WORK/node$1.conf"
  "$BUILD/bin/aisnode" --config "$WORK/node$1.conf" >>"$WORK/node$1.log" 2>&1 &
  TARGET_PIDS+=($!)
  ais wait --targets "$1" --for 60s >/dev/null 2>&1
}

# As redundancy_grid.sh: memory that lay idle is slow at its next use.
drop_caches() {
  sync
  head -c "$WARM" /dev/zero >"/dev/shm/${WORK##*/}" || true
  rm -f "/dev/shm/${WORK##*/}"
  echo 3 >/proc/sys/vm/drop_caches
}

# fill PREFIX COUNT BYTES
fill() {
  "$BUILD/bin/aisfs_bench_load" 127.0.0.1 $((PORT + 1)) --header "Authorization: Bearer $TOKEN" --op put --once \
    --path "/moved/$1-" --names "$2" --size "$3" --connections 16 >/dev/null
}

# wait_settled: prints the progress of all targets when nothing is left to move. Asking takes from what
# is measured; when it began and ended the targets say themselves.
wait_settled() {
  local i progress
  for ((i = 0; i < 1200; i++)); do
    progress=$(ais show rebalance --json)
    if jq -e .settled <<<"$progress" >/dev/null; then
      echo "$progress"
      return 0
    fi
    sleep 0.5
  done
  echo "names still move after 10 minutes: $progress" >&2
  return 1
}

# moved_in PROGRESS: seconds, bytes, names of those who had something to move
moved_in() {
  jq -r 'def at: capture("(?<s>.*)\\.(?<f>[0-9]+)Z") | (.s + "Z" | fromdate) + ("0." + .f | tonumber);
    [.nodes[] | select(.names_moved > 0)] |
    [(map(.ended | at) | max) - (map(.started | at) | min), (map(.bytes_moved) | add), (map(.names_moved) | add)] |
    @tsv' <<<"$1"
}

# files_of NUMBER: paths of the objects on a target's mountpath, relative to it
files_of() { (cd "$WORK/disk/mp$1" && find . -path '*/%ob/*' -type f); }

seconds() {
  local begin end
  begin=$(date +%s.%N)
  "$@" >&2
  end=$(date +%s.%N)
  awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.3f", b - a }'
}

# The copies stay: removing one keeps the disk busy for longer than what is measured next.
rsync_moved() { rsync -a --mkpath --files-from="$WORK/moved.list" "$WORK/disk/mp$1/" "$WORK/disk/rsync$1/"; }

# beside_gets FILE COMMAND...: runs it while a client reads, whose line goes to the file.
beside_gets() {
  local file=$1 client
  shift
  get_for 600 >"$file" &
  client=$!
  "$@"
  kill -TERM "$client"
  wait "$client"
}

add_and_settle() {
  add_target "$1"
  progress=$(wait_settled)
}

copy_and_sync() {
  copy=$(seconds rsync_moved "$1")
  synced=$(seconds sync -f "$WORK/disk")
}

# Reads for so long, or until it is told to end; prints the line of aisfs_bench_load.
get_for() {
  exec "$BUILD/bin/aisfs_bench_load" 127.0.0.1 $((PORT + 1)) --header "Authorization: Bearer $TOKEN" --op get \
    --path "/moved/small-" --names "$SMALL" --size 16384 --connections 16 --rate "$RATE" --seconds "$1"
}

measure() {
  local level=$1 i progress copy synced alone alone_synced names
  make_disk
  start_node
  for ((i = 2; i <= TARGETS; i++)); do add_target "$i"; done
  ais create ais://moved --props "write_level=$level copies=1" >/dev/null
  fill large "$LARGE" $((1 << 20))
  fill small "$SMALL" 16384
  wait_settled >/dev/null

  drop_caches
  get_for "$QUIET" >/dev/null  # the disk comes to rest
  drop_caches
  add_and_settle $((TARGETS + 1))
  read -ra moved < <(moved_in "$progress")
  files_of $((TARGETS + 1)) >"$WORK/moved.list"
  names=$(wc -l <"$WORK/moved.list")
  drop_caches
  copy_and_sync $((TARGETS + 1))
  alone=$copy alone_synced=$synced

  drop_caches
  read -ra quiet < <(get_for "$QUIET")
  drop_caches
  beside_gets "$WORK/during" add_and_settle $((TARGETS + 2))
  read -ra during <"$WORK/during"
  read -ra again < <(moved_in "$progress")
  files_of $((TARGETS + 2)) >"$WORK/moved.list"
  drop_caches
  beside_gets "$WORK/beside" copy_and_sync $((TARGETS + 2))
  read -ra beside <"$WORK/beside"
  echo "$level $names ${moved[*]} $alone $alone_synced ${again[*]} $copy $synced ${quiet[*]:4:2} ${during[*]:4:2} ${beside[*]:4:2}" >>"$WORK/rows"
  end_cluster
  unmount_disk
  rm -rf --one-file-system "$WORK"/{disk.img,cluster.key,state*,node*}
}

echo "# $(date -u +%FT%TZ) $FSTYPE, $TARGETS target(s) and one more, $LARGE objects of 1 MiB and $SMALL of 16 KiB, $RATE GETs a second, load $(cut -d' ' -f1-3 /proc/loadavg)"
for ((round = 0; round < ROUNDS; round++)); do
  for level in "${LEVELS[@]}"; do measure "$level"; done
done
# rows: 1 level, 2 names; moved alone: 3 seconds, 4 bytes, 5 names, 6 rsync, 7 sync; beside GETs: 8 to 10, 11
# rsync, 12 sync; then p50 and p99 of GETs: 13 quiet, 15 beside the rebalance, 17 beside rsync
awk '
  BEGIN {
    printf "%-6s %7s %6s %9s %13s %6s %6s %10s %13s %6s %6s %13s %13s %13s %6s\n", "level", "names", "MB", "rebalance",
      "rsync,+sync", "ratio", "+sync", "with GETs", "rsync,+sync", "ratio", "+sync", "quiet p50/99", "during", "by rsync", "p99 x"
  }
  {
    mb = $4 / 1e6
    alone = $6 / $3
    busy = $11 / $8
    moved = $9 / 1e6
    slower = $14 > 0 ? $16 / $14 : 0
    printf "%-6s %7d %6.0f %9.1f %6.1f %6.1f %6.2f %6.2f %10.1f %6.1f %6.1f %6.2f %6.2f %5.1f/%4.1f ms %5.1f/%4.1f ms %5.1f/%4.1f ms %6.2f\n",
      $1, $2, mb, mb / $3, mb / $6, mb / ($6 + $7), alone, ($6 + $7) / $3,
      moved / $8, moved / $11, moved / ($11 + $12), busy, ($11 + $12) / $8, $13, $14, $15, $16, $17, $18, slower
    levels[$1]++
    alone_missed[$1] += alone < 0.6
    busy_missed[$1] += busy < 0.6
    slower_missed[$1] += slower > 3
  }
  END {
    for (level in levels) {
      half = levels[level] / 2
      if (alone_missed[level] >= half || busy_missed[level] >= half || slower_missed[level] >= half) missed = 1
    }
    exit missed
  }' "$WORK/rows"
