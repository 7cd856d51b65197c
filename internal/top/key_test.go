package top

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestActions(t *testing.T) {
	for _, c := range []struct {
		keys []Key
		want Action // of the last one
	}{
		{[]Key{'q'}, Quit},
		{[]Key{'Q'}, Quit},
		{[]Key{Interrupt}, Quit},
		{[]Key{'?', 'q'}, Quit},
		{[]Key{Suspend}, Stop},
		{[]Key{Refresh}, Redraw},
		{[]Key{'?', Refresh}, Redraw},
		{[]Key{'p'}, Nothing},
		{[]Key{'p', 'p'}, LookNow},
		{[]Key{' ', 'P'}, LookNow},
		{[]Key{'+'}, Interval},
		{[]Key{'-'}, Interval},
		{[]Key{'2'}, Nothing},
		{[]Key{'x'}, Nothing},
		{[]Key{Escape}, Nothing},
		{[]Key{-99}, Nothing},
	} {
		m := model(80, 24, look(2, 8, 96))
		var got Action
		for _, k := range c.keys {
			got = m.Key(k)
		}
		if got != c.want {
			t.Errorf("%v: %v, want %v", c.keys, got, c.want)
		}
	}
}

func TestViews(t *testing.T) {
	m := model(80, 24, look(2, 8, 96))
	for _, c := range []struct {
		key  Key
		want View
	}{
		{'2', Partitions},
		{'3', Clients},
		{'4', Clients},
		{'0', Clients},
		{'1', Workers},
		{Tab, Partitions},
		{Tab, Clients},
		{Tab, Workers},
		{BackTab, Clients},
		{BackTab, Partitions},
	} {
		m.Key(c.key)
		equal(t, "view", m.view, c.want)
		if want := "[" + string('1'+rune(c.want)) + " " + Views()[c.want] + "]"; !strings.Contains(lines(m.Frame()), want) {
			t.Errorf("no %s in\n%s", want, lines(m.Frame()))
		}
	}
}

func TestHelpComesAndGoes(t *testing.T) {
	m := model(80, 24, look(2, 8, 96))
	before := lines(m.Frame())
	for _, open := range []Key{'?', 'h'} {
		press(m, open)
		if !strings.Contains(lines(m.Frame()), "the keys") {
			t.Errorf("no help:\n%s", lines(m.Frame()))
		}
		press(m, Down, PageDown, End)
		if !strings.Contains(lines(m.Frame()), "REFUSED") {
			t.Errorf("not at its end:\n%s", lines(m.Frame()))
		}
		press(m, 'x')
		if lines(m.Frame()) != before {
			t.Errorf("after the help:\n%s", lines(m.Frame()))
		}
	}
}

func TestPauseHoldsTheFrame(t *testing.T) {
	m := model(80, 24, look(2, 8, 96))
	press(m, 'p')
	if !m.Paused() || !strings.Contains(lines(m.Frame()), "14:03:20 paused") {
		t.Errorf("not paused:\n%s", lines(m.Frame()))
	}
	press(m, 'p')
	equal(t, "paused", m.Paused(), false)
}

func TestIntervals(t *testing.T) {
	m := New(Workers, "", 3*time.Second)
	var seen []string
	for range 10 {
		m.Key('+')
		seen = append(seen, spoken(m.Interval()))
	}
	for range 11 {
		m.Key('-')
		seen = append(seen, spoken(m.Interval()))
	}
	want := "5s 10s 30s 1m 1m 1m 1m 1m 1m 1m 30s 10s 5s 2s 1s 500ms 200ms 100ms 100ms 100ms 100ms"
	equal(t, "intervals", strings.Join(seen, " "), want)
	equal(t, "beyond them all", longer(IntervalMax), IntervalMax)
	equal(t, "the same again", m.Key('-'), Nothing)
}

// firsts are the first cells of the main table's rows.
func firsts(m *Model, cell int) (cells []string) {
	for _, line := range m.tables()[0][1:] {
		cells = append(cells, strings.Fields(line.String())[cell])
	}
	return cells
}

