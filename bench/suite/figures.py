"""The figures that are to be reached, and whether they are."""
from dataclasses import dataclass
from results import us, rate, p99, median

ODIN = "odin"


@dataclass
class Figure:
    case: str
    what: str
    aim: str
    values: list  # one for each round
    reached: bool
    unit: str = ""
    floor: str = ""


def at_most(limit):
    return lambda v: v <= limit


def at_least(limit):
    return lambda v: v >= limit


def figures(res):
    out = []

    def figure(case, what, aim, values, good, unit="", floor=""):
        if values:
            out.append(Figure(case, what, aim, values, good(median(values)), unit, floor))

    def floor(case, label, f, form="{:.2f} µs"):
        v = res.each(case, label, f)
        return form.format(median(v)) if v else ""

    lim = ("paced", "limit")
    figure("paced", "CPU a delivery, × floor", "≤ 1.15", res.ratios(("paced", ODIN), lim, us), at_most(1.15), "×", floor(*lim, us))
    figure("paced", "the same without what fetching costs", "≤ 1.10", unfetched(res, "paced", "limit"), at_most(1.10), "×", floor(*lim, us))
    figure("burst", "CPU a delivery, × batching floor", "≤ 1.15", res.ratios(("burst", ODIN), ("burst", "limit-batch"), us), at_most(1.15), "×",
           floor("burst", "limit-batch", us))
    alike = ("burst", "limit-batch, frames as Odin's")
    figure("burst", "the same without what fetching costs, × that floor with frames of Odin's size", "≤ 1.15", unfetched(res, "burst", alike[1]),
           at_most(1.15), "×", floor(*alike, us))
    two = ("saturation", "limit2-batch")
    figure("saturation", "deliveries/s, × batching floor of two processes", "≥ 0.95", res.ratios(("saturation", ODIN), two, rate), at_least(0.95), "×",
           floor(*two, rate, "{:,.0f}/s"))
    figure("saturation", "p99, × that floor's", "≤ 1.1", res.ratios(("saturation", ODIN), two, p99), at_most(1.1), "×", floor(*two, p99, "{:.1f} ms"))
    alike = ("saturation", "limit2-batch, frames as Odin's")
    figure("saturation", "deliveries/s, × that floor with frames of Odin's size", "≥ 0.95", res.ratios(("saturation", ODIN), alike, rate), at_least(0.95), "×",
           floor(*alike, rate, "{:,.0f}/s"))
    figure("saturation", "p99, × that floor's with such frames", "≤ 1.1", res.ratios(("saturation", ODIN), alike, p99), at_most(1.1), "×",
           floor(*alike, p99, "{:.1f} ms"))
    figure("paced5k", "p99, × floor's", "≤ 1.1", res.ratios(("paced5k", ODIN), ("paced5k", "limit"), p99), at_most(1.1), "×",
           floor("paced5k", "limit", p99, "{:.1f} ms"))
    figure("paced5k", "p99, × that of a floor of two processes", "≤ 1.1", res.ratios(("paced5k", ODIN), ("paced5k", "limit2"), p99), at_most(1.1), "×",
           floor("paced5k", "limit2", p99, "{:.1f} ms"))
    memory(res, figure)
    figure("storm", "p99 of connected sessions beside it, × without", "≤ 2", res.ratios(("storm", ODIN), ("paced", ODIN), p99), at_most(2), "×", beside_storm(res))
    figure("small", "CPU a delivery", "≤ 9 µs", res.each("small", ODIN, us), at_most(9), "µs", floor(*lim, us))
    figure("sparse", "share of the bus in CPU", "≤ 15 %", res.each("sparse", ODIN, lambda r: 100 * r["profile"]["stages"]["bus"]), at_most(15), "%")
    figure("mixed", "CPU a delivery, × floor of as many writes", "≤ 1.3", res.ratios(("mixed", ODIN), ("mixed", "limit, as many writes/s"), us),
           at_most(1.3), "×", floor("mixed", "limit, as many writes/s", us))
    alike = "limit, as many writes/s, frames as Odin's"
    figure("mixed", "the same without what fetching costs, × that floor with frames of Odin's size", "≤ 1.3", unfetched(res, "mixed", alike), at_most(1.3), "×",
           floor("mixed", alike, us))
    for what, points in growth(res).items():
        ratios = [p["ratio"] for p in points if p["ratio"]]
        if len(ratios) > 1:
            figure("growth", f"{what}: largest ratio to the floor / smallest", "≤ 1.2", [max(ratios) / min(ratios)], at_most(1.2))
    slow(res, figure)
    return out


