"""The tables of docs/BENCHMARKS.md, between its markers, and the plots beside it."""
import json, os, re
import plot
from figures import ODIN, figures, growth, grown, bound
from results import median, p50, p99, rate, us


def span(values, form):
    """Median and spread."""
    if not values:
        return "–"
    if len(values) == 1:
        return form.format(values[0])
    return f"{form.format(median(values))} ({form.format(min(values))}–{form.format(max(values))})"


def table(head, rows):
    if not rows:
        return "Not measured yet."
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(map(str, r)) + " |" for r in rows])


def about(res, cases):
    a, best = res.about, res.best.values()
    foreign, steal = [r["foreign_cores"] for r in best], [r["machine_steal_pct"] for r in best]
    repeated = sum(r.get("try", 1) > 1 for r in res.runs)
    done = max((r["round"] for r in res.runs), default=0)
    rounds = a["rounds"] if done == a["rounds"] else f"{done} of {a['rounds']}"
    lines = [f"`{a['command']}`, {a['date']}, odind {a['version']}: {rounds} interleaved rounds, {res.minutes()} minutes of runs, on {a['cores']} cores of "
             f"{a['cpu']}, Linux {a['kernel']}, {a['go']}.",
             f"How busy the machine was with other things: {span(foreign, '{:.2f}')} cores in the {len(foreign)} runs that count, steal "
             f"{span(steal, '{:.1f}')} %; {len(res.disturbed())} of them were disturbed by more than 0.2 cores, {repeated} runs are repetitions of such."]
    failed = [f"{r['case']}, {r['label']}, round {r['round']}: {'; '.join(r['faults'])[:200]}" for r in res.runs if r.get("faults")]
    lines += ["", "Not as it has to be:", ""] + [f"- {f}" for f in failed] if failed else ["No record was lost, repeated or out of order in any run of odin, "
                                                                                         "and none dropped without a word."]
    return "\n".join(lines)


def summary(res, cases):
    show = lambda f: span(f.values, {"×": "{:.2f}", "%": "{:.1f}", "KiB": "{:.2f}", "µs": "{:.1f}"}.get(f.unit, "{:.2f}")) + (f" {f.unit}" if f.unit not in ("×", "") else "")
    return table(["case", "figure", "aim", "measured: median (spread)", "the floor itself", ""],
                 [[f.case, f.what, f.aim, f"**{show(f)}**", f.floor or "–", "reached" if f.reached else "**missed**"] for f in figures(res)])


# The floor that a case's rows are compared with.
FLOORS = {"burst": "limit-batch", "saturation": "limit2-batch", "mixed": "limit, as many writes/s", "workers-2": "limit2", "workers-4": "limit4"}


def every(res, cases):
    rows = []
    for case in cases:
        floor = FLOORS.get(case.name, "limit")
        for label in res.labels(case.name):
            of = lambda f: res.each(case.name, label, f)
            if not of(us):
                rows.append([case.name, label] + ["failed"] + ["–"] * 9)
                continue
            heard = [v for v in of(us) if v]
            rows.append([case.name, label, span(heard, "{:.2f}"), span(res.ratios((case.name, label), (case.name, floor), us) if heard else [], "{:.2f}"),
                         f"{median(of(rate)):,.0f}", span(of(p50), "{:.1f}") if heard else "–", span(of(p99), "{:.1f}") if heard else "–",
                         f"{median(of(lambda r: r['server_cores'])):.2f}",
                         f"{median(of(lambda r: r['client_cpu_s'] / r['window_s'])):.2f}",
                         sum(of(lambda r: r["missing"] + r["gaps"])), f"{median(of(lambda r: r['foreign_cores'])):.2f}", len(of(us))])
    head = ["case", "server", "CPU µs a delivery", "× floor", "deliveries/s", "p50 ms", "p99 ms", "server cores", "client cores", "lost", "foreign cores", "rounds"]
    return table(head, rows)


def what(res, cases):
    return table(["case", "what is run"], [[c.name, c.title] for c in cases if res.labels(c.name)])


STAGED = [("sparse", "sparse"), ("profile-paced", "paced"), ("profile-burst", "burst"), ("profile-saturation", "saturation"),
          ("profile-mixed", "mixed")]


def staged(res, case):
    return [r for r in res.rounds(case, ODIN).values() if "stages" in r.get("profile", {})]


