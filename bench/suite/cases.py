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
PATIENT = {"ODIN_LIMITS_PING_INTERVAL_MS": "3600000", "ODIN_LIMITS_PONG_WAIT_MS": "3600000",
           "ODIN_LIMITS_TCP_USER_TIMEOUT_MS": "3600000"}
# What Odin makes of a record of 200 bytes, for a floor that sends as many bytes, which
# the client reads as long.
FRAME = {"FRAME": '{"type":"message","channel":"B%c.trade","pos":"odin.trades:7:12345","ts":1700000000000,'
                  '"data":{"bch":%c,"bseq":%s,"bts":%t,"pad":"%p"}}'}
FRAME_SIZE = 293
BURST = {"BURST": "10", "LINGER": "1ms"}
TRADES = "[{topic: odin.trades, channel: '{key}.trade'%s}]"


class Scale:
    """How large everything is: as large as the figures are of, or, quick, so small
    that it only shows that nothing is lost. longest: of a window, s; 0: as it is."""

    def __init__(self, quick=False, longest=0):
        self.quick, self.longest = quick, longest

    def small(self, full, tiny):
        return tiny if self.quick else full

    def secs(self, full, tiny=1):
        return min(self.small(full, tiny), self.longest or full)

    def sessions(self, full):
        return self.small(full, {100: 20, 1000: 100, 5000: 200, 10000: 300}[full])


def cases(scale, peers):
    """All cases, those that most depends on first."""
    return (deliveries(scale, [p for p in peers if p == "nats-server"]) + channels(scale, [p for p in peers if p == "nats-server"])
            + profiles(scale) + compression(scale) + growth(scale) + slow(scale))


def deliveries(scale, others):
    """One channel, heard by all. A delivery that costs less than 1.5 µs has a window
    of 10 s: CPU is counted in steps of 10 ms."""
    def each(peers, n, rate, secs, env={}):
        return [Run(p, scale.sessions(n), rate, scale.secs(secs), env=env) for p in peers]

    n = scale.sessions(1000)
    pings = {"ODIN_LIMITS_PING_INTERVAL_MS": str(scale.small(3000, 1500))}
    return [
        Case("paced", "1,000 sessions × 50 records/s × 200 B",
             each(["limit", "odin"], 1000, 50, 7) + [Run("odin-unheard", n, 50, scale.secs(7), "odin, nobody listens")] + each(others, 1000, 50, 7)),
        Case("burst", "the same in bursts of 10", each(["limit-batch", "odin", *others], 1000, 50, 10, BURST)
             + [Run("limit-batch", n, 50, scale.secs(10), "limit-batch, frames as Odin's", FRAME_SIZE, FRAME | BURST),
                Run("odin-unheard", n, 50, scale.secs(10), "odin, nobody listens", env=BURST)]),
        Case("saturation", "1,000 sessions × 200 B, a closed loop of 32", each(["limit2-batch", "odin", *others], 1000, "sat", 10)
             + [Run("limit2-batch", n, "sat", scale.secs(10), "limit2-batch, frames as Odin's", FRAME_SIZE, FRAME)]),
        Case("paced5k", "5,000 sessions × 10 records/s × 200 B", each(["limit", "odin", "limit2", *others], 5000, 10, 7)),
        Case("idle", "10,000 sessions: connecting, idle, and after each received records and answered a ping",
             [Run(p, scale.sessions(10000), 1, scale.small(4, 2), env=pings) for p in ("limit", "odin")]),
        Case("storm", "10,000 connects, again and again, beside 1,000 sessions × 50 records/s",
             each(["limit", "odin"], 1000, 50, 7, {"STORM": str(scale.sessions(10000))})),
    ]


def channels(scale, others):
    n, many = scale.sessions(1000), scale.sessions(10000)
    as_many = lambda done: max(done["odin"].get("writes_per_s", 0) / many, 0.5)
    return [
        Case("small", "100 channels × 10 sessions, 5,000 records/s",
             [Run(p, n, scale.small(5000, 500), scale.secs(6), env={"CHANNELS": str(scale.small(100, 10))}) for p in ["odin", *others]]),
        Case("sparse", "10,000 channels of one session each, 20,000 records/s over 96 partitions",
             [Run("odin", many, scale.small(20000, 2000), scale.secs(7, 2), profile=True,
                  env={"CHANNELS": str(many), "PARTITIONS": "96", "ODIN_ROUTES": TRADES % ""})]),
        Case("mixed", "10,000 sessions × 20 of 5,000 channels by Zipf, 5 % of them SUBJECT.*, 2,000 records/s",
             [Run("odin", many, scale.small(2000, 400), scale.secs(7), env={"MIX": mix(scale)}),
              Run("limit", many, as_many, scale.secs(7), "limit, as many writes/s"),
              Run("limit", many, as_many, scale.secs(7), "limit, as many writes/s, frames as Odin's", FRAME_SIZE, FRAME),
              Run("odin-unheard", scale.small(5000, 200), scale.small(2000, 400), scale.secs(7), "odin, nobody listens", env={"CHANNELS": str(scale.small(5000, 200))})]),
    ]


