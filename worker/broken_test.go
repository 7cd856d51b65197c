package worker

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// stuck is a guest in the middle of a long replay, who doesn't read for now.
func (st *theatre) stuck(cursor wire.Cursor, readBuffer int) *guest {
	st.t.Helper()
	g := st.visit(0)
	if tcp, ok := g.conn.NetConn().(*net.TCPConn); ok {
		st.must(tcp.SetReadBuffer(readBuffer))
	}
	g.ask(cursor, "K.trade")
	st.await("the replay waits for its client", func() bool {
		return st.segment.Slot(0).Gauge(shm.ReplayingSessions) == 1 && st.segment.Slot(0).Gauge(shm.BlockedSessions) == 1
	})
	return g
}

// TestReplayedSessionsAreExplained: who is given first what was missed is
// among those who get a channel, or will.
func TestReplayedSessionsAreExplained(t *testing.T) {
	st := newTheatre(t, 1, nil)
	first := st.visit(0)
	cursor := first.subscribe("K.trade").Cursor
	st.must(first.conn.Close())
	st.await("the session ends", func() bool { return st.segment.Slot(0).Gauge(shm.Sessions) == 0 })
	st.produceLarge(600)
	st.stuck(cursor, 4096)
	for channel, want := range map[string]int{"K.trade": 1, "K.balances": 0, "*.trade": 0, "J.trade": 0} {
		if _, x := st.explain(0, channel); x.Resuming != want || x.Sessions != 0 {
			t.Errorf("%s: %+v", channel, x)
		}
		if list, _ := st.sessions(0, control.Connections{Channel: channel}); len(list) != want {
			t.Errorf("%s: %+v", channel, list)
		}
	}
}

// produceLarge produces n records of 10 KB in one partition.
func (st *theatre) produceLarge(n int) {
	st.t.Helper()
	value := `"` + strings.Repeat("v", 10_000) + `"`
	for range n {
		st.client.Produce(st.t.Context(), &kgo.Record{Topic: "odin.trades", Key: []byte("K"), Value: []byte(value)}, nil)
	}
	st.must(st.client.Flush(st.t.Context()))
	st.settled()
}

// cutOff is the code of a connection that ended without a close frame: whoever
// doesn't read for two seconds is not waited for.
const cutOff = 1006

// follow reads to the end, and wants what comes to have neither a gap nor an
// answer that says it was recovered.
func (g *guest) follow(from int64) (code int, reason string, last int64) {
	g.t.Helper()
	for last = from; ; {
		m, err := g.try()
		if err != nil {
			if _, scanErr := fmt.Sscanf(err.Error(), "websocket: close %d", &code); scanErr != nil {
				code = cutOff
			}
			return code, err.Error(), last
		}
		if m.Type != "message" || placeOf(g.t, m).offset != last+1 {
			g.t.Fatalf("behind %d comes %s %s", last, m.Type, m.Pos)
		}
		last++
	}
}

// A replay below which the history has moved on goes on from the log, without a
// gap, and by one reading for all of them.
func TestHistoryMovesOnUnderAReplay(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.HistoryRecordsMax = 500 })
	cursor := st.visit(0).subscribe("K.trade").Cursor
	st.produceLarge(500)
	g := st.stuck(cursor, 256<<10)
	st.produceLarge(600)
	for next := int64(0); ; next++ {
		m := g.next()
		if m.Type == "reconnect_ack" && m.Recovered && next == 1100 {
			break
		}
		if m.Type != "message" || placeOf(t, m).offset != next {
			t.Fatalf("%s %s in the place of %d", m.Type, m.Pos, next)
		}
	}
	slot := st.segment.Slot(0)
	if broken, reads := slot.Counter(shm.ReplaysBroken), slot.Counter(shm.PastReads); broken != 0 || reads != 1 {
		t.Errorf("%d broken, %d reads", broken, reads)
	}
}

// Where the log can't be read it is closed, and may come back with what it has.
func TestHistoryMovesOnUnderAReplayWithoutABroker(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.HistoryRecordsMax, c.Limits.BackfillMax = 500, 500*time.Millisecond
	})
	cursor := st.visit(0).subscribe("K.trade").Cursor
	st.produceLarge(500)
	g := st.stuck(cursor, 4<<10)
	st.produceLarge(600)
	st.broker.Close()
	code, reason, last := g.follow(-1)
	if code != cutOff && (code != 1012 || !strings.Contains(reason, `"replay_broken","retry_min_ms"`)) || last < 5 || last > 400 {
		t.Errorf("closed with %d, %s, behind %d", code, reason, last)
	}
	if n := st.segment.Slot(0).Counter(shm.ReplaysBroken); n != 1 {
		t.Errorf("counted %d", n)
	}
}

