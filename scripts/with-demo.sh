#!/usr/bin/env bash
# scripts/with-demo.sh [FLAG...] -- COMMAND...
# Runs COMMAND beside `odind demo` on free ports, told to it by ODIN_DEMO_WS,
# ODIN_DEMO_OPERATOR, ODIN_DEMO_BROKER, ODIN_DEMO_RUNTIME; then stops the demo and
# fails unless it ends by itself with 0. Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/.."

flags=()
while [ "$1" != -- ]; do
	flags+=("$1")
	shift
done
shift
work=$(mktemp -d)
trap 'kill -KILL "$demo" 2>/dev/null || true; rm -rf "$work"' EXIT

bin/odind demo --listen 127.0.0.1:0 --operator-listen 127.0.0.1:0 --broker-listen 127.0.0.1:0 "${flags[@]}" \
	>"$work/ready" 2>"$work/log" &
demo=$!
complain() {
	echo "with-demo.sh: $1" >&2
	tail -n 40 "$work/log" >&2
	exit 1
}
for _ in $(seq 600); do
	[ -s "$work/ready" ] && break
	kill -0 "$demo" 2>/dev/null || complain "the demo ended before it was ready"
	sleep 0.1
done
[ -s "$work/ready" ] || complain "the demo wasn't ready within a minute"

value() { sed -n "1s/.* $1=\([^ ]*\).*/\1/p" "$work/ready"; }
ODIN_DEMO_WS=$(value ws) ODIN_DEMO_OPERATOR=$(value operator) ODIN_DEMO_BROKER=$(value broker) ODIN_DEMO_RUNTIME=$(value runtime) \
	"$@" || complain "failed: $*"

kill -TERM "$demo"
wait "$demo" || complain "the demo ended with $?"
