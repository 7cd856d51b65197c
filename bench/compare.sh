#!/usr/bin/env bash
# bench/compare.sh [OUT]
# What `make bench` runs: odin with two workers beside the floor of this machine,
# paced, then the memory of idle sessions; prints the tables. The runs' lines of
# JSON go to OUT (a new file outside of the tree unless told).
# Environment: ROUNDS (3), SECS (10), IDLE (10000), ODIND (bin/odind).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/apt.sh jq bc python3 util-linux
tools=$(bench/build.sh)
out=$(realpath -m "${1:-$(mktemp -d)/bench.jsonl}")
ODIND=$(realpath "${ODIND:-bin/odind}")
export ODIND

"$tools/matrix.sh" "$out" "paced, 50 records/s to 1,000 sessions" "${ROUNDS:-3}" 1000 200 50 "${SECS:-10}" limit limit2-batch odin
"$tools/matrix.sh" "$out" "idle memory" 1 "${IDLE:-10000}" 200 1 5 limit odin

python3 "$tools/report.py" "$out"
echo
echo "runs: $out"
if grep ' failed$' "$out.err"; then
	cat "$out.err" >&2
	exit 1
fi
