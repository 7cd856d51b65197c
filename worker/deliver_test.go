package worker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// Records reach sessions on every worker, whoever consumes the partition, in
// the order of their offsets and once, however many patterns match.
func TestRecordsReachEveryWorkerInOrder(t *testing.T) {
	st := newTheatre(t, 3, nil)
	var guests []*guest
	for w := range st.workers {
		for _, patterns := range [][]string{{"BTC.trade"}, {"BTC.*", "*.trade", "BTC.trade", "*.*"}} {
			g := st.visit(w)
			g.subscribe(patterns...)
			guests = append(guests, g)
		}
	}
	const n = 2000
	st.produceMany("odin.trades", "BTC", 4, n)
	for i, g := range guests {
		last := map[string]int64{}
		for range n {
			m := g.next()
			if m.Type != "message" || m.Channel != "BTC.trade" {
				t.Fatalf("guest %d got %+v", i, m)
			}
			part, offset, _ := strings.Cut(strings.TrimPrefix(m.Pos, "odin.trades:"), ":")
			var o int64
			fmt.Sscan(offset, &o)
			if want, ok := last[part]; ok && o != want+1 || !ok && o != 0 {
				t.Fatalf("guest %d: partition %s: %d after %d", i, part, o, want)
			}
			last[part] = o
		}
		g.send(`{"type":"heartbeat","id":"h"}`)
		if m := g.next(); m.Type != "pong" {
			t.Fatalf("guest %d got more than was produced: %+v", i, m)
		} else {
			for p, o := range m.Cursor["odin.trades"].Offsets {
				if o == nil || *o != last[fmt.Sprint(p)] {
					t.Errorf("guest %d: cursor of partition %d is %v, the last record was %d", i, p, o, last[fmt.Sprint(p)])
				}
			}
		}
	}
}

// An owner that is replaced in the middle of a stream leaves neither a gap nor
// a duplicate.
func TestElectionsInTheMiddleOfAStream(t *testing.T) {
	st := newTheatre(t, 3, nil)
	var guests []*guest
	for w := range st.workers {
		g := st.visit(w)
		g.subscribe("BTC.trade")
		guests = append(guests, g)
	}
	const n, rounds = 200, 20
	var index [4]int
	for p := range index {
		index[p], _ = st.segment.Find(event.Partition{Topic: "odin.trades", Number: int32(p)})
	}
	for r := range rounds {
		for _, p := range index {
			st.elect(p, (p+r)%len(st.workers))
		}
		st.produceMany("odin.trades", "BTC", 4, n)
	}
	for i, g := range guests {
		seen := map[string]bool{}
		for range n * rounds {
			m := g.next()
			if m.Type != "message" || seen[m.Pos] {
				t.Fatalf("guest %d got %s %s again or instead", i, m.Type, m.Pos)
			}
			seen[m.Pos] = true
		}
	}
}

// A torn link is made anew, and what was in it comes again.
func TestLinksTornInTheMiddleOfAStream(t *testing.T) {
	st := newTheatre(t, 2, nil)
	g := st.visit(1)
	g.subscribe("BTC.trade")
	const n, rounds = 300, 10
	for range rounds {
		st.produceMany("odin.trades", "BTC", 4, n)
		st.link(st.workers[0], st.workers[1])
	}
	seen := map[string]bool{}
	for range n * rounds {
		m := g.next()
		if m.Type != "message" || seen[m.Pos] {
			t.Fatalf("got %s %s again or instead", m.Type, m.Pos)
		}
		seen[m.Pos] = true
	}
}

func TestRecordsThatHaveNoPlaceAreCountedAndSkipped(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.RecordBytesMax = 4096 })
	g := st.visit(0)
	g.subscribe("*.*")
	st.produce("odin.trades", 0, "", `{"no":"key"}`)
	st.produce("odin.trades", 0, "A.B", `1`)
	st.produce("odin.trades", 0, "A\x00", `1`)
	st.produce("odin.trades", 0, strings.Repeat("k", 10<<10), `1`)
	st.produce("odin.trades", 0, "BIG", `"`+strings.Repeat("x", 5000)+`"`)
	st.produce("odin.trades", 0, "BTC", `{broken`)
	st.produce("odin.trades", 0, "BTC", ``)
	last := st.produce("odin.trades", 0, "BTC", `{"good":1}`)
	if m := g.next(); m.Encoding != "base64" || string(m.Data) != `"e2Jyb2tlbg=="` {
		t.Fatalf("invalid JSON came as %+v", m)
	}
	if m := g.next(); m.Type != "message" || m.Channel != "BTC.trade" {
		t.Fatalf("an empty value came as %+v", m)
	}
	if m := g.next(); m.Pos != fmt.Sprintf("odin.trades:0:%d", last) || string(m.Data) != `{"good":1}` {
		t.Fatalf("the good record came as %+v", m)
	}
	slot := st.segment.Slot(0)
	for c, want := range map[shm.Counter]uint64{
		shm.RecordsSkippedNoKey: 1, shm.RecordsSkippedBadSubject: 3, shm.RecordsSkippedTooLarge: 1,
	} {
		if got := slot.Counter(c); got != want {
			t.Errorf("%s{%s}: %d, want %d", c.Metric().Name, c.Metric().Value, got, want)
		}
	}
}
