#!/usr/bin/env bash
# test/prometheus/run.sh
# A real Prometheus and Alertmanager beside `odind demo`: rules, dashboards and
# /metrics by promtool, every panel's expression, an alert that fires and
# resolves. Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t tools < <(scripts/tools.sh prometheus promtool alertmanager)
[ ${#tools[@]} = 3 ]
# A worker that the test freezes stays where it is.
export ODIN_LIMITS_HEARTBEAT_SUSPECT_MS=60000 ODIN_LIMITS_HEARTBEAT_DEAD_MS=120000
PROMETHEUS=${tools[0]} PROMTOOL=${tools[1]} ALERTMANAGER=${tools[2]} \
	exec scripts/with-demo.sh --workers 2 --rate 300 --seed 1 -- scripts/tagged.sh prometheus -timeout 8m
