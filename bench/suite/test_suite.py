"""Does the suite see what is wrong, and say what was measured?"""
import json, os, pathlib, sys, tempfile, types, unittest, unittest.mock, xml.dom.minidom
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import main, plot, stages, tables
from cases import Scale, cases
from figures import figures
from results import Results, read
from runs import faults


def run(case, label, round, us=1.0, foreign=0.0, **more):
    r = {"case": case, "label": label, "round": round, "try": 1, "n": 100, "size": 200, "rate": "50", "opened": 100, "closed": 0, "missing": 0, "gaps": 0,
         "deliveries": 1000, "deliveries_per_s": 100.0, "window_s": 10.0, "server_cpu_s": us / 1e3, "server_us_per_delivery": us, "server_cores": 0.1,
         "client_cpu_s": 0.1, "lat_us": {"p50": 1000.0, "p99": 2000.0}, "foreign_cores": foreign, "machine_steal_pct": 0.0}
    return dict(r, **more)


class TestFaults(unittest.TestCase):
    def test_right(self):
        self.assertEqual(faults(run("paced", "odin", 1)), [])

    def test_wrong(self):
        for more in ({"missing": 1}, {"gaps": 2}, {"dups": 1}, {"reorders": 1}, {"closed": 1}, {"proto_errors": 1}, {"opened": 99}, {"error": "x"},
                     {"storm": {"failed": 1}}, {"published": {"published": 0}}, {"published": {"published": 5, "refused": 1}}, {"profile": {"error": "none"}}):
            self.assertTrue(faults(run("paced", "odin", 1, **more)), more)

    def test_slow_sessions_are_opened_too(self):
        slow = {"stuck": 10, "throttled": 10}
        self.assertEqual(faults(run("slow-drop", "odin", 1, opened=80, slow=slow)), [])
        self.assertTrue(faults(run("slow-drop", "odin", 1, opened=100, slow=slow)))


class TestFigures(unittest.TestCase):
    def of(self, *runs):
        return {(f.case, f.what): f for f in figures(Results(list(runs)))}

    def test_rounds_are_compared_with_themselves(self):
        runs = [run("paced", "limit", i, us=u) for i, u in enumerate((10, 20, 30))] + [run("paced", "odin", i, us=u) for i, u in enumerate((11, 24, 33))]
        f = self.of(*runs)["paced", "CPU a delivery, × floor"]
        self.assertEqual([round(v, 2) for v in f.values], [1.1, 1.2, 1.1])
        self.assertTrue(f.reached)
        f = self.of(*runs[:3], *[run("paced", "odin", i, us=40) for i in range(3)])["paced", "CPU a delivery, × floor"]
        self.assertFalse(f.reached)

    def test_the_least_disturbed_try_counts(self):
        runs = [run("paced", "limit", 1, us=10), run("paced", "odin", 1, us=99, foreign=0.5), run("paced", "odin", 1, us=11, foreign=0.1)]
        self.assertEqual(self.of(*runs)["paced", "CPU a delivery, × floor"].values, [1.1])

    def test_a_failed_run_spoils_no_other(self):
        runs = [run("paced", "limit", 1, us=10), run("paced", "odin", 1, us=11), {"case": "paced", "label": "odin", "round": 2, "faults": ["x"]},
                {"case": "burst", "label": "odin", "round": 1, "faults": ["x"]}]
        self.assertEqual(list(self.of(*runs)), [("paced", "CPU a delivery, × floor")])

    def test_a_floor_that_cost_nothing_has_no_ratio(self):
        runs = [run("burst", label, 1, us=u) for label, u in (("limit-batch, frames as Odin's", 0), ("odin", 1), ("odin, nobody listens", 0.5))]
        self.assertEqual(list(self.of(*runs)), [])
        runs[0] = run("burst", runs[0]["label"], 1, us=2)
        self.assertEqual([f.values for f in self.of(*runs).values()], [[0.25]])


class TestStages(unittest.TestCase):
    def test_innermost_counts(self):
        worker = "github.com/odin-ws/odin/worker."
        for frames, want in (
            (["internal/runtime/syscall/linux.Syscall6", "x/internal/loop.Write", worker + "(*process).flush", worker + "(*process).turn"], "write"),
            (["memeqbody", worker + "(*process).serveInput", worker + "(*process).writeSome"], "sessions"),
            (["github.com/odin-ws/odin/internal/route.(*Table).Place", worker + "encoder.func1", "github.com/odin-ws/odin/kafka.(*Source).Poll"], "route"),
            (["github.com/odin-ws/odin/internal/wire.AppendRecord", worker + "encoder.func1", "github.com/odin-ws/odin/kafka.(*Source).Poll"], "encode"),
            (["syscall.write", "github.com/twmb/franz-go/pkg/kgo.(*broker).handleReq"], "fetch"),
            (["x/internal/replica.(*Store).put", "x/internal/replica.(*Replica).Advanced", worker + "(*process).linkReady"], "history"),
            (["x/internal/replica.(*Replica).Next", worker + "(*process).fill", worker + "(*process).relay"], "bus"),
            (["runtime.futex", "runtime.findRunnable", "runtime.mcall"], "scheduling"),
            (["nobody.knows"], "other"),
        ):
            self.assertEqual(stages.stage(frames), want, frames)

    def test_shares(self):
        found = [(3.0, ["runtime.mallocgc", "x/worker.(*process).flush"]), (1.0, ["runtime.mcall"])]
        got = stages.shares(found)
        self.assertEqual((got["stages"]["write"], got["stages"]["scheduling"], got["hot"]["allocating"]), (0.75, 0.25, 0.75))
        self.assertAlmostEqual(sum(stages.folded(found).values()), 1)