def beside_storm(res):
    """What a storm at another server costs the floor's sessions."""
    v = res.ratios(("storm", "limit"), ("paced", "limit"), p99)
    return f"{median(v):.2f}" if v else ""


def unfetched(res, case, floor):
    """Odin's cost over a floor's, less what the same load costs when nobody listens."""
    unheard = res.rounds(case, "odin, nobody listens")
    out = []
    for i, r in res.rounds(case, ODIN).items():
        f = res.rounds(case, floor).get(i)
        if i in unheard and f and us(f):  # a window so short that it cost nothing that is counted says nothing
            out.append((r["server_cpu_s"] - unheard[i]["server_cpu_s"]) * 1e6 / r["deliveries"] / us(f))
    return out


def memory(res, figure):
    of = lambda key: res.each("idle", ODIN, lambda r: r[key])
    figure("idle", "anonymous memory of a fresh session", "≤ 1.0 KiB (aim 0.75)", of("anon_kib_per_conn"), at_most(1.0), "KiB")
    figure("idle", "PSS of a fresh session", "≤ 1.0 KiB", of("pss_kib_per_conn"), at_most(1.0), "KiB")
    figure("idle", "anonymous memory after use", "≤ 1.2 KiB", of("anon_load_kib_per_conn"), at_most(1.2), "KiB")
    figure("idle", "PSS after use", "≤ 1.2 KiB", of("pss_load_kib_per_conn"), at_most(1.2), "KiB")
    cost = res.each("idle", "limit", lambda r: r["handshake_cpu_us"])
    figure("idle", "CPU a handshake", "≤ 80 µs (own parser: 30)", of("handshake_cpu_us"), at_most(80), "µs", f"{median(cost):.0f} µs" if cost else "")


def slow(res, figure):
    for policy in ("close", "drop", "conflate"):
        runs = list(res.rounds("slow-" + policy, ODIN).values())
        of = lambda f: [f(r["slow"]) for r in runs]
        figure("slow", f"{policy}: p99 of the others, × without slow ones", "≤ 1.1", of(lambda s: s["p99_ratio"]), at_most(1.1), "×")
        figure("slow", f"{policy}: records dropped and not announced", "0",
               of(lambda s: abs(s["counted"] - s["announced"]) + s["unannounced"]), at_most(0))
        figure("slow", f"{policy}: memory that it took, of its bound", "≤ 1", [grown(r) / bound(r) for r in runs], at_most(1), "×")


def grown(r):
    return r["slow"]["anon_max_kib"] - r["slow"]["anon_before_kib"]


# What a slow session may take beside the history that it points into, KiB: the
# list of what it is owed, twice while that is shortened, and what Go's heap
# lets lie until it is collected.
SLOW_SESSION_KIB = 128
FRAME_BYTES = 150  # around a record's value, positions and lengths in the history included


def bound(r):
    """KiB: what both workers' histories keep of the window's records, and what the
    slow sessions may take."""
    s = r["slow"]
    return 2 * float(r["rate"]) * r["window_s"] * (r["size"] + FRAME_BYTES) / 1024 + SLOW_SESSION_KIB * (s["stuck"] + s["throttled"])


def growth(res):
    """Points of the growth curves: x, what odin and the floor cost, their ratio."""
    curves = {
        "sessions": [(100, ("sessions-100", ODIN), ("sessions-100", "limit")), (1000, ("paced", ODIN), ("paced", "limit")),
                     (10000, ("sessions-10000", ODIN), ("sessions-10000", "limit"))],
        "channels": [(10, ("channels-10", ODIN), ("sessions-100", "limit")), (1000, ("channels-1000", ODIN), ("paced", "limit")),
                     (100000, ("channels-100000", ODIN), ("paced", "limit"))],
        "workers": [(1, ("workers-1", ODIN), ("workers-1", "limit")), (2, ("workers-2", ODIN), ("workers-2", "limit2")),
                    (4, ("workers-4", ODIN), ("workers-4", "limit4"))],
    }
    return {what: [point(res, *p) for p in points if res.rounds(*p[1])] for what, points in curves.items()}


def point(res, x, odin, floor):
    return {"x": x, "odin": res.each(*odin, us), "floor": res.each(*floor, us), "ratio": median(res.ratios(odin, floor, us))}
