#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A cluster all of whose listeners speak TLS, and its clients: ais, a mount, curl.
# usage: tls.sh BUILD
set -euo pipefail
. "$(dirname "$0")/lib.sh"
BIN=$(realpath "$1")/bin
WORK=$(mktemp -d "${TMPDIR:-/tmp}/aisfs-test.XXXXXX")
NODES=()
unset AIS_ENDPOINT AIS_CA AIS_AUTHN_TOKEN

clean_up() {
  local status=$?
  if ((status != 0)); then show_logs; fi
  ! mountpoint -q "$WORK/mnt" || fusermount3 -u "$WORK/mnt" || fusermount3 -uz "$WORK/mnt"
  ((${#NODES[@]} == 0)) || kill "${NODES[@]}" || true
  wait
  rm -rf --one-file-system "$WORK"
  exit "$status"
}
trap clean_up EXIT

# fails_with TEXT COMMAND...: it fails, and says so.
fails_with() {
  local text=$1
  shift
  if "$@" >"$WORK/said" 2>&1; then echo "no failure: $*" && return 1; fi
  grep -F -- "$text" "$WORK/said" || { cat "$WORK/said" && return 1; }
}

# authority NAME: one that signs; certificate NAME AUTHORITY: one of 127.0.0.1.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
    -subj "/CN=$1" -keyout "$WORK/$1.key" -out "$WORK/$1.pem"
}
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$WORK/$1.key" -out "$WORK/$1.csr" &&
    openssl x509 -req -in "$WORK/$1.csr" -CA "$WORK/$2.pem" -CAkey "$WORK/$2.key" -CAcreateserial \
      -days 1 -copy_extensions copy -out "$WORK/$1.pem"
}
certificates() {
  authority ca && authority stranger && certificate public ca && certificate internal ca &&
    certificate strange stranger
}

# start_node NAME SETTING...: until it serves.
start_node() {
  local dir=$WORK/data/$1 i
  shift
  mkdir -p "$dir/mp"
  "$BIN/aisnode" --data_dir "$dir/state" --cluster_key "$WORK/cluster.key" --store.reserve 1MiB \
    --ready_file "$dir/ready" --net.public_certificate "$WORK/public.pem" \
    --net.public_certificate_key "$WORK/public.key" --net.s3_certificate "$WORK/public.pem" \
    --net.s3_certificate_key "$WORK/public.key" --net.internal_certificate "$WORK/internal.pem" \
    --net.internal_certificate_key "$WORK/internal.key" --net.internal_ca "$WORK/ca.pem" "$@" \
    2>>"$dir/log" &
  NODES+=($!)
  for ((i = 0; i < 150; i++)); do
    if [[ -s $dir/ready ]]; then return 0; fi
    kill -0 "${NODES[-1]}" || break
    sleep 0.1
  done
  unset 'NODES[-1]'
  cat "$dir/log"
  return 1
}
address() { sed -n "s/^$2=//p" "$WORK/data/$1/ready"; }  # address NODE LISTENER

start_cluster() {
  local target
  start_node g1 --role gateway --bootstrap || return
  for target in t1 t2; do
    start_node "$target" --role target --mountpaths "$WORK/data/$target/mp" \
      --join "$(address g1 control)" || return
  done
  . "$WORK/data/g1/state/admin.keys"
  export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
  URL=https://$(address g1 public)
}

# Without all that TLS needs a node does not start.
half_settings() {
  local dir=$WORK/half
  fails_with "net.s3_certificate is set and net.s3_certificate_key is not" \
    "$BIN/aisnode" --data_dir "$dir" --bootstrap --net.s3_certificate "$WORK/public.pem" &&
    fails_with "net.internal_certificate is set and net.internal_ca is not" \
    "$BIN/aisnode" --data_dir "$dir" --bootstrap --net.internal_certificate "$WORK/internal.pem" \
    --net.internal_certificate_key "$WORK/internal.key" &&
    fails_with "none.pem" "$BIN/aisnode" --data_dir "$dir" --bootstrap \
    --net.internal_certificate "$WORK/internal.pem" \
    --net.internal_certificate_key "$WORK/internal.key" --net.internal_ca "$WORK/none.pem"
}

# Nobody joins who trusts others, or whose internal listeners speak plain HTTP.
strangers() {
  fails_with "certificate verify failed" start_node stranger --role gateway --join_timeout 1s \
    --join "$(address g1 control)" --net.internal_ca "$WORK/stranger.pem" &&
    fails_with "closed by the server" "$BIN/aisnode" --data_dir "$WORK/plain" --cluster_key "$WORK/cluster.key" \
    --role gateway --join_timeout 1s --join "$(address g1 control)"
}

ais_() { "$BIN/ais" --endpoint "$URL" --ca "$WORK/ca.pem" "$@"; }
ais_moves_objects() {
  local i
  head -c 30000000 /dev/urandom >"$WORK/big"
  ais_ wait --targets 2 --for 20s && ais_ create ais://b && ais_ put "$WORK/big" ais://b/big &&
    ais_ get ais://b/big "$WORK/got" && cmp "$WORK/big" "$WORK/got" || return
  for ((i = 0; i < 20; i++)); do
    echo "object $i" >"$WORK/small" && ais_ put "$WORK/small" "b/$i" || return
  done
  AIS_CA=$WORK/ca.pem "$BIN/ais" --endpoint "$URL" cat b/{0..19} | cmp - <(seq -f "object %.0f" 0 19)
}
refused_clients() {
  local plain=${URL/https/http}
  fails_with "certificate verify failed" "$BIN/ais" --endpoint "$URL" ls &&
    grep -F -- "--ca FILE" "$WORK/said" &&
    fails_with "certificate verify failed" "$BIN/ais" --endpoint "$URL" --ca "$WORK/stranger.pem" ls &&
    fails_with "none.pem" "$BIN/ais" --endpoint "$URL" --ca "$WORK/none.pem" ls &&
    fails_with "https://" "$BIN/ais" --endpoint "$plain" --ca "$WORK/ca.pem" ls &&
    fails_with "do not mix" "$BIN/ais" --endpoint "$URL,http://127.0.0.1:1" ls &&
    fails_with "no node of the cluster answers" "$BIN/ais" --endpoint "$plain" ls
}
refused_by_each_listener() {
  local listener
  for listener in public s3 control data; do
    fails_with "curl: (" curl -sS -m 5 "http://$(address t1 $listener)/" &&
      fails_with "curl: (60)" curl -sS -m 5 "https://$(address t1 $listener)/" || return
  done
}

mounts() {
  local secure both
  secure=ca=ca.pem,cache_dir=$WORK/cache
  both=$URL,https://$(address t1 public)
  mkdir -p "$WORK/mnt" "$WORK/cache"
  cd "$WORK" && fails_with "certificate verify failed" "$BIN/aisfs" "$URL" mnt -o "cache_dir=$WORK/cache" &&
    fails_with "https://" "$BIN/aisfs" "${URL/https/http}" mnt -o "$secure" &&
    "$BIN/aisfs" "$both" mnt -o "$secure" && cd "$REPO"
}
mount_reads_and_writes() {
  cmp "$WORK/big" "$WORK/mnt/b/big" && cp "$WORK/big" "$WORK/mnt/b/copy" &&
    echo small >"$WORK/mnt/b/small" && ais_ get b/copy "$WORK/got" && cmp "$WORK/big" "$WORK/got" &&
    [[ $(ais_ cat b/small) == small ]] && fusermount3 -u "$WORK/mnt"
}

curl_() { curl -sS -f --cacert "$WORK/ca.pem" "$@"; }
signed() {
  curl_ --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
    -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" "$@"
}
s3_answers() {
  local s3 upload etag
  s3=https://$(address g1 s3)
  signed "$s3/b/big" | cmp - "$WORK/big" && signed -T "$WORK/small" "$s3/b/by-curl" &&
    signed "$s3/b/by-curl" | cmp - "$WORK/small" || return
  upload=$(signed -X POST "$s3/b/parts?uploads=" | sed -n 's|.*<UploadId>\(.*\)</UploadId>.*|\1|p')
  signed -T "$WORK/small" -D "$WORK/head" "$s3/b/parts?partNumber=1&uploadId=$upload" || return
  etag=$(sed -n 's/^etag: \(.*\)\r/\1/Ip' "$WORK/head")
  printf '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part>%s' \
    "$etag" '</CompleteMultipartUpload>' >"$WORK/parts.xml"
  signed --data-binary "@$WORK/parts.xml" "$s3/b/parts?uploadId=$upload" |
    grep -F "<Location>$s3/b/parts<"
}
# What names another node names it by https: whoever follows a redirect stays inside TLS.
native_answers() {
  local bearer
  bearer="Authorization: Bearer $(ais_ token create)"
  curl_ -H "$bearer" "$URL/v1/daemon?what=smap" >"$WORK/map" &&
    grep -F "\"direct_url\":\"https://$(address t1 public)\"" "$WORK/map" &&
    grep -F "\"direct_url\":\"https://$(address t2 data)\"" "$WORK/map" || return
  ! grep -F http: "$WORK/map" || return 1
  curl_ -L -D "$WORK/head" -H "$bearer" "$URL/v1/objects/b/big" | cmp - "$WORK/big" &&
    grep "^Location: https://" "$WORK/head"
}

step "an authority, certificates" certificates
step "half of the settings is refused" half_settings
step "a gateway and two targets" start_cluster
step "nodes of another authority, or without TLS, do not join" strangers
step "ais stores and fetches" ais_moves_objects
step "an unknown authority, plain HTTP, a mixture: ais says so" refused_clients
step "every listener refuses the same" refused_by_each_listener
step "a mount" mounts
step "the mount reads and writes" mount_reads_and_writes
step "S3 by curl" s3_answers
step "redirects and the map" native_answers
