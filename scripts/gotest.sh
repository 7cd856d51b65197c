#!/usr/bin/env bash
# scripts/gotest.sh [FLAG...] PACKAGE...
# Gets the modules and runs `go test`. A test that skips itself fails the run:
# what can't be tested here has to be said, not passed over.
set -euo pipefail
cd "$(dirname "$0")/.."

go mod download
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go test -v "$@" 2>&1 | tee "$log" | sed -u '/^=== \(RUN\|PAUSE\|CONT\|NAME\)/d; /^ *--- PASS/d; /^PASS$/d; /\[no test files\]$/d' && failed=0 || failed=$?

count() { grep -c "^ *--- $1:" "$log" || true; }
echo "$(count PASS) passed, $(count FAIL) failed, $(count SKIP) skipped"
if [ "$(count SKIP)" -gt 0 ]; then
	echo "gotest.sh: a test skipped itself:" >&2
	grep "^ *--- SKIP:" "$log" >&2
	exit 1
fi
exit "$failed"
