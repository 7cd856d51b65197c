#!/usr/bin/env bash
# scripts/fuzz.sh TIME [PACKAGE...]
# Runs every fuzz target of the packages (all unless told), each for TIME. Go
# writes an input that fails below the package's testdata: commit it as a test.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh TIME [PACKAGE...]}
shift
[ $# -gt 0 ] || set -- ./...

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz TARGET DIR: once more when the go command stumbles over its own deadline
# on a busy machine: it then says so and names no input that fails.
fuzz() {
	for _ in 1 2 3; do
		go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel "$(nproc)" "$2" 2>&1 | tee "$log" && return 0
		grep -q '^ *context deadline exceeded$' "$log" || return 1
		! grep -q 'Failing input written to' "$log" || return 1
	done
	return 1
}

mapfile -t packages < <(go list -f '{{.Dir}}' "$@")
passed=0 failed=0
for dir in "${packages[@]}"; do
	mapfile -t targets < <(cat "$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p')
	for target in "${targets[@]}"; do
		echo "--- $target (${dir#"$PWD"/})"
		if fuzz "$target" "$dir"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
done
echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" = 0 ]
