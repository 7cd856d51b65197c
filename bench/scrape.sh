#!/usr/bin/env bash
# bench/scrape.sh [SCRAPES]
# What a scrape of 16 workers and 96 partitions costs: odind beside an in-memory
# broker, scraped over HTTP SCRAPES times (300) as Prometheus does, one after the
# other. Prints one line of JSON: times as the scraper sees them, and the
# supervisor's CPU. ODIND names the binary (bin/odind).
set -euo pipefail
# One at a time: the ports are the same ones for all.
[ -n "${BENCH_LOCKED:-}" ] || exec env BENCH_LOCKED=1 flock "${BENCH_LOCK:-${TMPDIR:-/tmp}/fanbench.lock}" "$0" "$@"
cd "$(dirname "$0")/.."
scripts/apt.sh python3
tools=$(bench/build.sh)
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

"$tools/kfaked.bin" -port 18092 -partitions 12 >"$work/kfaked.log" 2>&1 &
pids+=("$!")
"${ODIND:-bin/odind}" --workers 16 --listen 127.0.0.1:18000 --operator-listen 127.0.0.1:18001 \
	--brokers 127.0.0.1:18092 --runtime-dir "$work/odin" >"$work/ready" 2>"$work/log" &
pids+=("$!")
for _ in $(seq 600); do
	[ -s "$work/ready" ] && break
	kill -0 "${pids[1]}" || { tail "$work/log" >&2; exit 1; }
	sleep 0.1
done
[ -s "$work/ready" ] || { echo "scrape.sh: not ready within a minute" >&2; exit 1; }

python3 - "${1:-300}" "${pids[1]}" <<'PY'
import http.client, json, os, sys, time
times, pid = int(sys.argv[1]), sys.argv[2]

def cpu():
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

c, took = http.client.HTTPConnection("127.0.0.1", 18001, timeout=30), []
def scrape():
    c.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"})
    r = c.getresponse()
    body = r.read()
    assert r.status == 200 and body.endswith(b"# EOF\n"), r.status
    return body
body = scrape() # the first one makes the library's tables
before = cpu()
for _ in range(times):
    began = time.perf_counter()
    scrape()
    took.append((time.perf_counter() - began) * 1000)
used = (cpu() - before) * 1000 / times
took.sort()
series = sum(not line.startswith(b"#") for line in body.splitlines())
print(json.dumps({"series": series, "kib": round(len(body) / 1024), "scrapes": times, "p50_ms": round(took[times // 2], 2),
    "p99_ms": round(took[times * 99 // 100], 2), "max_ms": round(took[-1], 2), "supervisor_cpu_ms": round(used, 2)}))
PY
