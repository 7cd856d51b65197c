#!/bin/bash
# run.sh PEER N SIZE RATE SECS
#
# Starts the server PEER, opens N WebSocket connections to it that all hear
# one channel, publishes messages of SIZE bytes at RATE a second for SECS
# seconds, and prints one line of JSON: fanload's figures, the publisher's,
# and what was lost. RATE "sat" runs a closed loop (WINDOW messages in flight,
# 32 unless told) to find the most that the server carries.
#
# The peers are described in peers.sh beside this script (PEERS names another
# file). Environment: CHANNELS, WARMUP, BURST, WINDOW, NAP, INFLIGHT, RT, DEBUG.
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BENCH_LOCKED:-}" ]; then
	exec env BENCH_LOCKED=1 flock "${BENCH_LOCK:-${TMPDIR:-/tmp}/fanbench.lock}" timeout -k 5 100 "$0" "$@"
fi
set -uo pipefail
peer=$1 n=$2 size=$3 rate=$4 secs=$5
warm=${WARMUP:-1}
chans=${CHANNELS:-1}
work=$(mktemp -d)
pids=()
cleanup() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null; done
	[ -n "${DEBUG:-}" ] && tail -n 20 "$work"/*.log >&2
	rm -rf "$work"
}
trap cleanup EXIT

# RT=1 runs everything at real-time priority, against builds and the like.
rt=()
[ -n "${RT:-}" ] && rt=(chrt -r 1)

# A peer's description sets: server (command), ports (to wait for), url,
# load (fanload's further options), pub (fanpub's) and ready (a port whose
# /readyz has to say 200); what it starts itself goes into pids.
server=() ports=() url='' load=() pub=() ready=''
# shellcheck source=bench/peers.sh
. "${PEERS:-$here/peers.sh}"
describe "$peer" || { echo "run.sh: no such peer: $peer" >&2; exit 2; }

# Started in its own directory, its output kept for DEBUG=1.
(cd "$work" && exec "${rt[@]}" "${server[@]}") >"$work/server.log" 2>&1 &
spid=$!
pids+=("$spid")
for port in "${ports[@]}"; do
	for _ in $(seq 200); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
		sleep 0.05
	done
	echo "run.sh: $peer doesn't listen on port $port" >&2
	tail -n 20 "$work/server.log" >&2
	exit 1
done
is_ready() {
	local line=
	exec 3<>"/dev/tcp/127.0.0.1/$ready" || return 1
	printf 'GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
	read -r line <&3
	exec 3>&-
	[[ $line == *" 200 "* ]]
}
if [ -n "$ready" ]; then
	for _ in $(seq 300); do
		is_ready 2>/dev/null && break
		sleep 0.1
	done
	is_ready || { echo "run.sh: $peer isn't ready after 30 s" >&2; tail -n 20 "$work/server.log" >&2; exit 1; }
fi
sleep "${SETTLE_IDLE:-0.5}"

"${rt[@]}" "$here/fanload" -u "$url" -n "$n" -C "$chans" -w "$warm" -d "$secs" -p "$spid" -i "${INFLIGHT:-64}" \
	--nap "${NAP:-0}" --ready "$work/ready" --progress "$work/progress" --tag "$peer" "${load[@]}" \
	>"$work/load.json" 2>"$work/load.log" &
lpid=$!
pids+=("$lpid")
while [ ! -e "$work/ready" ]; do
	kill -0 "$lpid" 2>/dev/null || { cat "$work/load.log" >&2; tail "$work/server.log" >&2; exit 1; }
	sleep 0.02
done
loop=(--rate "$rate" --burst "${BURST:-1}")
[ "$rate" = sat ] && loop=(--rate 0 --window "${WINDOW:-32}" --progress "$work/progress")
"${rt[@]}" "$here/fanpub.bin" "${pub[@]}" "${loop[@]}" --channels "$chans" --size "$size" \
	--duration "$(echo "$warm + $secs + 0.3" | bc)s" >"$work/pub.json" 2>"$work/pub.log"
wait "$lpid"
cat "$work/load.log" "$work/pub.log" >&2
python3 - "$work" "$peer" "$n" "$size" "$rate" "$chans" <<'PY'
import json, os, sys
w, peer, n, size, rate, chans = sys.argv[1:]
load = json.load(open(w + "/load.json"))
try:
    pub = json.load(open(w + "/pub.json"))
except ValueError:
    pub = {"published": 0, "failed": True}
out = {"peer": peer, "n": int(n), "size": int(size), "rate": rate}
out.update((k, v) for k, v in load.items() if k != "tag")
out["published"] = pub
# CPU that is none of ours: above 0.1 or so, another job disturbed the run.
win = load["window_s"]
out["foreign_cores"] = round(load["machine_busy_pct"] / 100 * os.cpu_count() - load["client_cpu_s"] / win
                             - load.get("server_cores", 0) - pub.get("cpu_s", 0) / pub.get("seconds", 1), 3)
# Everything published has to reach every connection of its channel.
out["missing"] = pub["published"] * int(n) // int(chans) - load["total_deliveries"]
print(json.dumps(out))
PY
