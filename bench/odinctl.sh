#!/usr/bin/env bash
# bench/odinctl.sh [RUNS]
# How long odinctl takes from start to exit: `status`, as text and as JSON, and
# `version`, RUNS times each (50), one after the other, beside `odind demo` with
# two workers that delivers, and with 16 workers and 96 partitions. Prints one
# line of JSON each. ODINCTL names the binary (bin/odinctl).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/apt.sh python3
export ODINCTL=${ODINCTL:-bin/odinctl} RUNS=${1:-50}

time_them() {
	python3 - "$1" <<'PY'
import json, os, subprocess, sys, time
runs, runtime = int(os.environ["RUNS"]), os.environ["ODIN_DEMO_RUNTIME"]
for args in ["status"], ["status", "--json"], ["version"]:
    command, took = [os.environ["ODINCTL"], *args, "--runtime-dir", runtime], []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    print(json.dumps({"odind": sys.argv[1], "odinctl": " ".join(args), "runs": runs, "p50_ms": round(took[runs // 2], 1), "max_ms": round(took[-1], 1)}))
PY
}
export -f time_them

scripts/with-demo.sh --workers 2 --rate 1000 -- bash -c 'time_them "2 workers, 1,000 events/s"'
scripts/with-demo.sh --workers 16 --rate 0 -- bash -c 'time_them "16 workers, 96 partitions"'
