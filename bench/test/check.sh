#!/usr/bin/env bash
# bench/test/check.sh
# Are the tools of the benchmark right, and does a short run of odin lose
# nothing? Says nothing about speed. Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/apt.sh jq bc python3 util-linux
tools=$(bench/build.sh)
python3 "$tools/test/torture.py"

ODIND=$PWD/bin/odind
export ODIND
run=$("$tools/run.sh" odin 300 200 50 3)
echo "$run"
jq -e '.opened == 300 and .missing == 0 and .gaps == 0 and .dups == 0 and .reorders == 0 and .closed == 0
	and .proto_errors == 0 and .published.published > 150' <<<"$run" >/dev/null || {
	echo "check.sh: records are missing, or connections were lost" >&2
	exit 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
scrape=$(bench/scrape.sh 20)
echo "$scrape"
jq -e '.scrapes == 20 and .series > 4000' <<<"$scrape" >/dev/null || { echo "check.sh: no scrape of 16 workers" >&2; exit 1; }
drain=$(bench/drain.sh 300 3)
echo "$drain"
jq -e '.closed_with_window == 300 and .otherwise == 0' <<<"$drain" >/dev/null || { echo "check.sh: a drain did not tell every client when to come back" >&2; exit 1; }
ROUNDS=2 SECS=1 PROFILE=2 bench/statistics.sh >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
grep -E "in the loop's turns: .* of .* total" "$log" || { echo "check.sh: no profile in: $(<"$log")" >&2; exit 1; }
