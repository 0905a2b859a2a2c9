# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Which packages of deploy/packages.txt are missing, and their installation. Needs lib/ui.sh.

DEPLOY=$(dirname "${BASH_SOURCE[0]}")/..
PACKAGES_FILE=$DEPLOY/packages.txt

# packages_of GROUP...: the packages of these groups, one a line.
packages_of() {
  local line group='' wanted=" $* "
  while read -r line; do
    case $line in
      '# group: '*) group=${line#'# group: '} ;;
      '' | '#'*) ;;
      *) [[ $wanted != *" $group "* ]] || printf '%s\n' "$line" ;;
    esac
  done <"$PACKAGES_FILE"
}

# missing_packages GROUP...: those that are not installed, one a line.
missing_packages() {
  local wanted
  mapfile -t wanted < <(packages_of "$@")
  # It fails when it has never heard of one.
  { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
    sed -n 's/^ii  *//p' | sort -u |
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) -
}

is_debian_12() {
  [[ -r /etc/os-release ]] && (
    . /etc/os-release
    [[ ${ID:-} == debian && ${VERSION_ID:-} == 12 ]]
  )
}

# Prints the command prefix that makes apt run as root; fails when there is no way.
root_prefix() {
  if ((EUID == 0)); then return 0; fi
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && echo 'sudo -n' && return 0
  command -v sudo >/dev/null && [[ -t 0 ]] && echo sudo
}

# install_packages LOG GROUP...: installs what is missing, or dies naming the remedy.
install_packages() {
  local log=$1 prefix missing by_root guard=()
  shift
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then return 0; fi
  is_debian_12 || die "this is not Debian 12, and these packages are missing: ${missing[*]}" \
    "use a Debian 12 machine, container or virtual machine"
  by_root="as root: $(realpath -s "$DEPLOY")/install-packages $*"
  prefix=$(root_prefix) ||
    die "packages are missing and only root can install them: ${missing[*]}" "$by_root"
  # shellcheck disable=SC2086 # the prefix is words or nothing; sudo asks before the log takes over
  [[ $prefix != sudo ]] || sudo -v || die "sudo refused" "$by_root"
  say "  missing packages: ${missing[*]}"
  # The service would take the ports of an etcd that somebody runs here, and be one that nobody wants.
  [[ " ${missing[*]} " != *" etcd-server "* ]] || guard=("$DEPLOY/lib/without-service" etcd)
  # shellcheck disable=SC2086
  run_step "package lists" "$log" $prefix apt-get -q update ||
    die "apt-get update failed" "check the network and /etc/apt/sources.list"
  # shellcheck disable=SC2086
  run_step "installing ${#missing[@]} packages" "$log" $prefix env DEBIAN_FRONTEND=noninteractive \
    "${guard[@]}" apt-get -q install -y --no-install-recommends "${missing[@]}" ||
    die "apt-get install failed" "see the output above"
}
