#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lints the scripts of the project. Parts are sourced by names made at run time (SC1090).
set -euo pipefail
cd "$1"
shellcheck -x -S warning -e SC1090,SC1091 deploy/playground deploy/install-packages deploy/lib/*.sh deploy/lib/without-service \
  deploy/lib/playground/*.sh tests/run .ci/run tests/arch/*.sh tests/suites/*
