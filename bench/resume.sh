#!/usr/bin/env bash
# bench/resume.sh
# 10,000 sessions come back at once, each having missed some 50 records, while 20
# a second come for each of them and for 1,000 that stayed: first from memory,
# then from the log (ONLY=memory, ONLY=log). Then what a replayed record costs in
# CPU, beside one that is delivered live at saturation (ONLY=cpu). On a machine that
# has other things to do: chrt -r 1 bench/resume.sh. A line of JSON
# for each run, and one that holds it to the aims, ROUNDS times (3). Fails where a record is
# missing or a session is not recovered, never for being slow. Needs bin/odind; ODIND names another.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/apt.sh jq
tools=$(bench/build.sh)
export ODIND=${ODIND:-$PWD/bin/odind} INFLIGHT=${INFLIGHT:-1000}
leavers=${LEAVERS:-10000}
stayers=$((leavers / 10))

# held says whether what was seen is what is aimed at; whole whether nothing was lost.
held='def short: . * 1000 | round / 1000;
	def held(seen; most; unit): "\(seen | short)\(unit) (aim: \(if most > 0 then "≤ " else "" end)\(most), \(if seen <= most then "met" else "missed" end))";
	def whole: .missing == 0 and .gaps == 0 and .dups == 0;'

# come_back NAME: 20 channels with 20 records a second each, one for a session.
come_back() {
	local seen
	seen=$(MIX="-leavers $leavers -channels 20 -each 1 -away 2500ms" "$tools/run.sh" odin $((leavers + stayers)) 200 400 "${SECS:-5}" |
		jq -c --arg name "$1" '{case: $name, missing, gaps, dups, closed, foreign_cores} + .resume')
	echo "$seen"
	jq -r --argjson partitions "${PARTITIONS:-12}" "$held"'"\(.case): \(.leavers) sessions, \(.missed | round) records missed by each; all live again after \(held(.all_live_s; 5; " s"))"
		+ ", p99 of those who stayed \(held(.stayers_lat_us.p99_ratio; 3; " × before"))"
		+ ", ranges read from the log \(held(.counters.odin_past_reads_total; $partitions; ""))"
		+ ", not recovered \(held(.counters.odin_resumes_failed_total; 0; "")), missing \(held(.missing; 0; "")), twice \(held(.dups; 0; "")), out of order \(held(.gaps; 0; ""))"' <<<"$seen"
	jq -e "$held"'whole and .counters.odin_resumes_failed_total == 0' <<<"$seen" >/dev/null || { echo "resume.sh: $1: something is lost" >&2; exit 1; }
}

# cost: the sessions of one channel miss some thousands, and come back while nothing is published.
cost() {
	local replay live sessions=$((leavers / 10))
	replay=$(MIX="-leavers $sessions -channels 1 -each 1 -away 4s -pause" "$tools/run.sh" odin "$sessions" 200 1000 3 |
		jq -c '{case: "replay", missing, gaps, dups, closed} + (.resume | {missed, server_cpu_s, server_cpu_empty_s, server_us_per_record})')
	live=$("$tools/run.sh" odin "$sessions" 200 sat "${SECS:-5}" |
		jq -c '{case: "live", missing, server_us_per_record: .server_us_per_delivery, server_cores, foreign_cores}')
	printf '%s\n' "$replay" "$live"
	jq -rs "$held"'.[0].server_us_per_record as $replay | .[1].server_us_per_record as $live
		| "cpu: a replayed record \($replay | short) µs, one delivered live at saturation \($live | short) µs: \(held($replay / ([$live, 0.001] | max); 1; " of it"))"' <<<"$replay$live"
	jq -es "$held"'(.[0] | whole) and .[1].missing == 0' <<<"$replay$live" >/dev/null || { echo "resume.sh: cpu: something is lost" >&2; exit 1; }
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
