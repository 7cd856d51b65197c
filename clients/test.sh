#!/usr/bin/env bash
# clients/test.sh
# Both clients' tests, that for JavaScript in Node and in Chromium, beside real
# odinds; and the examples of their READMEs. Needs bin/.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t tools < <(scripts/tools.sh chromium playwright-core tsc)
[ ${#tools[@]} = 3 ]
bench=$(bench/build.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

scripts/gotest.sh ./clients/go || failed=1

# Node has a WebSocket of its own from 22 on, before behind a flag.
flags=()
node -e 'process.exit(typeof WebSocket === "function" ? 0 : 1)' || flags=(--experimental-websocket)
ODIN_BIN=$PWD/bin KFAKED=$bench/kfaked.bin CHROMIUM=${tools[0]} PLAYWRIGHT=${tools[1]} TSC=${tools[2]} HOME=$work GOPATH=$(go env GOPATH) GOCACHE=$(go env GOCACHE) \
	timeout -k 10 540 node "${flags[@]}" --test --test-concurrency=1 --test-reporter=tap clients/js/test/*.test.mjs >"$work/tap" || failed=1
sed 's/^# Subtest.*//; /^$/d' "$work/tap"
sed -n 's/^# pass //p; s/^# fail //p' "$work/tap" | paste -sd ' ' | sed 's/\([0-9]*\) \([0-9]*\)/\1 passed, \2 failed/'
exit "$failed"
