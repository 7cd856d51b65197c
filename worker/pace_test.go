package worker

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// Whoever takes what there is room for, at whatever times, gets the rate and no
// more than a burst above it; who overdraws waits until it is paid back.
func TestPace(t *testing.T) {
	for _, perSecond := range []int{1, 7, 100, 25_000, 1_000_000_000} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(perSecond)))
			var a pace
			const start = int64(1e15)
			now, took := start, 0
			for now < start+int64(time.Minute) {
				n := a.room(now, perSecond)
				if n > 0 && random.IntN(10) == 0 {
					n += random.IntN(perSecond) // in one piece
				}
				a.spend(n)
				took += n
				next := a.alarm(math.MaxInt64, perSecond)
				if next <= now {
					t.Fatalf("at %d: again at %d", now, next)
				}
				if n := a.room(now, perSecond); n != 0 {
					t.Fatalf("room for %d more at once", n)
				}
				now = next
			}
			most, least := float64(perSecond)*(60+1+paceBurst)+1, float64(perSecond)*58
			if perSecond < 100 {
				most, least = most+float64(perSecond), least-float64(perSecond)
			}
			if got := float64(took); got > most || got < least {
				t.Errorf("%v in a minute, want %v to %v", got, least, most)
			}
		})
	}
}

// A limit may go and come back by a reload: what went meanwhile is no debt.
func TestPaceWithoutALimitOwesNothing(t *testing.T) {
	var a pace
	a.room(1, 1000)
	for now := int64(2); now < 5; now++ {
		if n := a.room(now, 0); n != math.MaxInt {
			t.Errorf("without a limit %d", n)
		}
		a.spend(1_000_000)
	}
	if n := a.room(6, 1000); n != 100 {
		t.Errorf("with one again %d", n)
	}
}

func TestPaceSavesUpOnlyABurst(t *testing.T) {
	var a pace
	if n := a.room(1, 1000); n != 100 {
		t.Errorf("at first %d", n)
	}
	a.spend(100)
	if n := a.room(1+int64(50*time.Millisecond), 1000); n != 50 {
		t.Errorf("after 50 ms %d", n)
	}
	if n := a.room(1+int64(time.Hour), 1000); n != 100 {
		t.Errorf("after an hour %d", n)
	}
	if at := a.alarm(77, 1000); at != 77 {
		t.Errorf("with room an alarm at %d", at)
	}
}

// hears takes n records of one partition without a hole, and wants a cursor that is
// asked for in the middle to cover just what came.
func (g *guest) hears(n int) {
	g.t.Helper()
	g.send(`{"type":"heartbeat","id":"h"}`)
	last, pongs := int64(-1), 0
	for last < int64(n-1) || pongs == 0 {
		m := g.next()
		if m.Type == "pong" {
			pongs++
			if at := m.Cursor["odin.trades"].Offsets[0]; at == nil || *at != last {
				g.t.Errorf("a cursor behind record %d: %v", last, m.Cursor)
			}
			continue
		}
		var offset int64
		fmt.Sscan(strings.TrimPrefix(m.Pos, "odin.trades:0:"), &offset)
		if m.Type != "message" || offset != last+1 {
			g.t.Fatalf("behind record %d came %+v", last, m)
		}
		last = offset
	}
}

// At the limit records wait; the sessions of every worker get them all, in order,
// and a cursor meanwhile says no more than was sent.
func TestDeliverRateHoldsAndLosesNothing(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) { c.Limits.DeliverRecordsMax = 200 })
	guests := st.oneEach()
	began := time.Now()
	const n = 300
	st.produceMany("odin.trades", "BTC", 1, n)
	for _, g := range guests {
		g.hears(n)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("%d records in %v", n, took)
	}
	for i := range st.workers {
		if st.segment.Slot(i).Counter(shm.DeliverRateReached) == 0 {
			t.Errorf("worker %d did not reach its limit", i)
		}
	}
}

func TestFetchRateHoldsAndLosesNothing(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) { c.Limits.FetchRecordsMax = 1 })
	guests := st.oneEach()
	index, _ := st.segment.Find(event.Partition{Topic: "odin.trades", Number: 0})
	owner := st.segment.Slot(index % 2)
	n := 0
	st.await("the limit is reached, and what waits is lag", func() bool {
		st.produce("odin.trades", 0, "BTC", fmt.Sprintf(`{"n":%d}`, n))
		n++
		return owner.Counter(shm.FetchRateReached) > 0 && st.segment.Progress(index, shm.Now()).Lag > 0
	})
	for i := range st.workers {
		if answer := st.reload(i, func(c *configType) { c.Limits.FetchRecordsMax = 0 }); !answer.OK {
			t.Fatalf("%+v", answer)
		}
	}
	for _, g := range guests {
		g.hears(n)
	}
}

// oneEach has a session on every worker subscribe.
func (st *theatre) oneEach() (guests []*guest) {
	st.t.Helper()
	for w := range st.workers {
		g := st.visit(w)
		g.subscribe("BTC.trade")
		guests = append(guests, g)
	}
	return guests
}

// A reload that takes the limit away lets all go on that has waited.
func TestRateIsTakenAwayByAReload(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.DeliverRecordsMax = 1 })
	g := st.visit(0)
	g.subscribe("BTC.trade")
	st.produceMany("odin.trades", "BTC", 1, 1000) // a quarter of an hour's
	st.await("the limit is reached", func() bool { return st.segment.Slot(0).Counter(shm.DeliverRateReached) > 0 })
	if answer := st.reload(0, func(c *configType) { c.Limits.DeliverRecordsMax = 0 }); !answer.OK {
		t.Fatalf("%+v", answer)
	}
	g.hears(1000)
}

// A link on which questions pile up is given up and counted; with the next one all
// goes on, without a gap.
func TestOverfullLinkIsMadeAnew(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) { c.Limits.BusUnsentBytesMax = 1 << 20 })
	guests := st.oneEach()
	st.workers[0].process.inLoop(func(p *process) {
		l := p.links[1]
		for l.out.Len() <= p.config.Limits.BusUnsentBytesMax+p.config.Limits.RecordBytesMax {
			l.out.PutSeek(event.Seek{})
		}
	})
	slot := st.segment.Slot(0)
	st.await("the link is given up", func() bool { return slot.Counter(shm.BusLinksOverfull) == 1 && slot.Counter(shm.BusLinksBroken) == 1 })
	const n = 500
	st.produceMany("odin.trades", "BTC", 1, n)
	st.link(st.workers[0], st.workers[1])
	for _, g := range guests {
		g.hears(n)
	}
}
