"""The cases of `make bench`: what is run, round after round."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Run:
    """One run of run.sh."""
    peer: str
    n: int  # sessions
    rate: object  # records a second; "sat": a closed loop; a function of the round's runs so far
    secs: int  # the window
    label: str = ""  # what the tables call it; the peer unless told
    size: int = 200
    env: dict = field(default_factory=dict)
    profile: bool = False

    @property
    def name(self):
        return self.label or self.peer


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    runs: list
    rounds: int = 0  # at most; 0: as many as there are


# Slow sessions stay for the whole window: neither a late pong nor the kernel's
# patience with a peer that takes nothing ends them before the route's policy does.
PATIENT = {"ODIN_LIMITS_PING_INTERVAL_MS": "3600000", "ODIN_LIMITS_TCP_USER_TIMEOUT_MS": "3600000"}
TRADES = "[{topic: odin.trades, channel: '{key}.trade'%s}]"


def cases(quick, peers):
    """All cases. quick: so small that they only show that nothing is lost."""
    small = lambda full, tiny: tiny if quick else full
    secs = lambda full: small(full, 1)
    n1, n5, n10 = small(1000, 100), small(5000, 200), small(10000, 300)
    nats = [p for p in peers if p == "nats-server"]
    each = lambda rate, s, peer_list, n=n1, **kw: [Run(p, n, rate, secs(s), **kw) for p in peer_list]

    listed = [
        Case("paced", "1,000 sessions × 50 records/s × 200 B",
             each(50, 10, ["limit", "odin"]) + [Run("odin-unheard", n1, 50, secs(10), "odin, nobody listens")] + each(50, 10, nats)),
        Case("burst", "the same in bursts of 10",
             [Run(p, n1, 50, secs(10), env={"BURST": "10", "LINGER": "1ms"}) for p in ("limit-batch", "odin")]),
        Case("saturation", "1,000 sessions × 200 B, a closed loop of 32", each("sat", 10, ["limit2-batch", "odin"])),
        Case("paced5k", "5,000 sessions × 10 records/s × 200 B", each(10, 10, ["limit", "odin"], n5)),
        Case("idle", "10,000 sessions: connecting, idle, and after each received records and answered a ping",
             [Run(p, n10, 1, small(3, 2), env={"ODIN_LIMITS_PING_INTERVAL_MS": str(small(3000, 1500))}) for p in ("limit", "odin")]),
        Case("storm", "10,000 connects, again and again, beside 1,000 sessions × 50 records/s",
             [Run("odin", n1, 50, secs(10), env={"STORM": str(small(10000, 300))})]),
        Case("small", "100 channels × 10 sessions, 5,000 records/s",
             [Run(p, n1, small(5000, 500), secs(10), env={"CHANNELS": str(small(100, 10))}) for p in ["odin", *nats]]),
        Case("sparse", "10,000 channels of one session each, 20,000 records/s over 96 partitions",
             [Run("odin", n10, small(20000, 2000), small(10, 2), profile=True,
                  env={"CHANNELS": str(n10), "PARTITIONS": "96", "ODIN_ROUTES": TRADES % ""})]),
        Case("mixed", "10,000 sessions × 20 of 5,000 channels by Zipf, 5 % of them SUBJECT.*, 2,000 records/s",
             [Run("odin", n10, small(2000, 400), secs(10),
                  env={"MIX": f"-channels {small(5000, 200)} -topics 2 -each 20 -pick zipf -wildcards 0.05"}),
              Run("limit", n10, lambda done: max(done["odin"]["writes_per_s"] / n10, 0.5), secs(10), "limit, as many writes/s")]),
    ]
    return listed + growth(quick, secs, small) + slow(quick, small) + profiles(secs, n1)


def growth(quick, secs, small):
    """Of sessions, of channels, and of workers. What is in the middle of a curve is
    measured by another case where it can be."""
    n1, few, many = small(1000, 100), small(100, 20), small(10000, 300)
    total = small(50000, 5000)  # deliveries a second
    out = [Case(f"sessions-{name}", f"{name:,} sessions × {50000 // name:,} records/s",
                [Run(p, n, max(total // n, 1), secs(7)) for p in ("limit", "odin")]) for name, n in ((100, few), (10000, many))]
    for name, c, n, each in ((10, small(10, 2), few, 1), (1000, small(1000, 100), n1, 10), (100000, small(100000, 2000), n1, small(1000, 200))):
        out.append(Case(f"channels-{name}", f"{name:,} channels of 10 sessions each, {each:,} a session, 5,000 records/s",
                        [Run("odin", n, total // 10, secs(7), env={"MIX": f"-channels {c} -each {each}", "ODIN_ROUTES": TRADES % ""})]))
    for w, floor in ((1, "limit"), (2, "limit2"), (4, "limit4")):
        out.append(Case(f"workers-{w}", f"{w} workers, 1,000 sessions × 50 records/s",
                        [Run(floor, n1, 50, secs(7)), Run("odin", n1, 50, secs(7), env={"ODIN_BENCH_WORKERS": str(w)})]))
    return out


def slow(quick, small):
    n, slow_ones, size = small(1000, 40), small(100, 4), 1000
    out = []
    for policy in ("close", "drop", "conflate"):
        env = dict(PATIENT, ODIN_ROUTES=TRADES % f", slow: {policy}", RUN_MAX="200",
                   MIX=f"-channels 20 -each 20 -stuck {slow_ones} -throttled {slow_ones} -policy {policy} -calm {small(20, 1)}s")
        if quick:
            env["ODIN_LIMITS_OWED_BYTES_MAX"] = str(64 << 10)
        out.append(Case(f"slow-{policy}", f"100 stuck and 100 throttled among 1,000 sessions × 50 records/s × {size} B, policy {policy}",
                        [Run("odin", n, small(50, 300), small(60, 4), size=size, env=env)], rounds=1))
    return out


def profiles(secs, n1):
    return [Case("profile-paced", "paced, profiled", [Run("odin", n1, 50, secs(20), profile=True)], rounds=1),
            Case("profile-saturation", "saturation, profiled", [Run("odin", n1, "sat", secs(10), profile=True)], rounds=1)]
