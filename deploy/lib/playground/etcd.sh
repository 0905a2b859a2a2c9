# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# The etcd members that hold the cluster's map, when the playground has some. A member is named
# e1..; DATA/MEMBER holds its data, log and pid.

etcd_names() {
  local i
  for ((i = 1; i <= ETCD; i++)); do echo "e$i"; done
}

# For the configuration of a gateway; nothing without etcd.
etcd_endpoints() {
  local members
  mapfile -t members < <(etcd_names)
  addresses '' 0 "${members[@]}"
}

start_etcd_member() {
  local name=$1 folder=$DATA/$1 member ports members=()
  if node_alive "$name"; then return 0; fi
  mkdir -p "$folder"
  while read -r member; do
    read -ra ports < <(node_ports "$member")
    members+=("$member=http://127.0.0.1:${ports[1]}")
  done < <(etcd_names)
  read -ra ports < <(node_ports "$name")
  (
    exec 9>&-
    exec setsid etcd --name "$name" --data-dir "$folder/data" --log-level warn \
      --listen-client-urls "http://127.0.0.1:${ports[0]}" \
      --advertise-client-urls "http://127.0.0.1:${ports[0]}" \
      --listen-peer-urls "http://127.0.0.1:${ports[1]}" \
      --initial-advertise-peer-urls "http://127.0.0.1:${ports[1]}" \
      --initial-cluster "$(join_by , "${members[@]}")" \
      --auto-compaction-mode periodic --auto-compaction-retention 1h --max-txn-ops 4096 \
      >>"$folder/log" 2>&1 </dev/null
  ) &
  record_pid "$folder/pid" $!
  disown $!
}

start_etcd() {
  local name
  while read -r name; do start_etcd_member "$name"; done < <(etcd_names)
}

# After the nodes: what they have to say at their end is still heard.
stop_etcd() {
  local name
  while read -r name; do
    if node_alive "$name"; then stop_pid "$name" "$(node_pid "$name")"; fi
    rm -f "$DATA/$name/pid"
  done < <(etcd_names)
}
