#!/bin/bash
# run.sh PEER N SIZE RATE SECS
#
# Starts the server PEER, opens N WebSocket connections to it that all hear
# one channel, publishes messages of SIZE bytes at RATE a second for SECS
# seconds, and prints one line of JSON: fanload's figures, the publisher's,
# and what was lost. RATE "sat" runs a closed loop (WINDOW messages in flight,
# 32 unless told) to find the most that the server carries.
#
# MIX="OPTION..." has fanmix load the server in the place of fanload and fanpub.
# STORM=N opens N further connections, again and again while the window lasts.
# FRAME=TEMPLATE is what fanpub publishes, in the place of its own.
# PROFILES=DIR keeps CPU profiles of odin's workers, taken within the window.
#
# The peers are described in peers.sh beside this script (PEERS names another
# file). Environment: CHANNELS, WARMUP, BURST, WINDOW, NAP, INFLIGHT, RT, DEBUG,
# RUN_MAX (seconds until it gives up).
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BENCH_LOCKED:-}" ]; then
	exec env BENCH_LOCKED=1 flock "${BENCH_LOCK:-${TMPDIR:-/tmp}/fanbench.lock}" timeout -k 5 "${RUN_MAX:-100}" "$0" "$@"
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
# /readyz has to say 200); for fanmix mix (its options); for a storm quiet
# (fanload's options, to hear nothing) and storm_url, unless it is url; hearing is 0 if load hears nothing
# either. What it starts itself goes into pids.
server=() ports=() url='' load=() pub=() ready='' mix=() quiet=() storm_url='' hearing=1
# shellcheck source=bench/peers.sh
. "${PEERS:-$here/peers.sh}"
describe "$peer" || { echo "run.sh: no such peer: $peer" >&2; exit 2; }

# What listens there already would be measured instead.
for port in "${ports[@]}"; do
	! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "run.sh: another process listens on port $port (ss -ltnp shows which): stop it" >&2; exit 1; }
done

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

# await_ready PID: until the client says that all connections are open.
await_ready() {
	while [ ! -e "$work/ready" ]; do
		kill -0 "$1" 2>/dev/null || { cat "$work/load.log" >&2; tail "$work/server.log" >&2; exit 1; }
		sleep 0.02
	done
}

# What goes on beside the window, once it has begun.
storm() {
	until [ -e "$work/over" ]; do
		"$here/fanload" -u "${storm_url:-$url}" -n "$STORM" -i 256 --settle 0 -w 0 -d 0.01 --drain 0 "${quiet[@]}" >>"$work/storm" 2>>"$work/load.log"
	done
}
profile() {
	local worker taking=()
	mkdir -p "$PROFILES"
	for worker in $(seq 0 $((${ODIN_BENCH_WORKERS:-2} - 1))); do
		"${ODINCTL:-${ODIND%/*}/odinctl}" --runtime-dir "$work/odin" pprof cpu --process "$worker" --seconds "$secs" --output "$PROFILES/cpu$worker" >&2 &
		taking+=("$!")
	done
	wait "${taking[@]}"
}
beside() {
	sleep "$warm"
	[ -z "${STORM:-}" ] || storm
	[ -z "${PROFILES:-}" ] || profile
}

# say_owed: every connection of a channel has to hear all that was published in it.
say_owed() {
	local published
	published=$(sed -nE 's/.*"published":([0-9]+).*/\1/p' "$work/pub.json")
	echo "$((hearing * ${published:-0} * n / chans))" >"$work/owed.partial"
	mv "$work/owed.partial" "$work/owed"
}

load_neutral() {
	"${rt[@]}" "$here/fanload" -u "$url" -n "$n" -C "$chans" -w "$warm" -d "$secs" -p "$spid" -i "${INFLIGHT:-64}" \
		--owed "$work/owed" --drain 40 --nap "${NAP:-0}" --ready "$work/ready" --progress "$work/progress" --tag "$peer" "${load[@]}" \
		>"$work/load.json" 2>"$work/load.log" &
	lpid=$!
	pids+=("$lpid")
	await_ready "$lpid"
	beside &
	bpid=$!
	[ -z "${FRAME:-}" ] || pub+=(--template "$FRAME")
	loop=(--rate "$rate" --burst "${BURST:-1}")
	[ "$rate" = sat ] && loop=(--rate 0 --window "${WINDOW:-32}" --progress "$work/progress")
	"${rt[@]}" "$here/fanpub.bin" "${pub[@]}" "${loop[@]}" --channels "$chans" --size "$size" \
		--duration "$(echo "$warm + $secs + 0.3" | bc)s" >"$work/pub.json" 2>"$work/pub.log"
	touch "$work/over"
	say_owed
	wait "$lpid"
	wait "$bpid"
	cat "$work/load.log" "$work/pub.log" >&2
}

load_mixed() {
	# shellcheck disable=SC2086 # several options
	"${rt[@]}" "$here/fanmix.bin" "${mix[@]}" -pid "$spid" -sessions "$n" -size "$size" -rate "$rate" -inflight "${INFLIGHT:-64}" \
		-warmup "${warm}s" -duration "${secs}s" -ready "$work/ready" $MIX >"$work/load.json" 2>"$work/load.log" &
	lpid=$!
	pids+=("$lpid")
	await_ready "$lpid"
	warm=0 beside &
	bpid=$!
	wait "$lpid"
	code=$?
	touch "$work/over"
	wait "$bpid"
	cat "$work/load.log" >&2
}

code=0
if [ -n "${MIX:-}" ]; then load_mixed; else load_neutral; fi
python3 - "$work" "$peer" "$n" "$size" "$rate" "$chans" "$hearing" "$code" <<'PY'
import json, os, sys
w, peer, n, size, rate, chans, hearing, code = sys.argv[1:]
load = json.load(open(w + "/load.json"))
out = {"peer": peer, "n": int(n), "size": int(size), "rate": rate}
out.update((k, v) for k, v in load.items() if k != "tag")
if os.path.exists(w + "/pub.json"):
    try:
        pub = json.load(open(w + "/pub.json"))
    except ValueError:
        pub = {"published": 0, "failed": True}
    out["published"] = pub
    # CPU that is none of ours: above 0.1 or so, another job disturbed the run.
    win = load["window_s"]
    out["foreign_cores"] = round(load["machine_busy_pct"] / 100 * os.cpu_count() - load["client_cpu_s"] / win
                                 - load.get("server_cores", 0) - pub.get("cpu_s", 0) / pub.get("seconds", 1), 3)
    # Everything published has to reach every connection of its channel.
    out["missing"] = int(hearing) * pub["published"] * int(n) // int(chans) - load["total_deliveries"]
if os.path.exists(w + "/storm"):
    storms = [json.loads(line) for line in open(w + "/storm")]
    out["storm"] = {"storms": len(storms), "opened": sum(s["opened"] for s in storms), "failed": sum(s["failed"] for s in storms)}
print(json.dumps(out))
sys.exit(int(code))
PY
