# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# The daemons of a playground. A node is named g1.. or t1..; DATA/NODE holds all that is its own:
# node.conf, log, pid, state/ and, for a target, mp1/ mp2/ ...

node_names() {
  local i
  for ((i = 1; i <= GATEWAYS; i++)); do echo "g$i"; done
  for ((i = 1; i <= TARGETS; i++)); do echo "t$i"; done
}

target_names() { node_names | grep '^t'; }

# The public, s3, control and data port of a node; of an etcd member, whose ports come behind theirs,
# the one for clients and the one for other members.
node_ports() {
  local index=$((${1:1} - 1)) first
  if [[ $1 == e* ]]; then
    first=$((PORT + 4 * (GATEWAYS + TARGETS) + 2 * index))
    echo "$first $((first + 1))"
    return 0
  fi
  [[ $1 == g* ]] || index=$((index + GATEWAYS))
  first=$((PORT + 4 * index))
  echo "$first $((first + 1)) $((first + 2)) $((first + 3))"
}

# addresses PREFIX PORT NAME...: for each the prefix and its address, with the port of that number,
# separated by commas.
addresses() {
  local prefix=$1 port=$2 name ports list=()
  shift 2
  for name in "$@"; do
    read -ra ports < <(node_ports "$name")
    list+=("${prefix}127.0.0.1:${ports[$port]}")
  done
  join_by , "${list[@]}"
}

gateway_names() { node_names | grep '^g'; }

# Identifies a process for good: its start in clock ticks, and the boot that the ticks count from.
process_birth() {
  local stat
  read -r stat <"/proc/$1/stat" || return 1
  # The name in parentheses may contain blanks; the start time is the 20th field after it.
  read -ra stat <<<"${stat##*) }"
  [[ ${stat[0]} != Z ]] || return 1
  echo "${stat[19]} $(</proc/sys/kernel/random/boot_id)"
} 2>/dev/null

# record_pid FILE PID / alive_pid FILE: prints the pid if that very process still lives.
record_pid() { printf '%s %s\n' "$2" "$(process_birth "$2")" >"$1"; }
alive_pid() {
  local pid birth
  [[ -r $1 ]] && read -r pid birth <"$1" && [[ $(process_birth "$pid") == "$birth" && -n $birth ]] && echo "$pid"
}

node_alive() { alive_pid "$DATA/$1/pid" >/dev/null; }
node_pid() { alive_pid "$DATA/$1/pid" || true; }

# Pids of the nodes given on stdin, in one line.
pids_of() {
  local name pids=()
  while read -r name; do
    if node_alive "$name"; then pids+=("$(node_pid "$name")"); fi
  done
  echo "${pids[*]}"
}

write_node_config() {
  local name=$1 ports mountpaths=() i
  read -ra ports < <(node_ports "$name")
  if [[ $name == t* ]]; then
    for ((i = 1; i <= MOUNTPATHS; i++)); do mountpaths+=("$DATA/$name/mp$i"); done
    mkdir -p "${mountpaths[@]}"
  fi
  mkdir -p "$DATA/$name/state"
  node_config "$name" "${ports[@]}" "${mountpaths[@]}" >"$DATA/$name/node.conf"
}

start_node() {
  local name=$1 folder=$DATA/$1
  if node_alive "$name"; then return 0; fi
  write_node_config "$name"
  # Its own session, and no descriptor of ours: neither a terminal nor a lock ends with it.
  (
    exec 9>&-
    exec setsid "$BUILD/bin/aisnode" --config "$folder/node.conf" >>"$folder/log" 2>&1 </dev/null
  ) &
  record_pid "$folder/pid" $!
  disown $!
}

start_nodes() {
  local name
  while read -r name; do start_node "$name"; done < <(node_names)
}

nodes_alive() {
  local name
  while read -r name; do node_alive "$name" || return 1; done < <(node_names && etcd_names)
}

check_nodes_alive() {
  local name
  while read -r name; do
    node_alive "$name" && continue
    tail -n 15 "$DATA/$name/log" | sed 's/^/    | /' >&2
    die "$name ended at once" "see its log: $DATA/$name/log"
  done < <(node_names && etcd_names)
}

# stop_pid NAME PID: SIGTERM, and SIGKILL for what is still there after 20 s.
stop_pid() {
  local i
  kill -TERM "$2" 2>/dev/null || return 0
  for ((i = 0; i < 200; i++)); do
    process_birth "$2" >/dev/null || return 0
    sleep 0.1
  done
  warn "$1 did not stop within 20 s and was killed"
  kill -KILL "$2" 2>/dev/null || true
}

# Targets first: a gateway that is gone would make them wait for it.
stop_nodes() {
  local name jobs=()
  while read -r name; do
    node_alive "$name" || continue
    stop_pid "$name" "$(node_pid "$name")" &
    jobs+=($!)
  done < <(target_names)
  ((${#jobs[@]} == 0)) || wait "${jobs[@]}"
  while read -r name; do
    if node_alive "$name"; then stop_pid "$name" "$(node_pid "$name")"; fi
  done < <(node_names)
  while read -r name; do rm -f "$DATA/$name/pid"; done < <(node_names)
}
