package worker

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/route"
	"github.com/odin-ws/odin/shm"
)

func TestFate(t *testing.T) {
	for _, c := range []struct {
		slow  route.Slow
		class route.Class
		want  hub.Fate
	}{
		{route.SlowClose, route.Normal, hub.Keep},
		{route.SlowClose, route.High, hub.Keep},
		{route.SlowDrop, route.Normal, hub.DropNormal},
		{route.SlowDrop, route.High, hub.DropHigh},
		{route.SlowDrop, route.Critical, hub.Keep},
		{route.SlowConflate, route.Normal, hub.Conflate},
		{route.SlowConflate, route.Critical, hub.Keep},
	} {
		if got := fate(route.Route{Slow: c.slow, Class: c.class}); got != c.want {
			t.Errorf("%v, %v: %v, want %v", c.slow, c.class, got, c.want)
		}
	}
	if fates([]route.Route{{Topic: "a"}}) != nil {
		t.Error("where all is kept there is no table of fates")
	}
}

// slowTheatre has one worker whose sessions are owed 64 KiB at the most.
func slowTheatre(t *testing.T, slow, class string) *theatre {
	return newTheatre(t, 1, func(c *configType) {
		c.Limits.OwedBytesMax = 64 << 10
		c.Compression.Enabled = true
		c.Routes[0].Slow, c.Routes[0].Class = slow, class
	})
}

// sleeper is a guest who doesn't read for now, and whose kernel takes little.
func (st *theatre) sleeper(channels ...string) *guest {
	return st.sleeperBy(websocket.DefaultDialer, channels...)
}

func (st *theatre) sleeperBy(dialer *websocket.Dialer, channels ...string) *guest {
	g := st.visitBy(dialer, 0)
	if tcp, ok := g.conn.NetConn().(*net.TCPConn); ok {
		st.must(tcp.SetReadBuffer(4 << 10))
	}
	g.subscribe(channels...)
	return g
}

// flood produces records of one partition until the worker has counted so many
// of something.
func (st *theatre) flood(key func(i int) string, c shm.Counter, atLeast uint64) (records int) {
	st.t.Helper()
	value := `"` + strings.Repeat("v", 1000) + `"`
	for st.segment.Slot(0).Counter(c) < atLeast {
		if records > 50_000 {
			st.t.Fatalf("%d records, and %s is %d", records, c.Metric().Name, st.segment.Slot(0).Counter(c))
		}
		for range 50 {
			st.produce("odin.trades", 0, key(records), value)
			records++
		}
	}
	return records
}

// account reads records and gaps of one partition up to an offset, and returns
// how many of each channel were neither: it must be none.
func (g *guest) account(last int64) (records, dropped int) {
	g.t.Helper()
	for next := int64(-1); next <= last; {
		m := g.next()
		var at int64
		switch m.Type {
		case "gap", "message":
			if _, err := fmt.Sscanf(m.Pos, "odin.trades:0:%d", &at); err != nil {
				g.t.Fatal(m, err)
			}
		default:
			continue
		}
		if m.Type == "gap" {
			dropped += int(m.Dropped)
		} else {
			records++
		}
		next = at + 1
	}
	return records, dropped
}

func TestSlowPoliciesAccountForEveryRecord(t *testing.T) {
	for _, c := range []struct {
		slow, class string
		counter     shm.Counter
		dialer      *websocket.Dialer
	}{
		{"drop", "normal", shm.SlowDrops, websocket.DefaultDialer},
		{"drop", "normal", shm.SlowDrops, compressing()},
		{"drop", "high", shm.SlowDrops, websocket.DefaultDialer},
		{"conflate", "normal", shm.SlowConflations, websocket.DefaultDialer},
		{"conflate", "normal", shm.SlowConflations, compressing()},
	} {
		t.Run(fmt.Sprintf("%s %s, compressed: %t", c.slow, c.class, c.dialer.EnableCompression), func(t *testing.T) {
			st := slowTheatre(t, c.slow, c.class)
			g := st.sleeperBy(c.dialer, "*.trade")
			sent := st.flood(func(i int) string { return fmt.Sprint("K", i%3) }, c.counter, 1000)
			g.checkAccount(st, sent, c.counter)
			if got := st.segment.Slot(0).Counter(shm.DeflatedRecords); (got == uint64(sent)) != c.dialer.EnableCompression {
				t.Errorf("%d of %d records were compressed", got, sent)
			}
		})
	}
}

