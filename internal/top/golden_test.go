package top

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scenes are models of which the frames are kept.
var scenes = map[string]func(width, height int) *Model{
	"workers": func(w, h int) *Model { return model(w, h, look(2, 8, 96)) },
	"many":    func(w, h int) *Model { return model(w, h, look(16, 8, 96)) },
	"most":    func(w, h int) *Model { m := model(w, h, look(128, 64, 4096)); press(m, PageDown, Down); return m },
	"alone":   func(w, h int) *Model { return model(w, h, look(1, 1, 1)) },
	"first": func(w, h int) *Model {
		m := New(Workers, "", 5*second)
		m.Resize(w, h)
		l := look(2, 8, 96)
		l.Rates = status.Rates{}
		m.Look(l)
		return m
	},
	"starting": func(w, h int) *Model {
		l := look(2, 8, 0)
		l.Status.State, l.Status.UptimeS = status.Starting, 0.3
		for i := range l.Status.Workers {
			l.Status.Workers[i].State, l.Status.Workers[i].ResidentBytes = status.Starting, 0
		}
		return model(w, h, l)
	},
	"draining": func(w, h int) *Model {
		l := look(2, 8, 96)
		l.Status.State = status.Draining
		l.Status.Drain = &status.Drain{OverS: 60, ElapsedS: 15, EtaS: 45, SessionsAtStart: 16441, SessionsClosed: 4110, SessionsLeft: l.Status.Sessions}
		for i := range l.Status.Workers {
			l.Status.Workers[i].State = status.Draining
		}
		return model(w, h, l)
	},
	"degraded":   func(w, h int) *Model { return model(w, h, degraded()) },
	"troubles":   func(w, h int) *Model { return model(w, h, troubles()) },
	"partitions": func(w, h int) *Model { m := model(w, h, degraded()); press(m, '2', 's', PageDown); return m },
	"clients":    func(w, h int) *Model { m := model(w, h, degraded()); press(m, '3'); return m },
	"help":       func(w, h int) *Model { m := model(w, h, look(2, 8, 96)); press(m, '?', Down); return m },
	"paused":     func(w, h int) *Model { m := model(w, h, look(2, 8, 96)); press(m, 'p', 's', 'r'); return m },
	"waiting": func(w, h int) *Model {
		m := model(w, h, look(2, 8, 96))
		m.Look(Look{At: start.Add(12 * second), Missing: missing})
		return m
	},
	"hostile": func(w, h int) *Model {
		l := look(2, 8, 96)
		l.Status.Version, l.Status.Node = "\x1b[2J\nv1\t"+strings.Repeat("x", 300), strings.Repeat("\u202e名", 90)
		l.Status.Warnings = []string{"bell \a and colour \x1b[31m " + strings.Repeat("long", 90)}
		l.Status.State = status.Degraded
		l.Status.Partitions[0].Topic = "\x1b]0;title\a" + strings.Repeat("long", 60)
		return model(w, h, l)
	},
}

const missing = "shm: open /run/odin/stats.shm: no odind holds its lock: the segment was left behind (start odind; its next start replaces the file)"

func degraded() Look {
	l := look(2, 8, 96)
	l.Status.State = status.Degraded
	l.Status.Warnings = []string{
		"worker 0: kafka 10.0.0.7:9092: connection refused (is the broker up?)", "worker 1: gone (1 respawn so far)",
		"odin.social: no owner for partitions 1, 3, 5, 7, 9, 11", "odin.trades: partition 4 is 1,234,567 records behind, for 1m15s",
	}
	l.Status.Workers[1].State, l.Status.Workers[1].Respawns = status.Gone, 1
	l.Status.Workers[0].BlockedSessions, l.Status.Workers[0].SlowCloses, l.Status.Workers[0].OwedBytes = 41, 1702, 37<<20
	l.Status.Workers[0].HeartbeatAgeMS = 2700
	l.Rates.Workers[0].SlowCloses, l.Rates.SlowCloses, l.Rates.Workers[0].Cores = 3.5, 3.5, 0.97
	l.Status.Partitions[4].Lag, l.Status.Partitions[4].LagS = 1234567, 75
	l.Status.Partitions[13].Lag, l.Status.Partitions[13].LagS = 40, 3
	for i := 37; i < 48; i += 2 {
		l.Status.Partitions[i].Owner = nil
	}
	return l
}

// troubles has more warnings than there is room for.
func troubles() Look {
	l := look(16, 8, 96)
	l.Status.State = status.Degraded
	for i := range 16 {
		l.Status.Warnings = append(l.Status.Warnings, fmt.Sprintf("worker %d: %s", i, strings.Repeat("many words ", i)))
	}
	return l
}

func TestFramesLookAsTheyDid(t *testing.T) {
	for name, scene := range scenes {
		for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 10}} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				frame := scene(size[0], size[1]).Frame()
				checkSize(t, frame, size[0], size[1])
				checkGolden(t, fmt.Sprintf("%s-%dx%d.golden", name, size[0], size[1]), lines(frame))
			})
		}
	}
}

// A frame of any size has that size, whatever is pressed.
func TestEverySize(t *testing.T) {
	for name, scene := range scenes {
		if name == "most" { // like many, but slow
			continue
		}
		m := scene(80, 24)
		for _, width := range []int{0, 1, 2, 7, 19, 31, 40, 63, 79, 100, 220} {
			for _, height := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 15, 16, 19, 24, 49} {
				m.Resize(width, height)
				for _, k := range []Key{0, End, '2', End, '3', Up, '?', End, Escape, '1'} {
					m.Key(k)
					checkSize(t, m.Frame(), max(width, 1), height)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("in the scene %s", name)
		}
	}
}

// The frame in docs/OPERATIONS.md is one that is made.
func TestTheFrameInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	if frame := lines(scenes["workers"](80, 24).Frame()); !strings.Contains(string(page), "```text\n"+frame+"```") {
		t.Errorf("docs/OPERATIONS.md doesn't show this:\n%s", frame)
	}
}

func TestPlainFramesAreWhole(t *testing.T) {
	for _, name := range []string{"most", "troubles", "partitions", "clients", "waiting"} {
		frame := scenes[name](80, 0).Frame()
		checkSize(t, frame, 80, 0)
		checkGolden(t, name+"-plain.golden", lines(frame))
	}
}

func lines(frame []text.Line) string { return strings.Join(text.Strings(frame), "\n") + "\n" }

func checkSize(t *testing.T, frame []text.Line, width, height int) {
	t.Helper()
	if height > 0 && len(frame) != height {
		t.Errorf("%d lines of %d", len(frame), height)
	}
	for _, line := range frame {
		if line.Width() > width {
			t.Errorf("%d columns of %d: %q", line.Width(), width, line.String())
		}
		for _, r := range line.String() {
			if r < ' ' || r == 0x7f || r == utf8.RuneError {
				t.Errorf("a control character in %q", line.String())
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
