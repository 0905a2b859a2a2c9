# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# How the programs are called: the one place that knows their flags and settings.

# node_config NAME PUBLIC S3 CONTROL DATA [MOUNTPATH...]: the configuration file of a node.
node_config() {
  local name=$1 public=$2 s3=$3 control=$4 data=$5
  shift 5
  echo "# Written by deploy/playground at every start."
  echo "role = $(if [[ $name == g* ]]; then echo gateway; else echo target; fi)"
  echo "public = 127.0.0.1:$public"
  echo "s3 = 127.0.0.1:$s3"
  echo "control = 127.0.0.1:$control"
  echo "data = 127.0.0.1:$data"
}

# ais ARGUMENT...: the command line program as the administrator of this playground.
ais() {
  local ports
  load_keys
  read -ra ports < <(node_ports g1)
  AIS_ENDPOINT=http://127.0.0.1:${ports[0]} AIS_AUTHN_TOKEN='' \
    AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY \
    "$BUILD/bin/ais" "$@" 9>&-
}

# mount_command LOG: mounts as a daemon; returns when the mount works or has failed.
mount_command() {
  local ports
  load_keys
  read -ra ports < <(node_ports g1)
  AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY \
    "$BUILD/bin/aisfs" "http://127.0.0.1:${ports[0]}" "$MOUNT" -o "log=$1,cache_dir=$DATA/cache" 9>&-
}
