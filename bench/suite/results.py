"""The runs of a whole `make bench`, one line of JSON each, and what is asked of
them."""
import json, statistics as st

# What is kept of a run: what the tables need, and what explains a figure.
KEPT = ["case", "label", "round", "try", "n", "size", "rate", "opened", "closed", "handshakes_per_s", "handshake_cpu_us", "window_s",
        "deliveries", "deliveries_per_s", "deliveries_per_record", "writes_per_s", "per_recv", "lat_us", "gaps", "dups", "reorders", "missing",
        "server_cpu_s", "server_us_per_delivery", "server_cores", "anon_kib_per_conn", "anon_load_kib_per_conn", "pss_kib_per_conn",
        "pss_load_kib_per_conn", "client_us_per_delivery", "client_cpu_s", "machine_steal_pct", "foreign_cores", "published", "storm",
        "bytes_per_delivery", "slow", "profile", "took_s", "faults", "error"]


def read(path):
    """The lines of a file of results; the last one may be cut off."""
    out = []
    with open(path) as f:
        for line in f:
            try:
                out.append(json.loads(line))
            except ValueError:
                if line.endswith("\n"):
                    raise
    return out


def slim(run):
    return {k: tidy(run[k]) for k in KEPT if k in run}


def tidy(v):
    if isinstance(v, float):
        return round(v, 4)
    if isinstance(v, dict):
        return {k: tidy(x) for k, x in v.items()}
    return v


def median(values):
    return st.median(values) if values else None


class Results:
    def __init__(self, lines):
        self.lines = lines
        self.about, self.runs = {}, []
        for line in lines:
            (self.runs.append(line) if "case" in line else self.learn(line))
        self.best = {}
        for r in self.runs:
            if "server_us_per_delivery" not in r:
                continue  # it failed: the others stand
            key = (r["case"], r["label"], r["round"])
            if key not in self.best or r["foreign_cores"] < self.best[key]["foreign_cores"]:
                self.best[key] = r

    def learn(self, about):
        """Of a run that was cut off and went on, all versions that were measured."""
        versions = self.about.get("version", "").split(", ") if self.about else []
        self.about = dict(about, version=", ".join(dict.fromkeys(versions + [about["version"]])))

    def minutes(self):
        return round(sum(r.get("took_s", 0) for r in self.runs) / 60)

    def labels(self, case):
        return list(dict.fromkeys(r["label"] for r in self.runs if r["case"] == case))

    def rounds(self, case, label):
        """The best try of each round, by round."""
        return {k[2]: r for k, r in sorted(self.best.items()) if k[:2] == (case, label)}

    def each(self, case, label, figure):
        return [figure(r) for r in self.rounds(case, label).values()]

    def ratios(self, of, to, figure, figure2=None):
        """figure of one run to that of another of the same round, for each round
        that has both; (case, label) name them."""
        a, b = self.rounds(*of), self.rounds(*to)
        pairs = [(figure(a[i]), (figure2 or figure)(b[i])) for i in a if i in b]
        return [x / y for x, y in pairs if y]

    def lean(self):
        """The lines, with the stacks of the newest profile of a case alone."""
        out, seen = [], set()
        for line in reversed(self.lines):
            if "folded" in line.get("profile", {}):
                if line["case"] in seen:
                    line = dict(line, profile={k: v for k, v in line["profile"].items() if k != "folded"})
                seen.add(line["case"])
            out.append(line)
        return out[::-1]

    def disturbed(self):
        return [r for r in self.best.values() if r["foreign_cores"] > 0.2]


us = lambda r: r["server_us_per_delivery"]
rate = lambda r: r["deliveries_per_s"]
p50 = lambda r: r["lat_us"]["p50"] / 1e3
p99 = lambda r: r["lat_us"]["p99"] / 1e3
