#!/usr/bin/env bash
# test/autobahn/run.sh [CASE...]
# Runs Autobahn's fuzzing client against a running odind that is built to send
# every message back (-tags echo), through its own loop: all cases (as "9.*" or
# "1.1.1") but those of compression, which Odin doesn't offer, unless told.
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=$(scripts/tools.sh autobahn)
[ $# -gt 0 ] || set -- '1.*' '2.*' '3.*' '4.*' '5.*' '6.*' '7.*' '9.*' '10.*'
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

go build -tags echo -o "$work/odind" ./cmd/odind
# The longest case sends 16 MiB, and reads it back when it likes.
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
(cd "$work" && PYENV_VERSION=2.7.18 timeout -k 10 600 python wstest.py "$suite" -m fuzzingclient -s spec.json) >"$work/wstest.log" 2>&1 || {
	tail -n 40 "$work/wstest.log" "$work/odind.log" >&2
	exit 1
}

# NON-STRICT is right but later than Autobahn would have it; INFORMATIONAL isn't judged.
python3 - "$work/reports/index.json" <<'EOP'
import json, sys
cases = json.load(open(sys.argv[1]))["odin"]
bad = sorted(n for n, c in cases.items()
             if c["behavior"] not in ("OK", "NON-STRICT", "INFORMATIONAL") or c["behaviorClose"] not in ("OK", "INFORMATIONAL"))
for n in bad:
    print(n, cases[n]["behavior"], cases[n]["behaviorClose"])
for n, c in sorted(cases.items()):
    if c["behavior"] == "NON-STRICT":
        print(n, "non-strict")
print("%d passed, %d failed" % (len(cases) - len(bad), len(bad)))
sys.exit(bool(bad) or not cases)
EOP
