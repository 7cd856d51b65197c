#!/usr/bin/env bash
# scripts/fuzz.sh TIME [PACKAGE...]
# Runs every fuzz target of the packages (all unless told), each for TIME. Go
# writes an input that fails below the package's testdata: commit it as a test.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh TIME [PACKAGE...]}
shift
[ $# -gt 0 ] || set -- ./...

mapfile -t packages < <(go list -f '{{.Dir}}' "$@")
passed=0 failed=0
for dir in "${packages[@]}"; do
	mapfile -t targets < <(cat "$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p')
	for target in "${targets[@]}"; do
		echo "--- $target (${dir#"$PWD"/})"
		if go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel "$(nproc)" "$dir"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
done
echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" = 0 ]
