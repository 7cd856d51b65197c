#!/usr/bin/env bash
# scripts/k6/run.sh [SCENARIO...]
# Loads an odind with k6 and checks all that its clients hear: that positions rise,
# that what is dropped is told, that each request has its answer, that nobody is
# closed. Any fault fails the run; times are shown and fail nothing. Scenarios:
#   ramp    all sessions come within the ramp, and stay
#   fanout  all sessions hear the same records
#   slow    some sessions read too slowly, beside the others
#   churn   all sessions change their subscriptions all the time
# All of them unless some are named. From the environment:
#   ODIN_LOAD_URL           ws://HOST:PORT/ws of a running odind; without it each
#                           scenario starts bin/odind as a demo of its own
#   ODIN_LOAD_SESSIONS      sessions (500); k6 takes some 100 KiB for each
#   ODIN_LOAD_SLOW          slow sessions of slow (a tenth, at least 3); beside a demo of
#                           its own there are a 25th of the others, since records are many
#   ODIN_LOAD_SECONDS       how long each session stays (20)
#   ODIN_LOAD_RAMP_SECONDS  over which they come (5)
#   ODIN_LOAD_CHANNELS      channels or patterns, with commas (*.trade): the sessions
#                           take turns
#   ODIN_LOAD_EXACT         1: each offset of these channels' topics is a record of
#                           theirs (no transactions, no compaction, no other routes),
#                           so that one which doesn't come is missed; always so for a
#                           demo of its own
#   ODIN_LOAD_RATE          events a second of a demo of its own, and
#   ODIN_LOAD_WORKERS       its workers (2)
#   ODIN_LOAD_PATIENCE_SECONDS  how long answers may take in all (60)
#   K6_LOCAL_IPS            addresses to connect from, such as 127.0.0.2-127.0.0.9
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; }

# rate SCENARIO: what a demo of its own produces, a third of it trades.
rate() {
	case $1 in
	ramp) echo 30 ;;
	fanout | churn) echo 30 ;;
	slow) echo 2000 ;;
	esac
}

# beside_demo SCENARIO: once more, with a demo's address.
beside_demo() {
	local config=() slow=$(((${ODIN_LOAD_SESSIONS:-500} + 9) / 10)) channels=${ODIN_LOAD_CHANNELS:-'*.trade'} sessions=${ODIN_LOAD_SESSIONS:-500}
	if [ "$1" = slow ]; then
		config=(--config scripts/k6/slow.yaml)
		channels='*.trade,*.liquidity,*.analytics'
		sessions=$(((sessions + 24) / 25)) # at such a rate, a crowd would keep k6 itself from reading
	fi
	# shellcheck disable=SC2016 # with-demo.sh's variable
	ODIN_LOAD_EXACT=1 ODIN_LOAD_CHANNELS=$channels ODIN_LOAD_SESSIONS=$sessions ODIN_LOAD_SLOW=${ODIN_LOAD_SLOW:-$slow} \
		scripts/with-demo.sh --workers "${ODIN_LOAD_WORKERS:-2}" --rate "${ODIN_LOAD_RATE:-$(rate "$1")}" "${config[@]}" -- \
		bash -c 'ODIN_LOAD_URL=$ODIN_DEMO_WS exec "$@"' k6 "${k6[@]}" "scripts/k6/$1.js"
}

case ${1:-} in
-h | --help)
	usage
	exit 0
	;;
esac
[ $# -gt 0 ] || set -- ramp fanout slow churn
for scenario; do
	[ -f "scripts/k6/$scenario.js" ] || { echo "run.sh: no scenario $scenario: there are ramp, fanout, slow, churn" >&2; exit 2; }
done
k6=("$(scripts/tools.sh k6)" run --no-usage-report --no-color --quiet --address '' --summary-trend-stats 'med,p(90),p(99),max')

failed=0
for scenario; do
	echo "=== $scenario"
	if [ -n "${ODIN_LOAD_URL:-}" ]; then
		"${k6[@]}" "scripts/k6/$scenario.js" || failed=1
	else
		beside_demo "$scenario" || failed=1
	fi
done
exit "$failed"
