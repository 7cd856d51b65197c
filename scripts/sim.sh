#!/usr/bin/env bash
# scripts/sim.sh [SCHEDULES [SEED]]
# Runs so many schedules of the simulation (10,000) from the seed (1); the first that
# fails is printed, made smaller.
set -euo pipefail
cd "$(dirname "$0")/.."
export ODIN_SIM_SCHEDULES=${1:-10000} ODIN_SIM_SEED=${2:-1}
exec scripts/gotest.sh -count=1 -timeout 0 -run TestSchedules ./internal/sim
