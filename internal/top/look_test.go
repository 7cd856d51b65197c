package top

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
)

// styled are the spans of a style, in the order of the frame.
func styled(m *Model, style text.Style) (found []string) {
	for _, line := range m.Frame() {
		for _, s := range line {
			if words := strings.TrimSpace(s.Text); s.Style == style && words != "" && !strings.HasPrefix(words, "! ") && !strings.HasPrefix(words, "[") {
				found = append(found, words)
			}
		}
	}
	return found
}

func TestWhatIsWrongStandsOut(t *testing.T) {
	m := model(120, 40, degraded())
	equal(t, "bad", strings.Join(styled(m, text.Bad), "|"), "degraded|2.7s|gone|0, none: 6|1,234,567|p4: 1.23M, 1m15s")
	equal(t, "odd", strings.Join(styled(m, text.Odd), "|"), "41 blocked|3.5 closed/s|37.0M|40|p1: 40, 3.0s")
	press(m, '2')
	equal(t, "bad partitions", strings.Join(styled(m, text.Bad), "|"), "degraded|1,234,567|1m15s")
	press(m, PageDown)
	equal(t, "without an owner", strings.Join(styled(m, text.Bad), "|"), "degraded|none|none|none|none|none|none")
	press(m, '3')
	equal(t, "odd clients", strings.Join(styled(m, text.Odd), "|"), "41 blocked|3.5 closed/s|41|3.5")

	well := model(120, 40, look(2, 8, 96))
	equal(t, "nothing bad", strings.Join(append(styled(well, text.Bad), styled(well, text.Odd)...), "|"), "")
}

func TestMetersFill(t *testing.T) {
	for cores, want := range map[float64]string{
		0: "[          ]", 0.04: "[          ]", 0.05: "[|         ]", 0.5: "[|||||     ]", 1: "[||||||||||]", 7: "[||||||||||]", -1: "[          ]",
	} {
		equal(t, "meter", meter(cores), want)
	}
	equal(t, "idle", load(0.2), text.Good)
	equal(t, "busy", load(busy), text.Odd)
	equal(t, "full", load(full), text.Bad)
}

// While there is no odind the frame says so, and goes on when one is back; the
// charts forget nothing.
func TestWaiting(t *testing.T) {
	m := model(80, 24, look(2, 8, 96))
	points := len(m.history[Workers])
	m.Look(Look{At: start.Add(75 * time.Second), Missing: missing})
	frame := lines(m.Frame())
	for _, want := range []string{"odind is not running, waiting", "14:04:35 every 1s", "/run/odin/stats.shm", "last seen at 14:03:20, 1m15s ago"} {
		if !strings.Contains(frame, want) {
			t.Errorf("no %q in\n%s", want, frame)
		}
	}
	press(m, '2', Down, 's', '?', End, 'x') // nothing is there to be scrolled or sorted
	again := look(2, 8, 96)
	again.At, again.Rates = start.Add(80*time.Second), status.Rates{}
	m.Look(again)
	if frame := lines(m.Frame()); !strings.Contains(frame, "odind v1.4.0   ready") || !strings.Contains(frame, "14:04:40") {
		t.Errorf("it is back:\n%s", frame)
	}
	equal(t, "points", len(m.history[Workers]), points) // the first look has no rates
}

func TestWaitingFromTheStart(t *testing.T) {
	m := New(Workers, "", time.Second)
	m.Resize(80, 24)
	press(m, Down, End)
	equal(t, "lines before anything", len(m.Frame()), 24)
	m.Look(Look{At: start, Missing: "there is none"})
	if frame := lines(m.Frame()); strings.Contains(frame, "last seen") || !strings.Contains(frame, "there is none") {
		t.Errorf("never seen:\n%s", frame)
	}
}

func TestChartsAreBounded(t *testing.T) {
	var s series
	for i := range 3 * historyMax {
		s = s.with(start.Add(time.Duration(i)*time.Second), float64(i))
	}
	equal(t, "points", len(s), historyMax)
	equal(t, "newest", s[len(s)-1].value, 3*historyMax-1)
	equal(t, "too low", len(s.chart("x", 80, chartMin-1)), 0)
	equal(t, "lowest", len(s.chart("x", 80, chartMin)), chartMin)
	equal(t, "highest", len(s.chart("x", 80, 1000)), chartMax)
}

func TestChartShowsLevels(t *testing.T) {
	var s series
	for i, v := range []float64{0, 1, 4, 8, 16, 15.9} {
		s = s.with(start.Add(time.Duration(i)*2*time.Second), v)
	}
	got := strings.Join(text.Strings(s.chart("x", 20, 3)), "|")
	equal(t, "chart", got, "x, the last 10s|                  ██|               ▁▄███") // two rows, sixteen steps
	var flat series
	flat = flat.with(start, 0)
	equal(t, "nothing", strings.Join(text.Strings(flat.chart("x", 20, 3)), "|"), "x, the last 0ms||")
}

func TestDocument(t *testing.T) {
	l := look(1, 1, 1)
	for _, c := range []struct {
		look Look
		want string
	}{
		{Look{At: start, Missing: "none"}, `{"ts":1772373800000,"running":false,"error":"none","status":null,"rates":null}`},
		{l, `"running":true,"error":"","status":{"ts":0,"version":"v1.4.0",`},
		{l, `"rates":{"interval_s":1,"deliveries_per_s":123456,`},
		{l, `"workers":[{"slot":0,"deliveries_per_s":123456,`},
		{l, `"partitions":[{"topic":"odin.trades","partition":0,"records_per_s":0}]`},
	} {
		got, err := json.Marshal(c.look.Document())
		if err != nil || !strings.Contains(string(got), c.want) {
			t.Errorf("%v: no %s in %s", err, c.want, got)
		}
	}
}
