# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# How the programs are called: the one place that knows their flags and settings.

# node_config NAME PUBLIC S3 CONTROL DATA [MOUNTPATH...]: the configuration file of a node.
node_config() {
  local name=$1 public=$2 s3=$3 control=$4 data=$5
  shift 5
  echo "# Written by deploy/playground at every start; see aisnode.conf(5)."
  if [[ $name == g* ]]; then echo "role = gateway"; else echo "role = target"; fi
  echo "data_dir = $DATA/$name/state"
  echo "cluster_key = $DATA/cluster.key"
  if [[ $name == g1 ]]; then echo "bootstrap = true"; else echo "join = $(gateways_to_join "$name")"; fi
  if [[ $name == g* ]] && ((ETCD > 0)); then echo "etcd.endpoints = $(etcd_endpoints)"; fi
  (($# == 0)) || echo "mountpaths = $(join_by , "$@")"
  echo "net.host = 127.0.0.1"
  echo "net.public_port = $public"
  echo "net.s3_port = $s3"
  echo "net.control_port = $control"
  echo "net.data_port = $data"
}

# The control addresses of the gateways that node NAME asks: a target all, a gateway the first.
gateways_to_join() {
  local gateways
  mapfile -t gateways < <(gateway_names)
  if [[ $1 == g* ]]; then gateways=("${gateways[0]}"); fi
  addresses '' 2 "${gateways[@]}"
}

# join_by SEPARATOR WORD...
join_by() {
  local IFS=$1
  shift
  echo "$*"
}

# The native API of all gateways, separated by commas.
gateway_urls() {
  local gateways
  mapfile -t gateways < <(gateway_names)
  addresses http:// 0 "${gateways[@]}"
}

# ais ARGUMENT...: the command line program as the administrator of this playground.
ais() {
  load_keys
  AIS_ENDPOINT=$(gateway_urls) AIS_AUTHN_TOKEN='' \
    AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY \
    "$BUILD/bin/ais" "$@" 9>&-
}

# mount_command LOG: mounts as a daemon; returns when the mount works or has failed.
mount_command() {
  load_keys
  AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY \
    "$BUILD/bin/aisfs" "$(gateway_urls)" "$MOUNT" -o "log=$1,cache_dir=$DATA/cache" 9>&-
}