func TestOrders(t *testing.T) {
	l := look(3, 1, 3)
	for i, w := range []struct{ sessions, owed, blocked, slow int64 }{{5, 1, 9, 2}, {7, 3, 1, 2}, {6, 2, 5, 8}} {
		l.Status.Workers[i].Sessions, l.Status.Workers[i].OwedBytes = w.sessions, w.owed
		l.Status.Workers[i].BlockedSessions, l.Status.Workers[i].SlowCloses = w.blocked, uint64(w.slow)
	}
	for i, f := range []struct{ deliveries, cores, turn, closed float64 }{{1, 0.9, 3, 1}, {2, 0.1, 2, 2}, {3, 0.5, 1, 3}} {
		r := &l.Rates.Workers[i].Flow
		r.Deliveries, r.Cores, r.Turn, r.Closed = f.deliveries, f.cores, spread(1, 1, f.turn), f.closed
	}
	for i, lag := range []int64{4, 0, 9} {
		l.Status.Partitions[i].Lag, l.Status.Partitions[i].LagS = lag, 10-float64(lag)
	}
	for _, c := range []struct {
		view  View
		order string
		want  string
	}{
		{Workers, "", "0 1 2"},
		{Workers, "worker", "0 1 2"},
		{Workers, "sessions", "1 2 0"},
		{Workers, "owed", "1 2 0"},
		{Workers, "deliveries", "2 1 0"},
		{Workers, "cpu", "0 2 1"},
		{Workers, "turn", "0 1 2"},
		{Partitions, "topic", "0 1 2"},
		{Partitions, "lag", "2 0 1"},
		{Partitions, "behind", "1 0 2"},
		{Partitions, "records", "2 1 0"},
		{Clients, "worker", "0 1 2"},
		{Clients, "sessions", "1 2 0"},
		{Clients, "owed", "1 2 0"},
		{Clients, "blocked", "0 2 1"},
		{Clients, "closed", "2 1 0"},
		{Clients, "slow", "2 0 1"}, // equal ones stay as they are
	} {
		m := New(c.view, c.order, time.Second)
		m.Resize(80, 24)
		m.Look(l)
		cell := 0
		if c.view == Partitions {
			cell = 1
		}
		equal(t, Views()[c.view]+" by "+c.order, strings.Join(firsts(m, cell), " "), c.want)
		press(m, 'r')
		back := firsts(m, cell)
		slices.Reverse(back)
		equal(t, Views()[c.view]+" by "+c.order+", reversed", strings.Join(back, " "), c.want)
	}
}

// s and S go through all orders and come back; each view has its own.
func TestSortKeys(t *testing.T) {
	m := model(80, 24, look(2, 8, 96))
	for v, name := range Views() {
		press(m, '1'+Key(v))
		orders := Orders(View(v))
		for i := range orders {
			if want := "s sort: " + orders[i]; !strings.Contains(lines(m.Frame()), want) {
				t.Errorf("%s: no %q in\n%s", name, want, lines(m.Frame()))
			}
			press(m, 's')
		}
		equal(t, "order", m.sorts[v], 0)
		press(m, 'S')
		equal(t, "order", m.sorts[v], len(orders)-1)
	}
	press(m, '1')
	equal(t, "its own", m.sorts[Workers], len(Orders(Workers))-1)
}

func TestScrolling(t *testing.T) {
	m := model(80, 24, look(2, 8, 96))
	press(m, '2')
	for _, c := range []struct {
		keys []Key
		want string
	}{
		{nil, "1-16 of 96"},
		{[]Key{Up}, "1-16 of 96"},
		{[]Key{Down}, "2-17 of 96"},
		{[]Key{'j', 'j', 'k'}, "3-18 of 96"},
		{[]Key{PageDown}, "17-32 of 96"},
		{[]Key{PageUp}, "3-18 of 96"},
		{[]Key{End}, "81-96 of 96"},
		{[]Key{Down}, "81-96 of 96"},
		{[]Key{Up}, "80-95 of 96"},
		{[]Key{Home}, "1-16 of 96"},
		{[]Key{'G'}, "81-96 of 96"},
		{[]Key{'g', Down, 's'}, "1-16 of 96"}, // another order begins at its top
		{[]Key{Down, '3', '2'}, "1-16 of 96"},
	} {
		press(m, c.keys...)
		if frame := lines(m.Frame()); !strings.Contains(frame, c.want) {
			t.Errorf("after %v no %q in\n%s", c.keys, c.want, frame)
		}
	}
	// A higher screen shows more, and never less than it could.
	press(m, End)
	m.Resize(80, 60)
	if frame := lines(m.Frame()); !strings.Contains(frame, "45-96 of 96") {
		t.Errorf("on a higher screen:\n%s", frame)
	}
	m.Resize(80, 200)
	if frame := lines(m.Frame()); strings.Contains(frame, "of 96") {
		t.Errorf("all rows fit:\n%s", frame)
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("2sG\x01r?q1", 40, 10)
	f.Fuzz(func(t *testing.T, keys string, width, height int) {
		m := model(1+(width&0xff), height&0x7f, degraded())
		for _, k := range keys {
			if k < 16 { // those that are no characters
				k = -k
			}
			m.Key(Key(k))
			checkSize(t, m.Frame(), m.width, m.height)
		}
	})
}
