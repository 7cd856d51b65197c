"""bench/bench.sh: runs all cases, round after round, and writes the tables."""
import argparse, datetime, json, os, platform, subprocess, sys, time
import tables
from cases import cases
from results import Results, slim
from runs import OVERHEAD, Runner, faults


def options():
    p = argparse.ArgumentParser(prog="bench.sh")
    env = os.environ.get
    p.add_argument("--tools", required=True, help="directory of run.sh and the programs built")
    p.add_argument("--odind", required=True)
    p.add_argument("--out", required=True, help="directory for the runs' results")
    p.add_argument("--page", required=True, help="page to write the tables into")
    p.add_argument("--render", help="write the page from these results, and run nothing")
    p.add_argument("--quick", action="store_true", default=bool(env("QUICK")), help="tiny: is anything lost?")
    p.add_argument("--rounds", type=int, default=int(env("ROUNDS") or 0), help="interleaved rounds (5; quick: 1)")
    p.add_argument("--retries", type=int, default=int(env("RETRIES") or 15), help="runs repeated for being disturbed, in all")
    p.add_argument("--only", default=env("ONLY", ""), help="cases, separated by commas; a case's name may end in -")
    p.add_argument("--peers", default=env("BENCH_PEERS", ""), help="further servers to compare")
    o = p.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 5)
    return o


def chosen(o):
    only = [name for name in o.only.split(",") if name]
    listed = cases(o.quick, [name for name in o.peers.split(",") if name])
    wanted = [c for c in listed if not only or any(c.name == n or n.endswith("-") and c.name.startswith(n) for n in only)]
    if not wanted:
        sys.exit(f"bench: no such case: {o.only}; there are: {', '.join(c.name for c in listed)}")
    return wanted


def about(o):
    def first(command):
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    names = [f"{k}={os.environ[k]}" for k in ("ROUNDS", "QUICK", "ONLY", "BENCH_PEERS", "RETRIES") if os.environ.get(k)]
    return {"command": " ".join(names + ["make bench"]), "date": datetime.date.today().isoformat(), "rounds": o.rounds, "cores": os.cpu_count(), "cpu": cpu,
            "kernel": platform.release().split("-")[0], "go": first(["go", "env", "GOVERSION"]).replace("go", "Go "), "version": first([o.odind, "version"]).split()[1]}


class Suite:
    def __init__(self, o, wanted):
        self.o, self.wanted = o, wanted
        self.runner = Runner(o.tools, o.odind, o.quick)
        self.retries = 0 if o.quick else o.retries
        self.began = time.time()
        self.left = sum((r.secs + OVERHEAD) * min(c.rounds or o.rounds, o.rounds) for c in wanted for r in c.runs)
        self.lines = [about(o)]
        self.faulty = []

    def run(self):
        for i in range(1, self.o.rounds + 1):
            for case in self.wanted:
                if not case.rounds or i <= case.rounds:
                    self.round(case, i)
        self.lines[0]["minutes"] = round((time.time() - self.began) / 60)
        self.keep()

    def round(self, case, i):
        done = {}
        for run in case.runs:
            for attempt in (1, 2):
                r = self.attempt(case, run, done, i, attempt)
                if r.get("foreign_cores", 0) <= 0.2 or self.retries == 0 or attempt == 2:
                    break
                self.retries -= 1
            done[run.peer] = r
            self.left -= run.secs + OVERHEAD

    def attempt(self, case, run, done, i, attempt):
        try:
            r = self.runner.run(case, run, done)
        except Exception as e:  # one run's trouble is not the others'
            r = {"error": f"{type(e).__name__}: {e}"}
        wrong = faults(dict(r, n=run.n)) if run.peer.startswith("odin") or "error" in r else []
        r.update(case=case.name, label=run.name, round=i, **{"try": attempt})
        if wrong:
            r["faults"] = wrong
            self.faulty.append(f"{case.name}, {run.name}, round {i}: {'; '.join(wrong)}")
        self.lines.append(slim(r))
        self.keep()
        self.tell(case, run, r, i)
        return r

    def keep(self):
        """Written after each run: what is measured is not lost."""
        with open(os.path.join(self.o.out, "results.jsonl"), "w") as f:
            f.writelines(json.dumps(line) + "\n" for line in self.lines)

    def tell(self, case, run, r, i):
        said = "; ".join(r.get("faults", []))[:300]
        if "server_us_per_delivery" in r:
            said = (f"{r['server_us_per_delivery']:7.3f} µs, {r['deliveries_per_s']:9,.0f}/s, p99 {r['lat_us']['p99'] / 1e3:6.1f} ms, "
                    f"foreign {r['foreign_cores']:5.2f}, steal {r['machine_steal_pct']:.1f} %  ") + said
        gone = (time.time() - self.began) / 60
        print(f"[{gone:4.1f} min, {max(self.left, 0) / 60:4.1f} left] round {i}/{self.o.rounds} {case.name:15} {run.name:24} {said}", flush=True)


def main():
    o = options()
    wanted = chosen(o)
    if o.render:
        tables.write(o.page, Results.load(o.render), wanted)
        return
    suite = Suite(o, wanted)
    print(f"bench: {len(wanted)} cases, {o.rounds} rounds, {suite.left / 60:.0f} minutes or so", flush=True)
    suite.run()
    tables.write(o.page, Results(suite.lines), wanted)
    if suite.faulty:
        print("\nbench: not as it has to be:", *suite.faulty, sep="\n  ", file=sys.stderr)
        sys.exit(1)


main()
