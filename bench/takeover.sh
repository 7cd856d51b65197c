#!/usr/bin/env bash
# bench/takeover.sh [ROUNDS]
# From the death of a partition's owner to the next record of its partitions at a
# client of another worker, records coming in all the while: the slowest partition
# of each of three kills (kill -9) a round, and of two owners that are frozen
# (SIGSTOP) until the supervisor no longer trusts them. A line for either, with what
# is aimed at; 10 rounds unless told otherwise. Fails where a record is missing,
# never for being slow.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# measure WHAT TEST AIM_MS ROUNDS
measure() {
	go test ./test/e2e -run "^$2\$" -count "$4" -timeout 30m -v >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
	sed -n 's/.*the last of them was delivered from after //p' "$work/log" |
		awk '{ if (sub(/ms$/, "")) ms = $0; else if (sub(/µs$/, "")) ms = $0 / 1000; else { sub(/s$/, ""); ms = $0 * 1000 } print ms }' | sort -n |
		awk -v what="$1" -v aim="$3" '{ a[NR] = $1 } END {
			if (NR == 0) exit 1
			p99 = a[int(NR * 0.99 + 0.999)]
			printf "%s: %d owners, p50 %d ms, p99 %d ms, max %d ms; aim: p99 < %d ms, %s\n", what, NR, a[int((NR + 1) / 2)], p99, a[NR], aim, p99 < aim ? "met" : "missed"
		}' || { echo "takeover.sh: $2 tells of no owner" >&2; exit 1; }
}

measure killed TestKillWorkers 1000 "${1:-10}"
measure frozen TestFreeze 3000 "${1:-10}" # limits.heartbeat_suspect_ms and a second
