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

scripts/gotest.sh -timeout 5m ./clients/go || failed=1

# Go's caches stay where they are; all else finds a home of its own.
GOPATH=$(go env GOPATH) GOCACHE=$(go env GOCACHE)
export GOPATH GOCACHE
ODIN_BIN=$PWD/bin KFAKED=$bench/kfaked.bin CHROMIUM=${tools[0]} PLAYWRIGHT=${tools[1]} TSC=${tools[2]} HOME=$work \
	node clients/js/test/run.mjs clients/js/test/*.test.mjs || failed=1
exit "$failed"
