package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/control"
)

// session asks a worker for all of one session.
func (st *theatre) session(worker int, id control.SessionID) (all control.Session, patterns []string, cursor []control.CursorPart, end control.Response) {
	st.t.Helper()
	end, err := control.ReadAnswer(st.inquire(worker, control.Query{Kind: control.OneSession, Session: id}), func(r control.Response) error {
		var item control.SessionItem
		st.must(json.Unmarshal(r.Item, &item))
		if item.Session != nil {
			all = *item.Session
		}
		patterns = append(patterns, item.Patterns...)
		if item.Cursor != nil {
			cursor = append(cursor, *item.Cursor)
		}
		return nil
	})
	st.must(err)
	return all, patterns, cursor, end
}

func TestOneSession(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.visit(0)
	g := st.visit(0)
	var want []string
	for i := range 2*control.PatternsMax + 1 {
		want = append(want, fmt.Sprintf("C%d.trade", i))
	}
	g.subscribe(want...)
	st.produce("odin.trades", 2, "C7", `{}`)
	g.next()
	g.send("{")
	g.next()
	id := control.SessionID{Generation: 1, Number: 2}
	all, patterns, cursor, end := st.session(0, id)
	if !end.OK || all.ID != id || all.State != control.StateOpen || all.Records != 1 || all.Errors != 1 || all.PingMS <= all.OpenedMS || all.Remote != local(g) {
		t.Errorf("%+v, %+v", all, end)
	}
	if !slices.Equal(patterns, want) {
		t.Errorf("%d patterns: %.200q", len(patterns), patterns)
	}
	if len(cursor) != 1 || cursor[0].Topic != "odin.trades" || !slices.Equal(cursor[0].Offsets, []int64{-1, -1, 0, -1}) || cursor[0].Epoch == "" {
		t.Errorf("cursor %+v", cursor)
	}
	g.conn.NetConn().Close()
	st.await("it has ended", func() bool {
		all, patterns, cursor, end = st.session(0, id)
		return end.OK && all.State == control.StateClosed
	})
	if all.Reason != control.ClientGone || all.Channels != len(want) || all.Records != 1 || patterns != nil || cursor != nil {
		t.Errorf("afterwards %+v, %d patterns, %+v", all, len(patterns), cursor)
	}
}

func TestOneSessionThatIsNone(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.visit(0)
	for want, id := range map[string]control.SessionID{
		"no session 0-1-2, neither": {Generation: 1, Number: 2},
		"no session 0-1-0, neither": {Generation: 1},
		"which is gone with all":    {Generation: 2, Number: 1},
		"belongs to worker 3":       {Slot: 3, Generation: 1, Number: 1},
	} {
		if _, _, _, end := st.session(0, id); end.OK || !strings.Contains(end.Error, want) {
			t.Errorf("%s: %+v", id, end)
		}
	}
}

// What a slow session is owed is told as it is.
func TestOneSessionThatOwes(t *testing.T) {
	p := stopped(t, nil)
	s, _ := guestOf(t, p)
	if _, ok := p.join(s, []byte("A.trade")); !ok {
		t.Fatal("not subscribed")
	}
	s.blocked = true
	feed(t, p, 0, 3, 1<<10)
	p.applyAll(p.partitions[0])
	before := s.queue.Bytes
	p.say(s, func(dst []byte) []byte { return append(dst, "0123456789"...) })
	d := p.describe(s)
	if d.State != control.StateBlocked || d.OwedRecords != 3 || d.OwnBytes != 10 || d.OwedBytes != before+10 || d.Pieces != len(s.queue.Pieces) {
		t.Errorf("%+v of %+v", d, s.queue)
	}
	s.awaiting, s.deadline = true, p.now+5e9
	if d := p.describe(s); d.PongDueMS-d.OpenedMS < 5000 {
		t.Errorf("the pong is due at %d, opened at %d", d.PongDueMS, d.OpenedMS)
	}
}

// A census of many sessions goes in portions, and misses none of those that
// stay.
func TestCensusGoesInPortions(t *testing.T) {
	p := stopped(t, nil)
	want := map[uint64]bool{}
	for n := range uint64(5 * pageSize) {
		s := p.sessions.add()
		s.stage, s.number = open, n+1
		want[s.number] = true
	}
	defer func() { p.sessions = table{} }()
	condition, err := control.Connections{}.Condition()
	if err != nil {
		t.Fatal(err)
	}
	c := &census{condition: condition} // without a budget: a few at a time
	portions := 0
	for more := true; more; portions++ {
		more = c.live(p)
		for _, f := range c.found {
			if !want[f.ID.Number] {
				t.Fatalf("session %d twice, or from nowhere", f.ID.Number)
			}
			delete(want, f.ID.Number)
		}
		s := p.sessions.add() // comes meanwhile, and goes
		s.stage = open
		p.sessions.remove(s)
	}
	if len(want) != 0 || c.count.Looked != 5*pageSize || portions < 5*pageSize/16 {
		t.Errorf("%d are missing, %d looked at, in %d portions", len(want), c.count.Looked, portions)
	}
}
