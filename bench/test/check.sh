#!/usr/bin/env bash
# bench/test/check.sh
# Are the tools of the benchmark right, and does a short run of every case lose,
# misorder or silently drop nothing? Says nothing about speed. Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/apt.sh jq bc python3 util-linux
tools=$(bench/build.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BENCH_LOCK=${BENCH_LOCK:-${TMPDIR:-/tmp}/fanbench.lock} TMPDIR=$work

fail() {
	echo "check.sh: $1" >&2
	exit 1
}

python3 "$tools/test/torture.py"
(cd bench/fanmix && GOFLAGS=-mod=readonly go vet . && GOFLAGS=-mod=readonly go test .)
PYTHONDONTWRITEBYTECODE=1 python3 bench/suite/test_suite.py

# The page's tables and plots are those of the results beside it.
if [ -e docs/bench/results.jsonl ]; then
	cp docs/BENCHMARKS.md "$work/"
	bench/bench.sh --render docs/bench/results.jsonl --page "$work/BENCHMARKS.md" >/dev/null
	{ diff -r docs/bench "$work/bench" && diff docs/BENCHMARKS.md "$work/BENCHMARKS.md"; } ||
		fail "docs/BENCHMARKS.md is not what its results say: bench/bench.sh --render docs/bench/results.jsonl"
fi

QUICK=1 make bench

export ODIND=$PWD/bin/odind
scrape=$(bench/scrape.sh 20)
echo "$scrape"
jq -e '.scrapes == 20 and .series > 4000' <<<"$scrape" >/dev/null || fail "no scrape of 16 workers"
drain=$(bench/drain.sh 300 3)
echo "$drain"
jq -e '.closed_with_window == 300 and .otherwise == 0' <<<"$drain" >/dev/null || fail "a drain did not tell every client when to come back"
LEAVERS=200 ROUNDS=1 SECS=1 bench/resume.sh >"$work/log" || fail "sessions that come back lose something: $(<"$work/log")"
grep aim: "$work/log"
for what in memory log; do
	grep -qE "^$what: 200 sessions, .* s \(aim: .* before \(aim: .* log [0-9]+ \(aim: ≤ 12, .* not recovered 0 \(aim: 0, met\)" "$work/log" || fail "no aims of $what in: $(<"$work/log")"
done
grep -qE "^cpu: .* of it \(aim: ≤ 1, " "$work/log" || fail "no aim of a replayed record's cost in: $(<"$work/log")"
bench/takeover.sh 1 >"$work/log" || fail "an owner's death loses something: $(<"$work/log")"
cat "$work/log"
for what in "killed: 3 owners" "frozen: 2 owners"; do
	grep -qE "^$what, p50 [0-9]+ ms, p99 [0-9]+ ms, max [0-9]+ ms; aim: p99 < [13]000 ms, (met|missed)\$" "$work/log" || fail "no \"$what\" in: $(<"$work/log")"
done
ROUNDS=2 SECS=1 PROFILE=2 bench/statistics.sh >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
grep -E "in the loop's turns: .* of .* total" "$work/log" || fail "no profile in: $(<"$work/log")"
