#!/usr/bin/env bash
# bench/takeover.sh [ROUNDS]
# From the death of a partition's owner (kill -9, three workers, records coming
# in all the while) to the next record of its partitions at a client of another
# worker: the slowest partition of each of three kills a round.
set -euo pipefail
cd "$(dirname "$0")/.."
go test ./test/e2e -run '^TestKillWorkers$' -count "${1:-10}" -v |
	sed -n 's/.*the last of them was delivered from after //p' |
	awk '{ if (sub(/ms$/, "")) ms = $0; else if (sub(/µs$/, "")) ms = $0 / 1000; else { sub(/s$/, ""); ms = $0 * 1000 } print ms }' |
	sort -n | awk '{ a[NR] = $1 } END { printf "%d kills: p50 %d ms, p99 %d ms, max %d ms\n", NR, a[int((NR + 1) / 2)], a[int(NR * 0.99 + 0.999)], a[NR] }'
