#!/usr/bin/env bash
# bench/start.sh [RUNS] [WORKERS...]
# How long odind takes to start beside an in-memory broker of 8 topics × 12
# partitions that answers: from exec to the ready line, to the line that says
# that the last of its workers accepts, and to the last worker's hello, for
# clients that connect until each worker has greeted one. RUNS (20) starts with
# each number of WORKERS (2 and 4). Prints a line of JSON for each. ODIND names
# the binary (bin/odind).
set -euo pipefail
# One at a time: the ports are the same ones for all.
[ -n "${BENCH_LOCKED:-}" ] || exec env BENCH_LOCKED=1 flock "${BENCH_LOCK:-${TMPDIR:-/tmp}/fanbench.lock}" "$0" "$@"
cd "$(dirname "$0")/.."
scripts/apt.sh python3
tools=$(bench/build.sh)
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

"$tools/kfaked.bin" -port 18092 -partitions 12 >"$work/kfaked.log" 2>&1 &
pid=$!
until (exec 3<>/dev/tcp/127.0.0.1/18092) 2>/dev/null; do
	kill -0 "$pid" || { cat "$work/kfaked.log" >&2; exit 1; }
	sleep 0.05
done

python3 - "${ODIND:-bin/odind}" "$work" "${@:-20}" <<'PY'
import json, re, signal, socket, subprocess, sys, threading, time
odind, work, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
numbers = [int(n) for n in sys.argv[4:]] or [2, 4]
upgrade = (b"GET /ws HTTP/1.1\r\nHost: odin\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")

def greeted():
    "the worker that greets a new client, and when"
    with socket.create_connection(("127.0.0.1", 18000), timeout=10) as c:
        c.sendall(upgrade)
        got = b""
        while True:
            piece = c.recv(4096)
            if not piece:
                return None, 0
            got += piece
            hello = re.search(rb'"worker":(\d+)', got)
            if hello:
                return int(hello[1]), time.perf_counter()
            if b"503" in got[:20]:
                return None, 0

def start(workers):
    began = time.perf_counter()
    p = subprocess.Popen([odind, "--workers", str(workers), "--listen", "127.0.0.1:18000", "--operator-listen", "127.0.0.1:18001",
        "--brokers", "127.0.0.1:18092", "--runtime-dir", work + "/odin", "--log-format", "text"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    accept, log = [], []
    def follow():
        for line in p.stderr:
            log.append(line)
            if 'msg="worker ready"' in line:
                accept.append(time.perf_counter())
    reader = threading.Thread(target=follow)
    reader.start()
    ready = p.stdout.readline()
    at = time.perf_counter()
    if not ready.startswith("ready "):
        sys.exit("start.sh: no ready line: " + "".join(log))
    first = {}
    while len(first) < workers:
        worker, when = greeted()
        if worker is not None:
            first.setdefault(worker, when)
    while len(accept) < workers:
        time.sleep(0.001)
    p.send_signal(signal.SIGTERM)
    p.send_signal(signal.SIGTERM) # at once
    p.wait(timeout=30)
    reader.join()
    return [(t - began) * 1000 for t in (at, max(accept), max(first.values()))]

for workers in numbers:
    took = list(zip(*(start(workers) for _ in range(runs))))
    line = {"workers": workers, "starts": runs}
    for name, times in zip(("ready_line", "all_accept", "all_greet"), took):
        times = sorted(times)
        line[name + "_ms"] = {"p50": round(times[runs // 2]), "max": round(times[-1])}
    print(json.dumps(line), flush=True)
PY
