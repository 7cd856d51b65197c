#!/usr/bin/env bash
# test/browser/run.sh [DIR]
# Starts `odind demo` on free ports, looks at its page in Chromium, and writes
# what it saw to DIR (a temporary one unless told). Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t tools < <(scripts/tools.sh chromium playwright-core)
[ ${#tools[@]} = 2 ]
bench=$(bench/build.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seen=${1:-$(mktemp -d)}
mkdir -p "$seen"

CHROMIUM=${tools[0]} PLAYWRIGHT=${tools[1]} FANPUB=$bench/fanpub.bin ODIND=$PWD/bin/odind SEEN=$seen WORK=$work \
	timeout -k 10 300 node --test --test-reporter=tap test/browser/page.test.mjs >"$work/tap" && failed=0 || failed=$?
sed 's/^# Subtest.*//; /^$/d' "$work/tap"
sed -n 's/^# pass //p; s/^# fail //p' "$work/tap" | paste -sd ' ' | sed 's/\([0-9]*\) \([0-9]*\)/\1 passed, \2 failed/'
echo "screenshots: $seen"
exit "$failed"
