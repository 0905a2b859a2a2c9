# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Settings of one playground: command line over environment over what `up` saved over defaults.

usage() {
  cat <<'USAGE'
usage: deploy/playground COMMAND [OPTION...]

A storage cluster on this machine, on loopback only, and its buckets as a folder.

commands:
  up       install what is missing, build, start the cluster, create the bucket demo, mount.
           Changes nothing that runs already; also the way back after a crash or a reboot.
  down     unmount, stop all processes; the data stays
  status   what runs; exit status 0 if everything does
  env      shell assignments:  eval "$(deploy/playground env)"
  wipe     down, then delete the data of the playground

options (or the environment variable):
  --targets N       nodes that store                       PLAYGROUND_TARGETS     3
  --gateways N      nodes that only serve                  PLAYGROUND_GATEWAYS    1
  --etcd N          etcd members that hold the cluster's    PLAYGROUND_ETCD        0
                    map: 1, 3 or 5; 0: the first gateway
  --mountpaths N    folders (disks) of each target         PLAYGROUND_MOUNTPATHS  2
  --port BASE       first port; a node takes four          PLAYGROUND_PORT        21080
  --data DIR        everything the playground keeps        PLAYGROUND_DATA        ~/aisfs-playground
  --mount DIR       where the buckets appear               PLAYGROUND_MOUNT       DATA/mnt
  --no-mount        start the cluster only                 PLAYGROUND_NO_MOUNT=1
  --build DIR       build folder; programs in DIR/bin      PLAYGROUND_BUILD       build/release
  --force           down, wipe: also when programs use the mount
  --yes             wipe: do not ask

Several playgrounds live side by side with different --data and --port. `up` with more targets than
before adds them. It remembers targets,
gateways, etcd, mountpaths, port and mount in DATA/playground.conf, so the other commands need --data only.

exit status: 0 done, 1 failed, 2 wrong usage, 3 the cluster runs but nothing can be mounted here
USAGE
}

usage_error() {
  printf 'error: %s\n' "$1" >&2
  printf "  remedy: deploy/playground --help\n" >&2
  exit 2
}

# The options that take a value, and the setting that each one is.
declare -A OPTION_SETTING=([--targets]=TARGETS [--gateways]=GATEWAYS [--etcd]=ETCD [--mountpaths]=MOUNTPATHS
  [--port]=PORT [--data]=DATA [--mount]=MOUNT [--build]=BUILD)
declare -A GIVEN=()  # settings of the command line and the environment
SAVED_SETTINGS=(TARGETS GATEWAYS ETCD MOUNTPATHS PORT MOUNT BUILD)
COMMAND='' FORCE=no YES=no

parse_arguments() {
  local name
  for name in TARGETS GATEWAYS ETCD MOUNTPATHS PORT DATA MOUNT BUILD NO_MOUNT; do
    local variable=PLAYGROUND_$name
    [[ -z ${!variable:-} ]] || GIVEN[$name]=${!variable}
  done
  while (($# > 0)); do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --no-mount) GIVEN[NO_MOUNT]=1 ;;
      --force) FORCE=yes ;;
      --yes) YES=yes ;;
      --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
      --*)
        [[ -n ${OPTION_SETTING[$1]:-} ]] || usage_error "unknown option: $1"
        (($# > 1)) || usage_error "$1 needs a value"
        GIVEN[${OPTION_SETTING[$1]}]=$2
        shift
        ;;
      *)
        [[ -z $COMMAND ]] || usage_error "one command at a time, not also: $1"
        COMMAND=$1
        ;;
    esac
    shift
  done
  [[ $COMMAND =~ ^(up|down|status|wipe|env)$ ]] ||
    usage_error "${COMMAND:+unknown command: $COMMAND; }give one of up, down, status, env, wipe"
}

# Sets TARGETS, GATEWAYS, ETCD, MOUNTPATHS, PORT, DATA, MOUNT, BUILD, NO_MOUNT.
resolve_settings() {
  DATA=$(realpath -ms "${GIVEN[DATA]:-${HOME:-/root}/aisfs-playground}")
  TARGETS=3 GATEWAYS=1 ETCD=0 MOUNTPATHS=2 PORT=21080 MOUNT=$DATA/mnt BUILD=$REPO/build/release
  load_saved_settings
  local name
  for name in "${!GIVEN[@]}"; do printf -v "$name" '%s' "${GIVEN[$name]}"; done
  NO_MOUNT=${GIVEN[NO_MOUNT]:-}
  MOUNT=$(realpath -ms "$MOUNT") BUILD=$(realpath -ms "$BUILD")
  check_number --targets "$TARGETS" 1 64
  check_number --gateways "$GATEWAYS" 1 16
  [[ $ETCD =~ ^[0135]$ ]] || usage_error "--etcd must be 0, 1, 3 or 5, not \"$ETCD\""
  check_number --mountpaths "$MOUNTPATHS" 1 32
  check_number --port "$PORT" 1024 $((65536 - 4 * (TARGETS + GATEWAYS) - 2 * ETCD))
  [[ $DATA != *[$'\n ,"#']* ]] || usage_error "--data must not contain blanks, commas, quotes or '#': $DATA"
}

check_number() {
  [[ $2 =~ ^[0-9]{1,6}$ ]] && ((10#$2 >= $3 && 10#$2 <= $4)) ||
    usage_error "$1 must be a number from $3 to $4, not \"$2\""
}

# Lines NAME=value, read as text: the file is never executed.
load_saved_settings() {
  local line name
  [[ -r $DATA/playground.conf ]] || return 0
  while read -r line; do
    name=${line%%=*}
    case " ${SAVED_SETTINGS[*]} " in
      *" $name "*) printf -v "$name" '%s' "${line#*=}" ;;
    esac
  done <"$DATA/playground.conf"
}

save_settings() {
  local name
  for name in "${SAVED_SETTINGS[@]}"; do printf '%s=%s\n' "$name" "${!name}"; done >"$DATA/playground.conf.new"
  mv "$DATA/playground.conf.new" "$DATA/playground.conf"
}

# A saved playground keeps its shape where changing it would lose data or strand a node; targets may be
# added (the ports of etcd members lie behind theirs).
check_shape() {
  [[ -r $DATA/playground.conf ]] || return 0
  local name saved
  for name in TARGETS GATEWAYS ETCD MOUNTPATHS PORT; do
    saved=$(sed -n "s/^$name=//p" "$DATA/playground.conf")
    [[ $name != ETCD ]] || saved=${saved:-0}  # older ones had none
    if [[ $name == TARGETS && -n $saved ]] && ((ETCD == 0 && TARGETS > saved)); then continue; fi
    [[ -z $saved || $saved == "${!name}" ]] ||
      die "the playground in $DATA has ${name,,} $saved, not ${!name}" \
        "leave the option out, or use another --data, or deploy/playground wipe --data $DATA"
  done
}