class TestPage(unittest.TestCase):
    def test_blocks(self):
        res = Results([{"command": "make bench", "date": "2000-01-01", "version": "v", "rounds": 1, "minutes": 1, "cores": 2, "cpu": "c", "kernel": "6", "go": "Go"},
                       run("paced", "limit", 1, us=10), run("paced", "odin", 1, us=11)])
        text = "words\n" + "".join(f"<!-- bench: {name} -->\nold\n<!-- end -->\nkept\n" for name in tables.BLOCKS)
        once = tables.page(text, res, cases(Scale(), []))
        self.assertNotIn("old", once)
        self.assertEqual(once.count("kept"), len(tables.BLOCKS))
        self.assertIn("**1.10**", once)
        self.assertEqual(tables.page(once, res, cases(Scale(), [])), once)

    def test_results_make_the_same_page_again(self):
        with tempfile.TemporaryDirectory() as d:
            page = os.path.join(d, "PAGE.md")
            with open(page, "w") as f:
                f.write("".join(f"<!-- bench: {name} -->\n<!-- end -->\n" for name in tables.BLOCKS))
            about = {"command": "make bench", "date": "2000-01-01", "version": "v", "rounds": 2, "minutes": 1, "cores": 2, "cpu": "c", "kernel": "6", "go": "Go"}
            profile = dict(stages.shares([(1.0, ["x"])]), folded={"other;x": 1.0})
            tables.write(page, Results([about] + [run("sparse", "odin", i, profile=profile) for i in (1, 2)]), cases(Scale(), []))
            files = lambda: {p.name: p.read_text() for p in pathlib.Path(d).rglob("*") if p.is_file()}
            first = files()
            self.assertEqual(first["results.jsonl"].count("folded"), 1)
            self.assertIn("flame-sparse.svg", first)
            tables.write(page, Results(read(os.path.join(d, "bench", "results.jsonl"))), cases(Scale(), []))
            self.assertEqual(files(), first)

    def test_what_was_not_measured_says_so(self):
        self.assertEqual(tables.slow(Results([run("paced", "odin", 1)]), []), "Not measured yet.")

    def test_plots_are_xml(self):
        for text in (plot.curve("a & b", "µs", [(10, {"odin": [1, 2, 3], "floor": [1]}), (1000, {"odin": [2], "floor": []})]),
                     plot.flame("a < b", {"write;a<b>;c": 0.5, "hub;d": 0.25, "write;e": 0.25})):
            xml.dom.minidom.parseString(text)


class TestResume(unittest.TestCase):
    def suite(self, d, wanted):
        options = types.SimpleNamespace(tools=d, odind="true", out=d, rounds=2, retries=0, quick=True, minutes=0)
        about = {"command": "make bench", "version": "v2"}
        with unittest.mock.patch("main.about", lambda o: about), unittest.mock.patch("main.Suite.tell", lambda *_: None):
            s = main.Suite(options, wanted)
            s.runner.run = self.one
            s.run()
            return s

    def one(self, case, r, done):
        self.ran.append((case.name, r.name))
        return run(case.name, r.name, 0, n=r.n, opened=r.n)

    def test_what_is_there_is_not_run_again(self):
        wanted = [c for c in cases(Scale(quick=True), []) if c.name in ("burst", "paced5k")]
        listed = [(c.name, r.name) for c in wanted for r in c.runs]
        owed = sorted(listed * 2)
        owed.remove(("burst", "odin"))
        with tempfile.TemporaryDirectory() as d:
            with open(os.path.join(d, "results.jsonl"), "w") as f:
                for line in ({"command": "make bench", "version": "v1"}, run("burst", "odin", 2), {"case": "burst", "label": "odin", "round": 1, "error": "x"}):
                    f.write(json.dumps(line) + "\n")
                f.write('{"case": "burst", "la')  # cut off
            self.ran = []
            s = self.suite(d, wanted)
            self.assertEqual(sorted(self.ran), owed)
            self.assertEqual(s.faulty, [])
            res = Results(read(os.path.join(d, "results.jsonl")))
            self.assertEqual(res.about["version"], "v1, v2")
            self.assertEqual([len(res.rounds(c.name, r.name)) for c in wanted for r in c.runs], [2] * len(listed))
            self.ran = []
            self.suite(d, wanted)
            self.assertEqual(self.ran, [])


class TestCases(unittest.TestCase):
    def test_names_differ(self):
        for scale in (Scale(), Scale(quick=True), Scale(longest=2)):
            names = [c.name for c in cases(scale, ["nats-server"])]
            self.assertEqual(len(names), len(set(names)))
            for c in cases(scale, ["nats-server"]):
                labels = [r.name for r in c.runs]
                self.assertEqual(len(labels), len(set(labels)), c.name)


if __name__ == "__main__":
    unittest.main()
