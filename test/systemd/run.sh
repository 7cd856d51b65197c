#!/usr/bin/env bash
# test/systemd/run.sh
# Odin under a real systemd: all checks, then an operator's first day. Needs root.
set -euo pipefail
here=$(dirname "$0")
. "$here/machine.sh"
machine_files
failed=0
"$here/checks.sh" || failed=1
"$here/firstday.sh" || failed=1
exit "$failed"
