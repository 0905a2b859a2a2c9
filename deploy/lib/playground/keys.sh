# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Secrets of a playground, both 0600 and made at its first start: DATA/cluster.key, what its nodes
# know each other by, and the administrator's keys, which the first gateway makes.

make_cluster_key() {
  if [[ -s $DATA/cluster.key ]]; then return 0; fi
  (umask 077 && head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$DATA/cluster.key.new")
  mv "$DATA/cluster.key.new" "$DATA/cluster.key"
}

keys_file() { echo "$DATA/g1/state/admin.keys"; }

# The first gateway writes them before it serves.
wait_for_keys() {
  local i
  for ((i = 0; i < 300; i++)); do
    if [[ -s $(keys_file) ]]; then return 0; fi
    node_alive g1 || break
    sleep 0.1
  done
  check_nodes_alive
  die "the first gateway made no keys within 30 s" "see its log: $DATA/g1/log"
}

load_keys() {
  local line
  while read -r line; do
    case $line in
      AWS_ACCESS_KEY_ID=*) AWS_ACCESS_KEY_ID=${line#*=} ;;
      AWS_SECRET_ACCESS_KEY=*) AWS_SECRET_ACCESS_KEY=${line#*=} ;;
    esac
  done <"$(keys_file)"
}
