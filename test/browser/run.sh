#!/usr/bin/env bash
# test/browser/run.sh [DIR]
# Looks at the page in Chromium: at that of `odind demo` on free ports, and at
# one as large and as badly named as can be. Writes what it saw to DIR (a
# temporary one unless told). Needs bin/.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t tools < <(scripts/tools.sh chromium playwright-core)
[ ${#tools[@]} = 2 ]
bench=$(bench/build.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seen=${1:-$(mktemp -d)}
mkdir -p "$seen"
go build -o "$work/crowd" ./test/browser/crowd

failed=0
CHROMIUM=${tools[0]} PLAYWRIGHT=${tools[1]} FANPUB=$bench/fanpub.bin ODIND=$PWD/bin/odind CROWD=$work/crowd SEEN=$seen WORK=$work \
	timeout -k 10 480 node --test --test-concurrency=1 --test-reporter=tap test/browser/*.test.mjs >"$work/tap" || failed=$?
sed 's/^# Subtest.*//; /^$/d' "$work/tap"
sed -n 's/^# pass //p; s/^# fail //p' "$work/tap" | paste -sd ' ' | sed 's/\([0-9]*\) \([0-9]*\)/\1 passed, \2 failed/'
echo "screenshots: $seen"
exit "$failed"
