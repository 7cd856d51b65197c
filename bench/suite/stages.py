"""Where the CPU of odin's workers goes, by the stages of a record's path: reads
what `go tool pprof -traces` prints of their profiles."""
import re, subprocess

# A sample belongs to the stage of the innermost function that is named here.
STAGES = [
    ("route", r"internal/route\."),
    ("encode", r"worker\.encoder\.|worker\.openSource\.encoder"),
    ("fetch", r"odin/kafka\.|franz-go/|worker\.\(\*process\)\.poll$|worker\.\(\*intake\)"),
    ("history", r"internal/replica\.\(\*\w+\)\.(Polled|Advanced)|\(\*process\)\.(takeFetched|evict)$"),
    ("bus", r"internal/bus\.|\(\*process\)\.(relay|relayAll|fill|linkReady|hear|hearBuffered|understand)$"),
    ("hub", r"internal/hub\.\(\*Hub\)|\(\*process\)\.(apply|applyWaiting|applyAll|deliver|attachAll)$"),
    ("write", r"\(\*process\)\.(writeTouched|writeSome|flush)$"),
    ("sessions", r"\(\*process\)\.(serveInput|serveEvents)$"),
    ("handshakes", r"\(\*process\)\.(serveDoors|receiveCaller|hearCaller)$"),
    ("statistics", r"\(\*process\)\.(publish|observeLatency|publishTally|runTicks)$|shm\.\(\*(Block|Process)\)"),
    ("loop", r"\(\*process\)\.(wait|rest|turn|run)$"),
    ("garbage", r"runtime\.(gcBgMarkWorker|bgsweep|bgscavenge|gcAssistAlloc\d?|gcStart)\b"),
    ("scheduling", r"runtime\.(mcall|schedule|findRunnable|mstart1?|goexit0|sysmon|park_m|gosched_m|goschedImpl)\b"),
]
STAGES = [(name, re.compile(pattern)) for name, pattern in STAGES]
ORDER = [name for name, _ in STAGES] + ["other"]

KERNEL = re.compile(r"^(internal/runtime/syscall/|syscall\.|internal/poll\.|runtime\.(futex|epollwait|write1|read)\b)")
ALLOCATING = re.compile(r"^runtime\.(mallocgc|newobject|growslice|makeslice)\b")
LOCKING = re.compile(r"^(runtime\.(lock2?|unlock2?|futex\w*|sem(acquire|release)\w*)|sync\.\(\*(RW)?Mutex\)|internal/sync\.\(\*Mutex\))")

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "mins": 60, "hrs": 3600}


def stacks(binary, profiles):
    """(seconds, [function, innermost first]) of each different stack."""
    text = subprocess.run(["go", "tool", "pprof", "-traces", binary, *profiles], check=True, capture_output=True, text=True).stdout
    found = []
    for block in re.split(r"^-+\+-+$", text, flags=re.M)[1:]:
        lines = [line for line in block.splitlines() if line.strip()]
        head = re.match(r"\s*([\d.]+)(\w+|µs)\s+(\S.*)", lines[0]) if lines else None
        if not head:
            continue
        frames = [head[3]] + [line.strip() for line in lines[1:]]
        found.append((float(head[1]) * UNITS[head[2]], [f.removesuffix(" (inline)") for f in frames]))
    return found


def stage(frames):
    for frame in frames:
        for name, pattern in STAGES:
            if pattern.search(frame):
                return name
    return "other"


def shares(found):
    """What each stage has of all, and what is spent on the kernel, on
    allocating and on locks, wherever that is."""
    total = sum(s for s, _ in found)
    by = dict.fromkeys(ORDER, 0.0)
    across = dict(kernel=0.0, allocating=0.0, locks=0.0)
    hot = dict(allocating=0.0, locks=0.0)  # of what is done for each delivery
    for seconds, frames in found:
        name = stage(frames)
        by[name] += seconds
        if KERNEL.search(frames[0]):
            across["kernel"] += seconds
        for what, pattern in (("allocating", ALLOCATING), ("locks", LOCKING)):
            if any(pattern.search(f) for f in frames):
                across[what] += seconds
                if name in ("hub", "write"):
                    hot[what] += seconds
    ratio = lambda d: {k: round(v / (total or 1), 5) for k, v in d.items()}
    return {"seconds": round(total, 2), "stages": ratio(by), "across": ratio(across), "hot": ratio(hot)}


def below_main(frames):
    """Without what every stack of the loop begins with."""
    starts = [i for i, f in enumerate(frames) if f.endswith("worker.Main")]
    return frames[: starts[0]] or frames if starts else frames


def shorten(frame):
    return re.sub(r"github\.com/(odin-ws/odin|twmb)/", "", frame)


def folded(found, least=0.005):
    """The stacks as one line each, outermost first, below their stage; what is
    less than this share of all is cut off at the frame that has as much."""
    total = sum(s for s, _ in found)
    weight = {}
    paths = []
    for seconds, frames in found:
        path = (stage(frames),) + tuple(shorten(f) for f in reversed(below_main(frames)))
        paths.append((seconds, path))
        for i in range(1, len(path) + 1):
            weight[path[:i]] = weight.get(path[:i], 0) + seconds
    kept = {}
    for seconds, path in paths:
        while len(path) > 1 and weight[path] < least * total:
            path = path[:-1]
        kept[path] = kept.get(path, 0) + seconds
    return {";".join(path): round(seconds / (total or 1), 5) for path, seconds in sorted(kept.items())}
