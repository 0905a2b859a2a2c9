# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Secrets of a playground, made at its first start: DATA/keys (the administrator's pair) and
# DATA/cluster.key (what its nodes know each other by). Both 0600.

make_keys() {
  if [[ ! -s $DATA/keys ]]; then
    (
      umask 077
      printf 'AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n' \
        "$(random_text 20 'A-Z2-7')" "$(random_text 40 'A-Za-z0-9')" >"$DATA/keys.new"
    )
    mv "$DATA/keys.new" "$DATA/keys"
  fi
  if [[ ! -s $DATA/cluster.key ]]; then
    (umask 077 && head -c 32 /dev/urandom >"$DATA/cluster.key.new")
    mv "$DATA/cluster.key.new" "$DATA/cluster.key"
  fi
}

# random_text LENGTH CHARACTERS
random_text() { head -c 4096 /dev/urandom | LC_ALL=C tr -dc "$2" | head -c "$1"; }

load_keys() {
  local line
  while read -r line; do
    case $line in
      AWS_ACCESS_KEY_ID=*) AWS_ACCESS_KEY_ID=${line#*=} ;;
      AWS_SECRET_ACCESS_KEY=*) AWS_SECRET_ACCESS_KEY=${line#*=} ;;
    esac
  done <"$DATA/keys"
}
