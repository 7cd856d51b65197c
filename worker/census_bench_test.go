package worker

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/hub"
)

// BenchmarkCensus looks at 100,000 sessions, of which each has two
// subscriptions, as `odinctl conns --channel` does: how long that takes in all,
// and for how long deliveries wait at most.
func BenchmarkCensus(b *testing.B) {
	const sessions = 100_000
	p := &process{hub: hub.New()}
	p.now, p.wall = p.clock(), time.Now().UnixNano()
	for n := range uint64(sessions) {
		s := p.sessions.add()
		s.stage, s.number, s.opened = open, n+1, p.now
		s.remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 4711)
		for _, pattern := range [][]byte{fmt.Appendf(nil, "C%d.trade", n), []byte("XRP.social")} {
			if _, err := p.hub.Subscribe(&s.subs, s.index, pattern); err != nil {
				b.Fatal(err)
			}
		}
	}
	condition, err := control.Connections{Remote: "10.0.0.0/16", Channel: "XRP.social"}.Condition()
	if err != nil {
		b.Fatal(err)
	}
	longest, portions := time.Duration(0), 0
	for b.Loop() {
		c := &census{walk: walk{budget: portion}, condition: condition, pattern: []byte("XRP.social")}
		for more := true; more; portions++ {
			began := time.Now()
			more = c.live(p)
			longest = max(longest, time.Since(began))
		}
		if c.count.Looked != sessions {
			b.Fatalf("%d sessions", c.count.Looked)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sessions, "ns/session")
	b.ReportMetric(float64(portions)/float64(b.N), "portions")
	b.ReportMetric(float64(longest.Microseconds()), "µs-longest-portion")
}
