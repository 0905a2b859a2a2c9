# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Configures and builds into a folder. Needs lib/ui.sh, REPO.

# must_build BUILD PROGRAM...: whether a compiler is needed at all. Programs in a folder that is
# not ours to write are taken as they are.
must_build() {
  local build=$1 program
  shift
  [[ ! -e $build || -w $build ]] || return 1
  for program in "$@"; do
    [[ -x $build/bin/$program ]] || return 0
  done
  [[ -e $build/build.ninja ]]
}

# build_programs BUILD LOGS TARGET...
build_programs() {
  local build=$1 logs=$2
  shift 2
  if ! must_build "$build" "$@"; then
    say "  programs: taken from $build/bin"
    return 0
  fi
  configure_build "$build" "$logs" RelWithDebInfo
  run_step "building $*" "$logs/build.log" ninja -C "$build" "$@" ||
    die "the build failed" "see the output above"
}

# configure_build BUILD LOGS TYPE [CMAKE_OPTION...]
configure_build() {
  local build=$1 logs=$2 type=$3
  shift 3
  [[ ! -e $build/build.ninja ]] || return 0
  run_step "configuring $build" "$logs/configure.log" cmake -S "$REPO" -B "$build" -G Ninja \
    -DCMAKE_BUILD_TYPE="$type" -DCMAKE_CXX_COMPILER=clang++-19 "$@" ||
    die "cmake failed" "see the output above"
}
