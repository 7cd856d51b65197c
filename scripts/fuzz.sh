#!/usr/bin/env bash
# scripts/fuzz.sh TIME [PACKAGE...]
# Runs every fuzz target of the packages (all unless told), each for TIME, in a
# copy of the tree: whatever runs beside it must not see the inputs that fail.
# They are shown, and kept in ODIN_CACHE/fuzz/failed; what has been mended is
# copied from there into the package's testdata/fuzz, and so becomes a test.
# scripts/corpus.py makes tests of inputs that didn't fail, but led further.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cache.sh
. scripts/cache.sh
time=${1:?usage: fuzz.sh TIME [PACKAGE...]}
shift
[ $# -gt 0 ] || set -- ./...
kept=$ODIN_CACHE/fuzz/failed

copy=$(realpath "$(mktemp -d)")
log=$(mktemp)
trap 'rm -rf "$copy" "$log"' EXIT
git ls-files -z --cached --others --exclude-standard |
	{ xargs -0 -r stat --printf '%n\0' -- 2>/dev/null || true; } | # without those that were removed
	tar --null --no-recursion -T - -c | tar -xC "$copy"
cd "$copy"

# fuzz TARGET DIR: once more when the go command stumbles over its own deadline
# on a busy machine: it then says so and names no input that fails. -trimpath
# lets a later copy use what was compiled for this one.
fuzz() {
	for _ in 1 2 3; do
		go test -trimpath -run '^$' -fuzz "^$1\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel "$(nproc)" "$2" >"$log" 2>&1 && return 0
		grep -q '^ *context deadline exceeded$' "$log" || return 1
		! grep -q 'Failing input written to' "$log" || return 1
	done
	return 1
}

# bounded shows the head of what may be megabytes, and no controls.
bounded() { head -c "$1" | tr -cd '\t\n\40-\176' | cut -c 1-400; }

# keep DIR: shows the inputs that failed, puts them where they stay, and takes
# them out of the copy.
keep() {
	local input name
	sed -n 's/^ *Failing input written to //p' "$log" | sort -u | while read -r input; do
		name=${1#.}/$input
		name=${name#/}
		mkdir -p "$kept/$(dirname "$name")"
		mv "$1/$input" "$kept/$name"
		echo "--- the input, kept as $kept/$name:"
		bounded 2000 <"$kept/$name"
		echo
	done
}

mapfile -t packages < <(go list -f '{{.Dir}}' "$@")
passed=0 failed=0
for dir in "${packages[@]}"; do
	dir=.${dir#"$PWD"}
	mapfile -t targets < <(cat "$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p')
	for target in "${targets[@]}"; do
		echo "--- $target ($dir)"
		if fuzz "$target" "$dir"; then
			grep '^fuzz: elapsed' "$log" | tail -n 1
			passed=$((passed + 1))
		else
			bounded 8000 <"$log"
			keep "$dir"
			failed=$((failed + 1))
		fi
	done
done
echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" = 0 ]
