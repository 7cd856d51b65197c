#!/usr/bin/env bash
# bench/bench.sh [OPTION...]
# What `make bench` runs: all cases of bench/suite/cases.py, round after round
# beside the floors of this machine, and then the tables and plots of
# docs/BENCHMARKS.md. Some 40 minutes. Results go to OUT as they come (a new
# directory outside of the tree unless told): cut off, it goes on when it is
# started with the same OUT; --render OUT/results.jsonl writes the page from what
# is there. Environment, all optional:
#   ROUNDS=5       interleaved rounds
#   ONLY=a,b-      these cases alone, b- standing for all that begin so
#   SECS=n         no window is longer
#   MINUTES=n      begin no run that would end later; what there is is written
#   BENCH_PEERS=nats-server  further servers beside Odin; empty: none
#   RETRIES=15     how many disturbed runs are done again, in all
#   QUICK=1        tiny sizes: is anything lost? What is written is a copy of the page
#   OUT=DIR        where results are kept; what is there already is not run again
#   ODIND=bin/odind
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/apt.sh jq bc python3 util-linux
tools=$(bench/build.sh)
out=$(realpath -m "${OUT:-$(mktemp -d)}")
odind=$(realpath "${ODIND:-bin/odind}")
mkdir -p "$out"

# A few runs of some cases say nothing of the page.
page=docs/BENCHMARKS.md
if [ -n "${QUICK:-}${ONLY:-}${SECS:-}" ]; then
	cp "$page" "$out/"
	page=$out/BENCHMARKS.md
fi
export BENCH_PEERS=${BENCH_PEERS-nats-server}
if [[ ",$BENCH_PEERS," == *,nats-server,* ]]; then
	NATS_SERVER=$(scripts/tools.sh nats-server)
	export NATS_SERVER
fi
echo "bench: results in $out"
PYTHONDONTWRITEBYTECODE=1 python3 bench/suite/main.py --tools "$tools" --odind "$odind" --out "$out" --page "$page" "$@" || failed=$?
[ "$page" = docs/BENCHMARKS.md ] || echo "bench: the page with these figures: $page"
exit "${failed:-0}"
