"""Does one run, and says whether it is as it has to be."""
import json, os, subprocess, tempfile
import stages

# What a run takes besides its window, s: starting, connecting, draining.
OVERHEAD = 4.5


class Runner:
    def __init__(self, tools, odind, quick):
        self.tools, self.odind, self.quick = tools, odind, quick

    def run(self, case, run, done):
        """The run's figures, or {"error": …}. done: the round's runs so far."""
        rate = run.rate(done) if callable(run.rate) else run.rate
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            env = dict(os.environ, ODIND=self.odind, TMPDIR=scratch, BENCH_LOCK=lock(), **run.env)
            if self.quick:
                env.update(WARMUP="0.3", SETTLE_IDLE="0.1")
            if run.profile:
                env["PROFILES"] = os.path.join(scratch, "profile")
            command = [os.path.join(self.tools, "run.sh"), run.peer, str(run.n), str(run.size), str(rate), str(run.secs)]
            p = subprocess.run(command, env=env, capture_output=True, text=True)
            try:
                got = json.loads(p.stdout.strip().splitlines()[-1])
            except (IndexError, ValueError):
                return {"error": f"exit {p.returncode}: {p.stderr.strip()[-2000:]}"}
            if p.returncode:
                got["error"] = p.stderr.strip()[-2000:]
            if run.profile:
                got["profile"] = self.profile(env["PROFILES"])
        return dict(got, case=case.name, label=run.name)

    def profile(self, directory):
        files = [os.path.join(directory, f) for f in sorted(os.listdir(directory))] if os.path.isdir(directory) else []
        if not files:
            return {"error": "no profile was taken"}
        found = stages.stacks(self.odind, files)
        return dict(stages.shares(found), folded=stages.folded(found))


def lock():
    return os.environ.get("BENCH_LOCK") or os.path.join(tempfile.gettempdir(), "fanbench.lock")


def faults(r):
    """What must not be, in words; speed is no matter here."""
    if "error" in r:
        return [r["error"]]
    out = []
    owed = r.get("opened", 0)
    if r.get("slow"):
        owed += r["slow"]["stuck"] + r["slow"]["throttled"]
    if owed != r["n"]:
        out.append(f"{owed} of {r['n']} sessions opened")
    for what in ("missing", "gaps", "dups", "reorders", "closed", "proto_errors", "send_errors", "failed"):
        if r.get(what):
            out.append(f"{what}: {r[what]}")
    if r.get("storm", {}).get("failed"):
        out.append(f"connects failed in the storm: {r['storm']['failed']}")
    if isinstance(r.get("published"), dict) and (not r["published"].get("published") or r["published"].get("refused")):
        out.append(f"published: {r['published']}")
    if "error" in r.get("profile", {}):
        out.append(r["profile"]["error"])
    return out
