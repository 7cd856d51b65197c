package status

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTextLooksAsItDid(t *testing.T) {
	for name := range scenes {
		for _, width := range []int{80, 132, 50} {
			t.Run(fmt.Sprintf("%s-%d", name, width), func(t *testing.T) {
				b := staged(t, name)
				var out strings.Builder
				if err := b.read().Text(&out, width); err != nil {
					t.Fatal(err)
				}
				checkLines(t, out.String(), width)
				checkGolden(t, fmt.Sprintf("%s-%d.golden", name, width), out.String())
			})
		}
	}
}

var scenes = map[string]func(testing.TB, *bench){
	"ready": func(testing.TB, *bench) {},
	"new": func(t testing.TB, b *bench) {
		*b = *newBench(t, 2, nil)
		b.Process().SetState(shm.Starting)
		b.Process().SetStarted(4100, b.now.Wall-second/4)
		b.SetTopologyVersion(0)
		for i := range 2 {
			b.Slot(i).SetState(shm.Starting)
			b.Slot(i).Block(1).ClearGauges()
		}
	},
	"degraded": func(_ testing.TB, b *bench) {
		b.Slot(1).SetState(shm.Gone)
		b.Slot(1).ClearGauges()
		b.Slot(1).CountRespawn()
		for i := 1; i < 19; i += 2 {
			b.SetOwner(i, event.Owner{Term: 4, Slot: event.Nobody})
		}
		b.publish(0, 4, 1000, 1235568, 75)
		b.Slot(0).SetReason("kafka 10.0.0.7:9092: connection refused (is the broker up?)")
		b.Slot(0).Block(1).Set(shm.SourceHealthy, 0)
	},
	"stopped": func(_ testing.TB, b *bench) { b.now.Monotonic += 42 * second; b.now.Wall += 42 * second },
	"stale": func(_ testing.TB, b *bench) {
		b.now.Monotonic += 7 * second
		b.Process().Beat(b.now.Monotonic)
		b.Slot(0).Beat(b.now.Monotonic)
	},
	"draining": func(_ testing.TB, b *bench) {
		b.drain(45, 60, 40_000)
	},
	"stopping": func(_ testing.TB, b *bench) {
		b.Process().SetState(shm.Draining)
		b.Slot(0).SetState(shm.Draining)
		b.Slot(1).SetState(shm.Draining)
	},
	"many": func(_ testing.TB, b *bench) {
		for i := range 20 {
			b.Slot(i).Block(1).Add(shm.Deliveries, uint64(i)*1e12)
			if i%2 == 1 {
				b.Slot(i).SetReason("trouble number " + strings.Repeat("i", i))
			}
		}
	},
	"slow": func(_ testing.TB, b *bench) {
		for i := range 2 {
			n := b.Slot(i).Block(1)
			n.Set(shm.BlockedSessions, 41)
			n.Add(shm.SlowCloses, 1702)
			n.Add(shm.SlowDrops, 90000)
			n.Add(shm.SlowConflations, 12)
			n.Add(shm.Gaps, 77)
		}
	},
	"alone": func(t testing.TB, b *bench) { *b = *newBench(t, 1, map[string]int{"a": 1}, "a") },
	"huge": func(t testing.TB, b *bench) {
		*b = *newBench(t, 128, map[string]int{strings.Repeat("very.long.name_", 16) + "x": 4096}, strings.Repeat("very.long.name_", 16)+"x")
	},
	"names": func(_ testing.TB, b *bench) {
		b.Process().SetName(shm.Version, "v1.4.0-rc.1-217-g0123456789ab-dirty")
		b.Process().SetName(shm.Node, "ip-10-137-201-33.eu-central-1.compute.internal")
		b.Process().SetName(shm.Listen, "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:3001")
		b.Process().SetName(shm.Operator, "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:9464")
		for i := range 2 {
			b.Slot(i).SetSpawn(4194303, 1, b.now.Wall-93784*second)
			b.Slot(i).SetState(shm.Ready)
			b.Slot(i).Beat(b.now.Monotonic - 30e6)
		}
	},
	"hostile": func(t testing.TB, b *bench) {
		b.Process().SetName(shm.Version, "\x1b[2J\nv1\t"+strings.Repeat("x", 90))
		b.Slot(0).SetReason("bell \a and colour \x1b[31m")
		b.partition(t, "\x1b]0;title\a"+strings.Repeat("long", 40), 0)
	},
}

// staged is a bench on which a scene has been set.
func staged(t testing.TB, scene string) *bench {
	workers := 2
	if scene == "many" {
		workers = 20
	}
	b := standard(t, workers)
	scenes[scene](t, b)
	return b
}

func checkLines(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(line) > width || strings.TrimRight(line, " ") != line {
			t.Errorf("too long, or blanks at the end: %q", line)
		}
		for _, r := range line {
			if r < ' ' || r == 0x7f {
				t.Errorf("a control character in %q", line)
			}
		}
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s\nwanted:\n%s", name, got, want)
	}
}

func TestNarrowTerminalsGetLinesOfTheLeastWidth(t *testing.T) {
	b := standard(t, 3)
	for _, width := range []int{-1, 0, 1, 20, widthMin} {
		var out strings.Builder
		if err := b.read().Text(&out, width); err != nil {
			t.Fatal(err)
		}
		checkLines(t, out.String(), widthMin)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestTextSaysWhenItCouldNotBeWritten(t *testing.T) {
	if err := (Status{}).Text(full{}, 80); err == nil {
		t.Error("no error")
	}
}

func TestLists(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{list([]int32{1}), "1"},
		{list([]int32{1, 2, 3, 4, 5, 6, 7, 8}), "1, 2, 3, 4, 5, 6 and 2 more"},
		{ranges(nil), ""},
		{ranges([]int{0}), "0"},
		{ranges([]int{0, 1, 2, 5, 7, 8}), "0-2, 5, 7-8"},
		{age(1500), "1.5s"},
		{fmt.Sprint(seconds(1499 * time.Microsecond)), "0.001"},
	} {
		equal(t, c.want, c.got, c.want)
	}
}
