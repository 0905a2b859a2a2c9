#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One target with many objects: first page and whole listing in msgpack, what they cost the server,
# its anonymous memory, and the time from a start after kill -9 until it serves again.
#   tests/bench/million.sh [OBJECTS=100000]        environment: BUILD PORT FSTYPE PAGE
COUNT=${1:-100000}
DISK_GB=${DISK_GB:-24}  # ext4 has an inode for each 16 KiB
. "$(dirname "$0")/lib.sh"
make_disk
start_node
make_bench_bucket many none

anonymous_mib() { awk '/^RssAnon/ { printf "%d", $2 / 1024 }' "/proc/$NODE_PID/status"; }
cpu_ms() { cat /proc/"$NODE_PID"/task/*/schedstat | awk '{ sum += $1 } END { printf "%d", sum / 1e6 }'; }

echo "# $(date -u +%FT%TZ) $FSTYPE, $COUNT objects of 100 bytes, load $(cut -d' ' -f1-3 /proc/loadavg)"
begin=$(date +%s.%N)
read -ra put < <(load_on_node --op put --once --size 100 --connections 32 --names "$COUNT" --path "/v1/objects/many/folder/object-")
echo "import        ${put[0]} objects/s, ${put[2]} us of server CPU each"
echo "memory        $(anonymous_mib) MiB anonymous after the import"

list() {
  local before
  before=$(cpu_ms)
  read -ra row < <("$BUILD/bin/aisfs_bench_list" 127.0.0.1 "$PORT" many "$TOKEN" "$1")
  echo "list by $1  ${row[0]} entries, first page ${row[1]} ms, whole ${row[2]} ms, server CPU $(($(cpu_ms) - before)) ms, $(anonymous_mib) MiB anonymous"
  [[ ${row[0]} == "$COUNT" ]]
}
list "${PAGE:-10000}"
list "${PAGE:-10000}"
list 1000

kill -KILL "$NODE_PID"
wait "$NODE_PID" 2>/dev/null || true
begin=$(date +%s%N)
start_node_process
until (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null &&
  load_on_node --op head --once --names 1 --connections 2 --path "/v1/objects/many/folder/object-" >/dev/null 2>&1; do sleep 0.02; done
echo "ready         $((($(date +%s%N) - begin) / 1000000)) ms after a start that follows kill -9"
list "${PAGE:-10000}"
