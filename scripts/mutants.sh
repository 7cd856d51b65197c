#!/usr/bin/env bash
# scripts/mutants.sh [RUNS]
# Breaks each rule, and leaves out each duty of the worker, one at a time, and
# lets the simulation look for it so often (5). Prints a table: what is broken,
# what noticed it, and after how many schedules, in the median.
set -euo pipefail
cd "$(dirname "$0")/.."
export ODIN_SIM_RUNS=${1:-5}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
go test -v -count=1 -timeout 0 -run '^(TestMutants|TestDuties)$' ./internal/sim >"$log" 2>&1 || code=$?
printf '| what is broken | noticed by | after schedules |\n|---|---|---|\n'
sed -nE 's/^ *[a-z_]+\.go:[0-9]+: (\| .* \|)$/\1/p' "$log"
if [ "$code" != 0 ]; then
	grep -E -A2 '^ *--- FAIL' "$log" >&2 || tail -n 40 "$log" >&2
	exit "$code"
fi
