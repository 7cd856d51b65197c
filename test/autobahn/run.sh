#!/usr/bin/env bash
# test/autobahn/run.sh [--write FILE] [CASE...]
# Runs Autobahn's fuzzing client against a running odind that is built to send
# every message back (-tags echo), through its own loop, compressed where that
# was agreed on: the cases told (as "9.*" or "1.1.1"), or all but the long ones
# of compression, of which every payload and every offer is tried once or twice.
# FILE becomes a page of what came of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
page=()
if [ "${1:-}" = --write ]; then
	page=(--write "$2")
	shift 2
fi
suite=$(scripts/tools.sh autobahn)
[ $# -gt 0 ] || set -- '1.*' '2.*' '3.*' '4.*' '5.*' '6.*' '7.*' '9.*' '10.*' \
	12.{1,2,3,4,5}.{1,3,11} 13.{1,2,3,4,5,6,7}.{2,12}
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

go build -tags echo -o "$work/odind" ./cmd/odind
# Nothing but limits and compression is set. The longest case sends 16 MiB, and
# reads it back when it likes; others expect messages of 2 bytes to be compressed.
ODIN_COMPRESSION_ENABLED=true ODIN_COMPRESSION_MIN_BYTES=0 \
	ODIN_LIMITS_REQUEST_BYTES_MAX=32MiB ODIN_LIMITS_OWED_BYTES_MAX=64MiB ODIN_LIMITS_ANSWER_BYTES_MAX=256MiB ODIN_LIMITS_INPUT_BYTES_MAX=256MiB \
	"$work/odind" demo --rate 0 --workers 2 --listen 127.0.0.1:0 --operator-listen 127.0.0.1:0 --broker-listen 127.0.0.1:0 \
	>"$work/ready" 2>"$work/odind.log" &
server=$!
until [ -s "$work/ready" ]; do
	kill -0 "$server" || { cat "$work/odind.log" >&2; exit 1; }
	sleep 0.05
done

python3 - "$(sed 's/.*ws=\([^ ]*\).*/\1/' "$work/ready")" "$work" "$@" >"$work/spec.json" <<'EOP'
import json, sys
address, work, *cases = sys.argv[1:]
print(json.dumps({"outdir": work + "/reports", "cases": cases, "exclude-cases": [], "exclude-agent-cases": {},
                  "servers": [{"agent": "odin", "url": address, "options": {"version": 18}}]}))
EOP
cat >"$work/wstest.py" <<'EOP'
import site, sys
site.addsitedir(sys.argv.pop(1))
from autobahntestsuite import wstest
wstest.run()
EOP
(cd "$work" && PYENV_VERSION=2.7.18 timeout -k 10 3000 python wstest.py "$suite" -m fuzzingclient -s spec.json) >"$work/wstest.log" 2>&1 || {
	tail -n 40 "$work/wstest.log" "$work/odind.log" >&2
	exit 1
}
[ -z "${ODIN_AUTOBAHN_REPORTS:-}" ] || cp -r "$work/reports" "$ODIN_AUTOBAHN_REPORTS"
python3 test/autobahn/judge.py "${page[@]}" "$work/reports/index.json"
