#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Unmodified S3 tools and the mount on the same objects: written by each, read by all.
# usage: s3_tools.sh BUILD
set -euo pipefail
. "$(dirname "$0")/lib.sh"
unset AWS_CA_BUNDLE  # rclone 1.60 refuses to start with it

configure_tools() {
  local host=${AWS_ENDPOINT_URL#http://}
  cat >"$WORK/s3cfg" <<C
[default]
access_key = $AWS_ACCESS_KEY_ID
secret_key = $AWS_SECRET_ACCESS_KEY
host_base = $host
host_bucket = $host
use_https = False
C
  export RCLONE_CONFIG_T_TYPE=s3 RCLONE_CONFIG_T_PROVIDER=Other RCLONE_CONFIG_T_REGION=us-east-1
  export RCLONE_CONFIG_T_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID RCLONE_CONFIG_T_ENDPOINT=$AWS_ENDPOINT_URL
  export RCLONE_CONFIG_T_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
  mkdir -p "$WORK/tree/a/b" && head -c 20000000 /dev/urandom >"$WORK/tree/big"
  local i
  for i in $(seq 30); do head -c $((i * 777)) /dev/urandom >"$WORK/tree/a/f$i"; done
  head -c 100 /dev/urandom >"$WORK/tree/a/b/sp ace+ü%.txt" && : >"$WORK/tree/empty"
}

s3cmd_() { s3cmd -c "$WORK/s3cfg" --no-progress "$@"; }
rclone_() { rclone --config /dev/null --retries 1 "$@"; }
boto_() { /usr/bin/python3 "$REPO/tests/clients/boto_steps.py" "$@"; }

s3cmd_writes() { s3cmd_ mb s3://s3cmd && s3cmd_ put -r "$WORK/tree/" s3://s3cmd/t/ && s3cmd_ info s3://s3cmd/t/big; }
rclone_writes() { rclone_ mkdir t:rclone && rclone_ --s3-upload-cutoff 5M --s3-chunk-size 5M copy "$WORK/tree" t:rclone/t; }
boto_writes() { boto_ upload boto3 "$WORK/tree"; }
mount_writes() { mkdir "$MOUNT/mounted" && cp -rp "$WORK/tree" "$MOUNT/mounted/t"; }

all_buckets() { echo s3cmd rclone boto3 mounted; }
mount_reads() { local b; for b in $(all_buckets); do diff -r "$WORK/tree" "$MOUNT/$b/t"; done; }
rclone_reads() { local b; for b in $(all_buckets); do rclone_ check "$WORK/tree" "t:$b/t"; done; }
boto_reads() { local b; for b in $(all_buckets); do boto_ verify "$b" "$WORK/tree"; done; }
# By sync: s3cmd's get takes the marker objects of directories for files.
s3cmd_reads() {
  local b
  for b in $(all_buckets); do
    rm -rf "$WORK/got" && mkdir "$WORK/got" && s3cmd_ sync "s3://$b/t/" "$WORK/got/" && diff -r "$WORK/tree" "$WORK/got"
  done
}
rclone_times() { test "$(stat -c %Y "$MOUNT/rclone/t/a/f3")" = "$(stat -c %Y "$WORK/tree/a/f3")"; }
mount_times() { test -z "$(rclone_ lsl t:mounted/t/a/f3 | grep -v "$(date -d "@$(stat -c %Y "$WORK/tree/a/f3")" +'%F %T')" || true)"; }

refused() {
  test "$(curl -s -o /dev/null -w '%{http_code}' "$AWS_ENDPOINT_URL/mounted/t/big")" = 403
  test "$(curl -s -o /dev/null -w '%{http_code}' --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:wrong" \
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$AWS_ENDPOINT_URL/mounted/t/big")" = 403
}
deleted_everywhere() {
  s3cmd_ del -r --force s3://rclone/t && test -z "$(ls "$MOUNT/rclone")" && rclone_ purge t:s3cmd && ! test -e "$MOUNT/s3cmd"
}

start_playground "$1"
configure_tools
step "s3cmd writes" s3cmd_writes
step "rclone writes (multipart)" rclone_writes
step "boto3 writes (multipart)" boto_writes
step "the mount writes" mount_writes
step "the mount reads all" mount_reads
step "rclone check agrees on all" rclone_reads
step "boto3 reads all" boto_reads
step "s3cmd reads all" s3cmd_reads
step "rclone's times show in the mount" rclone_times
step "the mount's times show in rclone" mount_times
step "boto3: ranges, conditions, presigned, copy, listings, multi-delete" boto_ api boto3
step "boto3: versions of what it and the mount write" boto_ versions versioned "$MOUNT"
step "unsigned and badly signed requests are refused" refused
step "deletes show everywhere" deleted_everywhere
