#!/usr/bin/env bash
# bench/statistics.sh
# What it costs at saturation that Odin counts. First rounds of the closed loop, in
# turn with odind as it is and with one whose workers count nothing (build tag
# nostats), of which the pairs are compared; then the share that statistics have in
# the CPU profiles of both workers, under the same load. The second figure is the
# finer one: it is not moved by what else the machine does.
# Environment: ROUNDS (5), SECS (8), PROFILE (30 s).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/apt.sh jq bc python3 util-linux
tools=$(bench/build.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -trimpath -o "$work/" ./cmd/odind ./cmd/odinctl
go build -trimpath -tags nostats -o "$work/nostats/" ./cmd/odind
export ODIND=$work/odind ODIND_NOSTATS=$work/nostats/odind TMPDIR=$work

# What else runs disturbs both alike: no run is repeated for it.
FOREIGN=99 "$tools/matrix.sh" "$work/runs" saturation "${ROUNDS:-5}" 1000 200 sat "${SECS:-8}" odin odin-nostats
python3 - "$work/runs" <<'PY'
import json, statistics as st, sys
runs = [json.loads(line) for line in open(sys.argv[1])]
by = lambda peer, key: [r[key] for r in runs if r["peer"] == peer]
cost = {peer: by(peer, "server_us_per_delivery") for peer in ("odin", "odin-nostats")}
for peer, us in cost.items():
    print(f"{peer}: {st.median(us):.3f} us of CPU a delivery ({min(us):.3f} to {max(us):.3f}), "
        f"{st.median(by(peer, 'deliveries_per_s')):.0f} deliveries/s, {len(us)} runs")
pairs = [a / b - 1 for a, b in zip(cost["odin"], cost["odin-nostats"])]
print(f"odin costs more, by pairs: median {st.median(pairs):+.1%}, mean {st.mean(pairs):+.1%} +- {st.stdev(pairs) / len(pairs) ** 0.5:.1%}")
PY

profile=${PROFILE:-30}
"$tools/run.sh" odin 1000 200 sat "$((profile + 8))" >"$work/run" 2>"$work/err" &
run=$!
ready() {
	for directory in "$work"/tmp.*/odin; do
		[ "$("$work/odinctl" --runtime-dir "$directory" --json status 2>/dev/null | jq '.sessions == 1000 and .deliveries > 1000000')" = true ] && return
	done
	return 1
}
until ready; do
	kill -0 "$run" || { cat "$work/err" >&2; exit 1; }
	sleep 0.2
done
for worker in 0 1; do
	"$work/odinctl" --runtime-dir "$directory" pprof cpu --process "$worker" --seconds "$profile" --output "$work/cpu$worker" >&2 &
	taking[worker]=$!
done
wait "${taking[@]}"
wait "$run"
jq -r '"the profiled run: \(.deliveries_per_s | floor) deliveries/s, \(.server_us_per_delivery) us of CPU a delivery, \(.missing) missing"' "$work/run"
# share WHAT REGEXP: what is inlined is found too, since pprof knows it by the line.
share() {
	go tool pprof -top -nodecount 15 -focus "$2" "$work/odind" "$work/cpu0" "$work/cpu1" 2>/dev/null |
		sed -nE "s/^Showing nodes accounting for (.*)/$1: \\1/p; /Showing top/d; /focus=/d; /shm[.]|gauge|observeLatency|publishTally/p"
}
share "in the loop's turns" '[.]turn$'
share "in statistics" 'shm[.][(][*](Block|Process)[)]|[.]observeLatency|[.]publishTally|[.]gauge'
