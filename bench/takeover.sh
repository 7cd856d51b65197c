#!/usr/bin/env bash
# bench/takeover.sh [ROUNDS]
# From the death of a partition's owner to the next record of its partitions at a
# client of another worker, records coming in all the while: the slowest partition
# of each of three kills (kill -9) a round, and of two owners that are frozen
# (SIGSTOP) until the supervisor no longer trusts them.
set -euo pipefail
cd "$(dirname "$0")/.."
for test in TestKillWorkers TestFreeze; do
	go test ./test/e2e -run "^$test\$" -count "${1:-10}" -v |
		sed -n 's/.*the last of them was delivered from after //p' |
		awk '{ if (sub(/ms$/, "")) ms = $0; else if (sub(/µs$/, "")) ms = $0 / 1000; else { sub(/s$/, ""); ms = $0 * 1000 } print ms }' |
		sort -n | awk -v test="$test" '{ a[NR] = $1 } END { printf "%s, %d owners: p50 %d ms, p99 %d ms, max %d ms\n", test, NR, a[int((NR + 1) / 2)], a[int(NR * 0.99 + 0.999)], a[NR] }'
done