// Frames that are evicted while the socket is full can't be sent any more.
func TestChunksAreEvictedUnderAReplay(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.HistoryBytesMax = 6 << 20 })
	cursor := st.visit(0).subscribe("K.trade").Cursor
	st.produceLarge(400)
	g := st.stuck(cursor, 4<<10)
	st.produceLarge(1200)
	if code, reason, last := g.follow(-1); code != 4000 && code != cutOff || last > 400 {
		t.Errorf("closed with %d, %s, behind %d", code, reason, last)
	}
	if n := st.segment.Slot(0).Counter(shm.ReplaysBroken); n != 1 {
		t.Errorf("counted %d", n)
	}
}

// A new era ends what was begun in the one before: the client comes back and is
// told what became of what it claims.
func TestEraBeginsUnderAReplay(t *testing.T) {
	st := newTheatre(t, 1, nil)
	cursor := st.visit(0).subscribe("K.trade").Cursor
	st.produceLarge(500)
	g := st.stuck(cursor, 4<<10)
	i, _ := st.segment.Find(event.Partition{Topic: "odin.trades", Number: 1})
	era := st.segment.Era(i)
	era.Number++
	era.From = 0
	if !st.segment.Slot(0).ProposeEra(i, era) {
		t.Fatal("no new era")
	}
	st.ringAll()
	code, reason, _ := g.follow(-1)
	if code != cutOff && (code != 1012 || !strings.Contains(reason, "replay_broken")) || st.segment.Slot(0).Counter(shm.ReplaysBroken) != 1 {
		t.Errorf("closed with %d, %s", code, reason)
	}
	if _, ack := st.visit(0).resume(cursor, "K.trade"); ack.Recovered || ack.Reason != "epoch" {
		t.Errorf("then %+v", ack)
	}
}

// A client that leaves in the middle, whatever is under way for it, leaves
// nothing behind.
func TestClientsThatLeaveUnderAReplay(t *testing.T) {
	st := newTheatre(t, 1, nil)
	cursor := st.visit(0).subscribe("K.trade").Cursor
	st.produceLarge(300)
	for range 20 {
		g := st.visit(0)
		g.ask(cursor, "K.trade")
		g.conn.NetConn().Close()
	}
	st.await("nobody is replayed to", func() bool {
		slot := st.segment.Slot(0)
		return slot.Gauge(shm.ReplayingSessions) == 0 && slot.Gauge(shm.Sessions) == 1
	})
	missed, ack := st.visit(0).resume(cursor, "K.trade")
	if !ack.Recovered || len(missed) != 300 {
		t.Errorf("%d records, %+v", len(missed), ack)
	}
}

// A client ahead of the worker that it comes to: it waits, gets nothing twice,
// and goes on.
func TestResumeAheadOfAWorkerThatLags(t *testing.T) {
	st := newTheatre(t, 2, nil)
	i, _ := st.segment.Find(event.Partition{Topic: "odin.trades", Number: 0})
	st.elect(i, 0)
	first := st.visit(0)
	first.subscribe("K.trade")
	st.produce("odin.trades", 0, "K", "0")
	if m := first.next(); m.Pos != "odin.trades:0:0" {
		t.Fatal(m.Pos)
	}
	for n := range 300 {
		last := st.produce("odin.trades", 0, "K", fmt.Sprint(n))
		if m := first.next(); m.Pos != fmt.Sprint("odin.trades:0:", last) {
			t.Fatal(m.Pos)
		}
		g := st.visit(1)
		cursor := first.cursor()
		if missed, ack := g.resume(cursor, "K.trade"); !ack.Recovered || len(missed) != 0 || *ack.Cursor["odin.trades"].Offsets[0] < last {
			t.Fatalf("round %d: %d records, %+v", n, len(missed), ack)
		}
		g.conn.Close()
	}
}

// Of what happened at once the loss is told first: the cursor of every reset has
// it behind it. Found by the simulator.
func TestLossIsToldBeforeWhatLostNothing(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.produceMany("odin.trades", "K", 2, 20)
	st.settled()
	g := st.visit(0)
	g.subscribe("K.trade")
	slot := st.segment.Slot(0)
	for number := int32(1); number >= 0; number-- { // whatever is met first, the loss is not second
		i, _ := st.segment.Find(event.Partition{Topic: "odin.trades", Number: number})
		era := st.segment.Era(i)
		era.Number, era.From, era.Epoch = era.Number+1, 1000*int64(1-number), 0
		if !slot.ProposeEra(i, era) {
			t.Fatal("no new era")
		}
	}
	st.ringAll()
	if first, second := g.next(), g.next(); first.Type != "reset" || !first.Lost || second.Type != "reset" || second.Lost {
		t.Errorf("first %+v, then %+v", first, second)
	}
}