def mix(scale):
    """What fanmix is told for the mixed case."""
    return f"-channels {scale.small(5000, 200)} -topics 2 -each 20 -pick zipf -wildcards 0.05"


def profiles(scale):
    n = scale.sessions(1000)
    return [Case("profile-paced", "paced, profiled", [Run("odin", n, 50, scale.secs(12), profile=True)], rounds=1),
            Case("profile-saturation", "saturation, profiled", [Run("odin", n, "sat", scale.secs(10), profile=True)], rounds=1),
            Case("profile-burst", "burst, profiled", [Run("odin", n, 50, scale.secs(20), env=BURST, profile=True)], rounds=1),
            Case("profile-mixed", "mixed, profiled",
                 [Run("odin", scale.sessions(10000), scale.small(2000, 400), scale.secs(10), env={"MIX": mix(scale)}, profile=True)], rounds=1)]


def compression(scale):
    """The same records plain and compressed."""
    load = dict(n=scale.sessions(1000), rate=20, secs=scale.secs(7), size=1000)
    mix = "-channels 1 -each 1 -json"
    return [Case("compression", "1,000 sessions × 20 records/s × 1,000 B of JSON (quotes), with and without permessage-deflate", [
        Run("odin", label="odin, plain", env={"MIX": mix}, **load),
        Run("odin", label="odin, compressed", env={"MIX": mix + " -deflate", "ODIN_COMPRESSION_ENABLED": "true"}, **load)], rounds=3)]


def growth(scale):
    """Of sessions, of channels, and of workers. What is in the middle of a curve is
    measured by another case where it can be."""
    n1, few, many, secs = scale.sessions(1000), scale.sessions(100), scale.sessions(10000), scale.secs(5)
    total = scale.small(50000, 5000)  # deliveries a second
    out = [Case(f"sessions-{name}", f"{name:,} sessions × {50000 // name:,} records/s",
                [Run(p, n, max(total // n, 1), secs) for p in ("limit", "odin")], rounds=3) for name, n in ((100, few), (10000, many))]
    for name, c, n, each in ((10, scale.small(10, 2), few, 1), (1000, scale.small(1000, 100), n1, 10),
                             (100000, scale.small(100000, 2000), n1, scale.small(1000, 200))):
        out.append(Case(f"channels-{name}", f"{name:,} channels of 10 sessions each, {each:,} a session, 5,000 records/s",
                        [Run("odin", n, total // 10, secs, env={"MIX": f"-channels {c} -each {each}", "ODIN_ROUTES": TRADES % ""})], rounds=3))
    for w, floor in ((1, "limit"), (2, "limit2"), (4, "limit4")):
        out.append(Case(f"workers-{w}", f"{w} workers, 1,000 sessions × 50 records/s",
                        [Run(floor, n1, 50, secs), Run("odin", n1, 50, secs, env={"ODIN_BENCH_WORKERS": str(w)})], rounds=3))
    return out


def slow(scale):
    n, ones, size = scale.sessions(1000), scale.small(100, 4), 1000
    out = []
    for policy in ("close", "drop", "conflate"):
        env = dict(PATIENT, ODIN_ROUTES=TRADES % f", slow: {policy}", RUN_MAX="250",
                   MIX=f"-channels 20 -each 20 -stuck {ones} -throttled {ones} -policy {policy} -calm {scale.secs(10)}s")
        if scale.quick:
            env["ODIN_LIMITS_OWED_BYTES_MAX"] = str(128 << 10)
        out.append(Case(f"slow-{policy}", f"100 stuck and 100 throttled among 1,000 sessions × 50 records/s × {size} B, policy {policy}",
                        [Run("odin", n, scale.small(50, 300), scale.secs(60, 4), size=size, env=env)], rounds=1))
    return out
