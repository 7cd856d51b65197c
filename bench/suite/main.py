"""bench/bench.sh: runs all cases, round after round, and writes the tables."""
import argparse, datetime, json, os, platform, subprocess, sys, time
import tables
from cases import Scale, cases
from results import Results, read, slim
from runs import OVERHEAD, Runner, faults


def options():
    p = argparse.ArgumentParser(prog="bench.sh")
    env = os.environ.get
    p.add_argument("--tools", required=True, help="directory of run.sh and the programs built")
    p.add_argument("--odind", required=True)
    p.add_argument("--out", required=True, help="directory for the runs' results; what is there already is not run again")
    p.add_argument("--page", required=True, help="page to write the tables into")
    p.add_argument("--render", help="write the page from these results, and run nothing")
    p.add_argument("--quick", action="store_true", default=bool(env("QUICK")), help="tiny: is anything lost?")
    p.add_argument("--rounds", type=int, default=int(env("ROUNDS") or 0), help="interleaved rounds (5; quick: 1)")
    p.add_argument("--retries", type=int, default=int(env("RETRIES") or 15), help="runs repeated for being disturbed, in all")
    p.add_argument("--minutes", type=float, default=float(env("MINUTES") or 0), help="begin no run that would end later (no limit)")
    p.add_argument("--longest", type=int, default=int(env("SECS") or 0), help="s: no window is longer")
    p.add_argument("--only", default=env("ONLY", ""), help="cases, separated by commas; a case's name may end in -")
    p.add_argument("--peers", default=env("BENCH_PEERS", ""), help="further servers to compare")
    o = p.parse_args()
    o.rounds = o.rounds or (1 if o.quick else 5)
    return o


def chosen(o):
    only = [name for name in o.only.split(",") if name]
    listed = cases(Scale(o.quick, o.longest), [name for name in o.peers.split(",") if name])
    wanted = [c for c in listed if not only or any(c.name == n or n.endswith("-") and c.name.startswith(n) for n in only)]
    if not wanted:
        sys.exit(f"bench: no such case: {o.only}; there are: {', '.join(c.name for c in listed)}")
    return wanted


def about(o):
    def first(command):
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    names = [f"{k}={os.environ[k]}" for k in ("ROUNDS", "QUICK", "ONLY", "SECS", "MINUTES", "BENCH_PEERS", "RETRIES") if os.environ.get(k)]
    return {"command": " ".join(names + ["make bench"]), "date": datetime.date.today().isoformat(), "rounds": o.rounds, "cores": os.cpu_count(), "cpu": cpu,
            "kernel": platform.release().split("-")[0], "go": first(["go", "env", "GOVERSION"]).replace("go", "Go "), "version": first([o.odind, "version"]).split()[1]}


class Suite:
    def __init__(self, o, wanted):
        self.o, self.wanted = o, wanted
        self.runner = Runner(o.tools, o.odind, o.quick)
        self.retries = 0 if o.quick else o.retries
        self.began = time.time()
        self.path = os.path.join(o.out, "results.jsonl")
        self.lines = mended(self.path) if os.path.exists(self.path) else []
        self.done = {key(line): line for line in self.lines if "case" in line and "error" not in line}
        self.keep(about(o))
        self.left = sum(cost(r) for i in range(1, o.rounds + 1) for c in wanted if in_round(c, i) for r in c.runs if (c.name, r.name, i) not in self.done)
        self.faulty, self.late = [], []

    def run(self):
        for i in range(1, self.o.rounds + 1):
            for case in self.wanted:
                if in_round(case, i):
                    self.round(case, i)

    def round(self, case, i):
        done = {}
        for run in case.runs:
            r = self.done.get((case.name, run.name, i))
            if not r:
                if self.o.minutes and time.time() - self.began + cost(run) > self.o.minutes * 60:
                    self.late.append(f"{case.name}, {run.name}, round {i}")
                    return
                r = self.attempts(case, run, done, i)
            done[run.peer] = r

    def attempts(self, case, run, done, i):
        """A run, and another if other jobs disturbed it."""
        for attempt in (1, 2):
            r = self.attempt(case, run, done, i, attempt)
            if r.get("foreign_cores", 0) <= 0.2 or self.retries == 0 or attempt == 2:
                break
            self.retries -= 1
        self.left -= cost(run)
        return r

    def attempt(self, case, run, done, i, attempt):
        began = time.time()
        try:
            r = self.runner.run(case, run, done)
        except Exception as e:  # one run's trouble is not the others'
            r = {"error": f"{type(e).__name__}: {e}"}
        wrong = faults(dict(r, n=run.n)) if run.peer.startswith("odin") or "error" in r else []
        r.update(case=case.name, label=run.name, round=i, took_s=time.time() - began, **{"try": attempt})
        if wrong:
            r["faults"] = wrong
            self.faulty.append(f"{case.name}, {run.name}, round {i}: {'; '.join(wrong)}")
        r = slim(r)
        self.keep(r)
        self.tell(case, run, r, i)
        return r

    def keep(self, line):
        """Written as it comes: what is measured is not lost."""
        self.lines.append(line)
        with open(self.path, "a") as f:
            f.write(json.dumps(line) + "\n")

    def tell(self, case, run, r, i):
        said = "; ".join(r.get("faults", []))[:300]
        if "server_us_per_delivery" in r:
            said = (f"{r['server_us_per_delivery']:7.3f} µs, {r['deliveries_per_s']:9,.0f}/s, p99 {r['lat_us']['p99'] / 1e3:6.1f} ms, "
                    f"foreign {r['foreign_cores']:5.2f}, steal {r['machine_steal_pct']:.1f} %, took {r['took_s']:4.1f} s  ") + said
        gone = (time.time() - self.began) / 60
        print(f"[{gone:4.1f} min, {max(self.left, 0) / 60:4.1f} left] round {i}/{self.o.rounds} {case.name:15} {run.name:24} {said}", flush=True)


def mended(path):
    """The lines of an earlier run, and the file without one that was cut off."""
    lines = read(path)
    with open(path + ".new", "w") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
    os.replace(path + ".new", path)
    return lines


def key(line):
    return line["case"], line["label"], line["round"]


def in_round(case, i):
    return not case.rounds or i <= case.rounds


def cost(run):
    """Seconds that a run takes, or so."""
    return run.secs + OVERHEAD + run.n / 4000 + (25 if "-stuck" in run.env.get("MIX", "") else 0)


def main():
    o = options()
    wanted = chosen(o)
    if o.render:
        tables.write(o.page, Results(read(o.render)), wanted)
        return
    suite = Suite(o, wanted)
    print(f"bench: {len(wanted)} cases, {o.rounds} rounds, {suite.left / 60:.0f} minutes or so; cut off, it goes on by OUT={o.out}", flush=True)
    suite.run()
    tables.write(o.page, Results(suite.lines), wanted)
    if suite.late:
        print("\nbench: no time was left for these:", *suite.late, sep="\n  ", file=sys.stderr)
    if suite.faulty:
        print("\nbench: not as it has to be:", *suite.faulty, sep="\n  ", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
