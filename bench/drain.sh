#!/usr/bin/env bash
# bench/drain.sh [SESSIONS] [SECONDS]
# How evenly does a drain close? `odind demo` with two workers, SESSIONS clients
# (10,000) from several loopback addresses that hear a record a second, then
# `odinctl drain` over SECONDS (60). Prints one line of JSON: the closes of each
# second and each tenth of one as the clients see them, the first and the last
# second left out. ODIND and ODINCTL name the binaries (bin/odind, bin/odinctl).
set -euo pipefail
# One at a time: the ports are the same ones for all.
[ -n "${BENCH_LOCKED:-}" ] || exec env BENCH_LOCKED=1 flock "${BENCH_LOCK:-${TMPDIR:-/tmp}/fanbench.lock}" "$0" "$@"
cd "$(dirname "$0")/.."
scripts/apt.sh python3
work=$(mktemp -d)
pid=
trap 'kill $pid 2>/dev/null || true; wait; rm -rf "$work"' EXIT

"${ODIND:-bin/odind}" demo --workers 2 --rate 3 --listen 127.0.0.1:18000 --operator-listen 127.0.0.1:18001 \
	--broker-listen 127.0.0.1:0 --runtime-dir "$work/odin" >"$work/ready" 2>"$work/log" &
pid=$!
for _ in $(seq 600); do
	[ -s "$work/ready" ] && break
	kill -0 "$pid" || { tail "$work/log" >&2; exit 1; }
	sleep 0.1
done
[ -s "$work/ready" ] || { echo "drain.sh: not ready within a minute" >&2; exit 1; }
python3 bench/leavers.py 127.0.0.1 18000 "${1:-10000}" "${2:-60}" \
	"${ODINCTL:-bin/odinctl}" --runtime-dir "$work/odin" --json drain --over "${2:-60}s"
