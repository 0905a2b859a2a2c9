#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# AIStore's own Python SDK, unmodified. It is in no Debian package: AISTORE_PYTHON names the python of an
# environment that has it (pip install aistore); without it this test says so and proves nothing.
# usage: aistore_sdk.sh BUILD
set -euo pipefail
. "$(dirname "$0")/lib.sh"
python=${AISTORE_PYTHON:-python3}
if ! "$python" -c 'import aistore' 2>/dev/null; then
  echo "skipped: $python has no package aistore; set AISTORE_PYTHON to one that has"
  exit 77
fi
start_playground "$1" --no-mount
mkdir "$WORK/sdk"
"$python" "$REPO/tests/clients/aistore_steps.py" "$WORK/sdk"
echo "every step of the SDK passed"
