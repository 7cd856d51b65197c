#!/bin/bash
# matrix.sh OUT LABEL ROUNDS N SIZE RATE SECS PEER...
# Runs every peer once a round, round after round, so that a slow spell of the
# machine hits all of them; a run that a foreign job disturbed is repeated, at
# most twice. Appends one line of JSON a run to OUT, marked with LABEL.
out=$1 label=$2 rounds=$3 n=$4 size=$5 rate=$6 secs=$7
shift 7
set -uo pipefail
cd "$(dirname "$0")" || exit
for r in $(seq "$rounds"); do
	for p in "$@"; do
		for try in 1 2 3; do
			j=$(./run.sh "$p" "$n" "$size" "$rate" "$secs" 2>>"$out.err") || { echo "$label $p failed" >>"$out.err"; break; }
			[ "$(jq ".foreign_cores > ${FOREIGN:-0.2}" <<<"$j")" = false ] && break
			[ "$try" -lt 3 ] && sleep 1
		done
		jq -c --arg l "$label" --argjson r "$r" --argjson t "$try" '. + {label: $l, round: $r, try: $t}' <<<"$j" >>"$out"
	done
done
