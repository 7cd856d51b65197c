#!/usr/bin/env bash
# scripts/k6/smoke.sh
# Each scenario for a few seconds, then whether k6 notices a server's misdeeds.
# Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
export ODIN_LOAD_SESSIONS=60 ODIN_LOAD_SECONDS=8 ODIN_LOAD_RAMP_SECONDS=1
scripts/k6/run.sh
K6=$(scripts/tools.sh k6) exec scripts/with-demo.sh --workers 2 --rate 300 -- scripts/tagged.sh k6 -parallel 8 -timeout 4m
