#!/usr/bin/env bash
# bench/resume.sh
# 10,000 sessions come back at once, each having missed some 50 records, while 20
# a second come for each of them and for 1,000 that stayed: first from memory,
# then from the log (ONLY=memory, ONLY=log). Then what a replayed record costs in
# CPU, beside one that is delivered live at saturation (ONLY=cpu). On a machine that
# has other things to do: chrt -r 1 bench/resume.sh. A line of JSON
# for each run, ROUNDS times (3). Needs bin/odind; ODIND names another.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/apt.sh jq
tools=$(bench/build.sh)
export ODIND=${ODIND:-$PWD/bin/odind} INFLIGHT=${INFLIGHT:-1000}
leavers=${LEAVERS:-10000}
stayers=$((leavers / 10))

# come_back NAME: 20 channels with 20 records a second each, one for a session.
come_back() {
	MIX="-leavers $leavers -channels 20 -each 1 -away 2500ms" "$tools/run.sh" odin $((leavers + stayers)) 200 400 "${SECS:-5}" |
		jq -c --arg name "$1" '{case: $name, missing, gaps, dups, closed, foreign_cores} + .resume'
}

# cost: the sessions of one channel miss some thousands, and come back while nothing is published.
cost() {
	MIX="-leavers 1000 -channels 1 -each 1 -away 4s -pause" "$tools/run.sh" odin 1000 200 1000 3 |
		jq -c '{case: "replay", missing, gaps, dups, closed} + (.resume | {missed, server_cpu_s, server_cpu_empty_s, server_us_per_record})'
	"$tools/run.sh" odin 1000 200 sat "${SECS:-5}" | jq -c '{case: "live", missing, server_us_per_record: .server_us_per_delivery, server_cores, foreign_cores}'
}

for _ in $(seq "${ROUNDS:-3}"); do
	for what in memory log cpu; do
		[ "${ONLY:-$what}" = "$what" ] || continue
		case $what in
		memory) come_back memory ;;
		log) ODIN_LIMITS_HISTORY_RECORDS_MAX=60 come_back log ;;
		cpu) cost ;;
		esac
	done
done
