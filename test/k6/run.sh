#!/usr/bin/env bash
# test/k6/run.sh
# 200 sessions of k6 beside `odind demo`. Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
k6=$(scripts/tools.sh k6)
exec scripts/with-demo.sh --workers 2 --rate 60 --seed 1 -- \
	timeout -k 10 180 "$k6" run --no-usage-report --no-color --quiet --address '' test/k6/sessions.js
