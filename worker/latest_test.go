package worker

import (
	"fmt"
	"testing"
)

// latestOf subscribes with `last` and returns the records that the answer
// announces.
func (g *guest) latestOf(n int, channels string) (got []string) {
	g.t.Helper()
	g.send(fmt.Sprintf(`{"type":"subscribe","data":{"channels":[%s],"last":%d}}`, channels, n))
	ack := g.next()
	if ack.Type != "subscription_ack" {
		g.t.Fatalf("answered with %+v", ack)
	}
	for range ack.History {
		m := g.next()
		got = append(got, fmt.Sprintf("%s=%s", m.Channel, m.Data))
	}
	g.send(`{"type":"heartbeat"}`)
	if m := g.next(); m.Type != "pong" {
		g.t.Errorf("behind the %d announced comes %+v", ack.History, m)
	}
	return got
}

func TestLatest(t *testing.T) {
	st := newTheatre(t, 1, nil)
	for i, key := range []string{"A", "B", "A", "A", "C", "B", "A"} {
		st.produce("odin.trades", 1, key, fmt.Sprint(i))
	}
	st.produce("odin.balances", 1, "A", "7")
	st.settled()
	for _, c := range []struct {
		before   string
		n        int
		channels string
		want     string
	}{
		{"", 1, `"A.trade"`, "[A.trade=6]"},
		{"", 3, `"A.trade"`, "[A.trade=2 A.trade=3 A.trade=6]"},
		{"", 100, `"A.trade"`, "[A.trade=0 A.trade=2 A.trade=3 A.trade=6]"},
		{"", 1, `"A.trade","B.trade","none.trade"`, "[B.trade=5 A.trade=6]"},
		{"", 1, `"A.*"`, "[A.trade=6 A.balances=7]"},
		{"", 1, `"*.trade"`, "[C.trade=4 B.trade=5 A.trade=6]"},
		{"", 2, `"*.*","A.trade"`, "[B.trade=1 A.trade=3 C.trade=4 B.trade=5 A.trade=6 A.balances=7]"},
		{"", 0, `"A.trade"`, "[]"},
		{"", 1, `"bad"`, "[]"},
		{"A.trade", 5, `"A.trade"`, "[]"},
		{"A.trade", 1, `"*.trade"`, "[C.trade=4 B.trade=5]"},
		{"*.trade", 5, `"A.*"`, "[A.balances=7]"},
	} {
		g := st.visit(0)
		if c.before != "" {
			g.subscribe(c.before)
		}
		if got := fmt.Sprint(g.latestOf(c.n, c.channels)); got != c.want {
			t.Errorf("the last %d of %s behind %q: %s, want %s", c.n, c.channels, c.before, got, c.want)
		}
	}
}

// What a worker finds in the log when it starts is what the one before it had.
func TestLatestBehindARestart(t *testing.T) {
	st := newTheatre(t, 2, nil)
	cursor := st.visit(0).subscribe("A.trade").Cursor
	for i := range 40 {
		st.produce("odin.trades", 1, "A", fmt.Sprint(i))
	}
	st.settled()
	again := st.another(2)
	again.await("the past is there", func() bool {
		g := again.visit(0)
		defer g.conn.Close()
		return len(g.latestOf(100, `"A.trade"`)) == 40
	})
	for w := range again.workers {
		if got := again.answered(w, cursor, "A.trade"); got != "true 40" {
			t.Errorf("worker %d: %s", w, got)
		}
	}
	again.produce("odin.trades", 1, "A", "40")
	again.settled()
	if got := fmt.Sprint(again.visit(0).latestOf(3, `"A.trade"`)); got != "[A.trade=38 A.trade=39 A.trade=40]" {
		t.Errorf("past and present: %s", got)
	}
}