def stages(res, cases):
    """CPU a record in the sparse case, and the shares in all profiled ones."""
    columns = [(name, staged(res, case)) for case, name in STAGED]
    columns = [(name, runs) for name, runs in columns if runs]
    if not columns:
        return ""
    share = lambda runs, s, kind="stages": median([r["profile"][kind][s] for r in runs])
    cost = lambda r, s: r["profile"]["stages"][s] * r["server_cpu_s"] * 1e6 / records(r)
    sparse = staged(res, "sparse")
    rows = []
    for s in columns[0][1][0]["profile"]["stages"]:
        rows.append([s, span([cost(r, s) for r in sparse], "{:.2f}") if sparse else "–"] + [f"{share(runs, s):.1%}" for _, runs in columns])
    for s in ("kernel", "allocating", "locks"):
        rows.append([f"*in all stages: {s}*", "–"] + [f"{share(runs, s, 'across'):.1%}" for _, runs in columns])
    for s in ("allocating", "locks"):
        rows.append([f"*in hub and write: {s}*", "–"] + [f"{share(runs, s, 'hot'):.2%}" for _, runs in columns])
    pictures = shown(res, "flame-", "CPU by stage, and by function: the innermost is at the top")
    return table(["stage", "sparse: µs a record"] + [f"{name}: share" for name, _ in columns], rows) + pictures


def records(r):
    """Published within the window: at the rate, for it is kept."""
    return float(r["rate"]) * r["window_s"]


def curves(res, cases):
    rows = []
    for name, points in growth(res).items():
        for p in points:
            rows.append([f"{p['x']:,} {name}", span(p["odin"], "{:.2f}"), span(p["floor"], "{:.2f}"), f"{p['ratio']:.2f}" if p["ratio"] else "–"])
    return table(["growth", "odin: CPU µs a delivery", "floor", "ratio"], rows) + shown(res, "growth-", "CPU of a delivery")


def compression(res, cases):
    rows = []
    for label in res.labels("compression"):
        of = lambda f: res.each("compression", label, f)
        if of(us):
            ratios = res.ratios(("compression", label), ("compression", "odin, plain"), us)
            rows.append([label, span(of(lambda r: r["bytes_per_delivery"]), "{:.0f}"), span(of(us), "{:.2f}"), span(ratios, "{:.2f}"), span(of(p99), "{:.1f}")])
    return table(["server", "bytes a delivery", "CPU µs a delivery", "× plain", "p99 ms"], rows)


def slow(res, cases):
    rows = []
    for policy in ("close", "drop", "conflate"):
        for r in res.rounds("slow-" + policy, ODIN).values():
            s = r["slow"]
            rows.append([policy, f"{s['p99_before_us'] / 1e3:.1f}, {s['p99_us'] / 1e3:.1f}, {s['p99_after_us'] / 1e3:.1f}", f"{s['p99_ratio']:.2f}",
                         f"{grown(r) / 1024:.1f} of {bound(r) / 1024:.1f} MiB", f"{s['counted']:,}", f"{s['announced']:,} in {s['notices']:,}",
                         f"{s['closed_4000']} + {s['aborted']}", s["caught_up"], f"{s['others_dropped']}, {s['others_closed']}"])
    return table(["policy", "p99 ms of the others: before, with, after", "ratio", "memory taken, of its bound", "records dropped", "announced, in notices",
                  "closed with 4000 + cut off", "read on at the end, complete", "others: dropped, closed"], rows)


BLOCKS = {"about": about, "summary": summary, "every": every, "what": what, "stages": stages, "growth": curves, "slow": slow, "compression": compression}


def page(text, res, cases):
    """The page with what stands between its marks made anew."""
    def block(m):
        return f"<!-- bench: {m[1]} -->\n{BLOCKS[m[1]](res, cases)}\n<!-- end -->"
    return re.sub(r"<!-- bench: (\w+) -->\n.*?<!-- end -->", block, text, flags=re.S)


def shown(res, start, title):
    """The plots whose names begin so, as the page shows them."""
    names = [name for name in plots(res) if name.startswith(start)]
    return "".join(f"\n\n![{title}, {name.removeprefix(start).removesuffix('.svg')}](bench/{name})" for name in names)


def plots(res):
    """Files beside the page: name → SVG."""
    out = {}
    for name, points in growth(res).items():
        if len(points) > 1:
            out[f"growth-{name}.svg"] = plot.curve(f"CPU of a delivery over {name}", "µs", [(p["x"], {"odin": p["odin"], "floor": p["floor"]}) for p in points])
    for case, name in STAGED:
        runs = staged(res, case)
        if runs and "folded" in runs[-1]["profile"]:
            out[f"flame-{name}.svg"] = plot.flame(f"CPU of odin's workers by stage: {name}", runs[-1]["profile"]["folded"])
    return out


def write(path, res, cases):
    """The page, and in the directory bench beside it the plots, and the results
    that both are made of."""
    with open(path) as f:
        text = page(f.read(), res, cases)
    beside = os.path.join(os.path.dirname(path), "bench")
    os.makedirs(beside, exist_ok=True)
    for name, content in plots(res).items():
        with open(os.path.join(beside, name), "w") as f:
            f.write(content)
    with open(os.path.join(beside, "results.jsonl"), "w") as f:
        f.writelines(json.dumps(line) + "\n" for line in res.lean())
    with open(path, "w") as f:
        f.write(text)
