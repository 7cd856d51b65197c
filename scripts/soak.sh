#!/usr/bin/env bash
# scripts/soak.sh [DURATION]
# Runs schedules of the simulation for so long (1h), from seeds that the clock
# gives; the first that fails is printed, made smaller, with its seed.
set -euo pipefail
cd "$(dirname "$0")/.."
seed=$(($(date +%s) * 1000000))
echo "from seed $seed"
export ODIN_SIM_FOR=${1:-1h} ODIN_SIM_SEED=$seed
exec scripts/gotest.sh -count=1 -timeout 0 -run '^TestSchedules$' ./internal/sim
