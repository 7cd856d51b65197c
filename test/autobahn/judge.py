"""judge.py [--write PAGE] INDEX...: what came of Autobahn's cases.

INDEX is Autobahn's of a run; of several, a case counts as it came out last.
Fails if one failed. PAGE becomes a page of the counts by group.
"""

import argparse
import collections
import datetime
import json
import sys

GROUPS = {
    1: "frames of text and bytes", 2: "pings and pongs", 3: "reserved bits", 4: "opcodes", 5: "fragments",
    6: "UTF-8", 7: "closing", 9: "large and many messages", 10: "fragments made by the client",
    12: "compression, by payload", 13: "compression, by what is offered",
}

# NON-STRICT is right, but not what Autobahn likes best; INFORMATIONAL isn't
# judged. UNIMPLEMENTED, an offer of compression that isn't taken, would be right
# too, but Odin takes all of them.
RIGHT = ("OK", "NON-STRICT", "INFORMATIONAL")
RIGHT_CLOSE = ("OK", "INFORMATIONAL")

PAGE = """<!-- Written by `make conformance`. -->
# What Autobahn says of Odin

`make conformance`, {day}: every case of [Autobahn's suite](https://github.com/crossbario/autobahn-testsuite) 0.8.2, RFC 6455 and RFC 7692, against an `odind` that is built to send every message back, through its own loop, reader and queues, and to say nothing by itself. Beyond that build tag (`echo`) only limits are raised, and compression is switched on, by environment variables (`test/autobahn/run.sh`).

| group | of | cases | OK | NON-STRICT | INFORMATIONAL | failed |
|---|---|---|---|---|---|---|
{rows}

{remarks}
"""


def number(case):
    return tuple(int(n) for n in case.split("."))


def is_right(case):
    return case["behavior"] in RIGHT and case["behaviorClose"] in RIGHT_CLOSE


def by_group(cases):
    groups = collections.defaultdict(dict)
    for name, case in cases.items():
        groups[number(name)[0]][name] = case
    return sorted(groups.items())


def named(cases, behavior):
    return sorted((n for n, c in cases.items() if c["behavior"] == behavior), key=number)


def counts(cases):
    right = [c["behavior"] for c in cases.values() if is_right(c)]
    return [len(cases)] + [right.count(kind) for kind in RIGHT] + [len(cases) - len(right)]


def page(cases, runs, failed_before):
    rows = [[g, GROUPS.get(g, "")] + counts(of) for g, of in by_group(cases)]
    rows.append(["all", ""] + counts(cases))
    remarks = []
    if runs > 1:
        remarks.append("The cases are of %d runs; each counts as it came out last. Failed before: %s." % (runs, ", ".join(failed_before) or "none"))
    if late := named(cases, "NON-STRICT"):
        remarks.append("NON-STRICT: %s. Each of them sends what is right and then, at once, what is wrong. RFC 6455 (section 7.1.7) leaves open whether the first is still answered before the connection is failed; Odin fails it without, if both arrive together. So a few of such cases are OK in one run and NON-STRICT in another." % ", ".join(late))
    if shown := named(cases, "INFORMATIONAL"):
        remarks.append("INFORMATIONAL, left to who implements it, and so not judged: %s." % ", ".join(shown))
    return PAGE.format(day=datetime.date.today(), remarks="\n\n".join(remarks),
                       rows="\n".join("| %s |" % " | ".join(map(str, r)) for r in rows))


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--write", metavar="PAGE")
    args.add_argument("index", nargs="+")
    args = args.parse_args()
    cases, failed_before = {}, []
    for name in args.index:
        with open(name) as f:
            cases.update(json.load(f)["odin"])
        if name != args.index[-1]:
            failed_before += [n for n in cases if not is_right(cases[n])]
    for name in sorted(cases, key=number):
        if not is_right(cases[name]):
            print(name, cases[name]["behavior"], "closing:", cases[name]["behaviorClose"])
    for name in named(cases, "NON-STRICT"):
        print(name, "non-strict")
    for group, of in by_group(cases):
        kinds = collections.Counter(c["behavior"] for c in of.values())
        print("group %d: %s" % (group, ", ".join("%d %s" % (n, kind) for kind, n in sorted(kinds.items()))))
    if args.write:
        with open(args.write, "w") as f:
            f.write(page(cases, len(args.index), sorted(set(failed_before), key=number)))
    failed = counts(cases)[-1]
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return int(failed > 0 or not cases)


sys.exit(main())