// checkAccount reads all that was sent, or that the worker has dropped.
func (g *guest) checkAccount(st *theatre, sent int, counter shm.Counter) {
	g.t.Helper()
	records, dropped := g.account(int64(sent - 1))
	if records+dropped != sent || dropped < 1000 || records < 3 {
		g.t.Errorf("%d sent: %d came, %d were announced", sent, records, dropped)
	}
	slot := st.segment.Slot(0)
	if got := slot.Counter(counter); got != uint64(dropped) || slot.Counter(shm.Gaps) == 0 || slot.Counter(shm.SlowCloses) > 0 {
		g.t.Errorf("counted %d dropped of %d, %d notices, %d closes", got, dropped, slot.Counter(shm.Gaps), slot.Counter(shm.SlowCloses))
	}
	st.produce("odin.trades", 0, "K0", "1")
	if m := g.next(); m.Type != "message" || m.Pos != fmt.Sprintf("odin.trades:0:%d", sent) {
		g.t.Errorf("afterwards comes %+v", m)
	}
}

// Records that may not be dropped cost the session its life.
func TestCriticalIsNeverDropped(t *testing.T) {
	for _, policy := range [][2]string{{"drop", "critical"}, {"conflate", "critical"}, {"close", "normal"}} {
		t.Run(strings.Join(policy[:], " "), func(t *testing.T) {
			st := slowTheatre(t, policy[0], policy[1])
			st.sleeper("*.trade")
			st.flood(func(i int) string { return fmt.Sprint("K", i%3) }, shm.SlowCloses, 1)
			slot := st.segment.Slot(0)
			if slot.Counter(shm.SlowDrops)+slot.Counter(shm.SlowConflations)+slot.Counter(shm.Gaps) > 0 {
				t.Error("something was dropped")
			}
		})
	}
}

// Conflation that doesn't help, since every channel is another one, ends with
// a close: the bound holds.
func TestConflateTooManyChannels(t *testing.T) {
	st := slowTheatre(t, "conflate", "normal")
	st.sleeper("*.trade")
	st.flood(func(i int) string { return fmt.Sprint("K", i) }, shm.SlowCloses, 1)
}

// A client that reads slowly, and so answers a ping late that waits behind what
// it is owed, is not taken for gone.
func TestSlowIsNotGone(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.OwedBytesMax, c.Limits.PongWait = 64<<10, 300*time.Millisecond
		c.Routes[0].Slow = "drop"
	})
	g := st.sleeper("*.trade")
	sent := st.flood(func(i int) string { return fmt.Sprint("K", i%3) }, shm.SlowDrops, 1)
	slot, p := st.segment.Slot(0), st.workers[0].process
	p.inLoop(func(p *process) {
		s := p.sessions.at(p.lagging[0])
		s.pingAt = p.now
		p.wheel.set(s, 1)
	})
	st.await("its ping is queued", func() bool { return slot.Counter(shm.PingsSent) > 0 })
	began := time.Now()
	st.await("its pong would be late twice over", func() bool {
		p.inLoop(func(*process) {})
		return time.Since(began) > 2*p.config.Limits.PongWait+2*tick
	})
	if records, dropped := g.account(int64(sent - 1)); records+dropped != sent {
		t.Errorf("%d sent: %d came, %d were announced", sent, records, dropped)
	}
	if n := slot.Counter(shm.PingTimeouts); n != 0 {
		t.Errorf("%d pongs were late", n)
	}
}

// Nor is one whose kernel has the ping, and that has yet to read what lies before
// it there; but one that reads nothing, or all, and does not answer, is.
func TestSlowReadsTowardsThePing(t *testing.T) {
	for name, c := range map[string]struct {
		blocked bool
		reads   []bool // whether the client reads before each look
		gone    bool
	}{
		"it reads":              {true, []bool{true, true, true}, false},
		"it reads no more":      {true, []bool{true, true, false}, true},
		"it has read all":       {false, []bool{true}, true},
		"it owes, and is stuck": {true, []bool{false, false}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := stopped(t, nil)
			s, client := guestOf(t, p)
			chunk := make([]byte, 4<<10)
			for range 4 {
				if _, err := unix.Write(s.fd, chunk); err != nil {
					t.Fatal(err)
				}
			}
			// The kernel counts these with what it needs for them: far less than was sent before.
			s.sent, s.blocked, s.awaiting = 1<<30, c.blocked, true
			s.pingEnd, s.deadline = s.acknowledged(), p.now
			for _, reads := range c.reads {
				if reads {
					if _, err := unix.Read(client, chunk); err != nil {
						t.Fatal(err)
					}
				}
				p.now = s.deadline
				p.checkPing(s)
			}
			if gone := p.mine.Counter(shm.PingTimeouts) > 0; gone != c.gone || gone != (s.stage != open) {
				t.Errorf("gone: %v, stage %v", gone, s.stage)
			}
		})
	}
}
