package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

func tokensTo(n int) []uint64 {
	tokens := make([]uint64, n)
	for i := range tokens {
		tokens[i] = uint64(i)<<32 | 7
	}
	return tokens
}

// Every session leaves once, within the window, in order, one in each slice.
func TestPlan(t *testing.T) {
	const from = int64(5e18) // a monotonic clock of 158 years
	for _, c := range []struct {
		sessions int
		window   time.Duration
	}{
		{0, 0},
		{0, time.Minute},
		{1, 0},
		{1, 1},
		{1, time.Hour},
		{2, 1},
		{1000, 0},
		{1000, 999}, // more sessions than nanoseconds
		{1000, 1001},
		{7, 10},
		{10_000, time.Minute},
		{300_000, time.Hour},
	} {
		t.Run(fmt.Sprint(c.sessions, " in ", c.window), func(t *testing.T) {
			tokens := tokensTo(c.sessions)
			due := plan(slices.Clone(tokens), from, c.window, rand.New(rand.NewPCG(1, 2)))
			var planned []uint64
			for i, d := range due {
				begin, end := from+boundary(i, c.sessions, c.window), from+boundary(i+1, c.sessions, c.window)
				if d.at < begin || d.at > end || d.at == end && end > begin {
					t.Fatalf("parting %d is at %d, its slice from %d to %d", i, d.at-from, begin-from, end-from)
				}
				planned = append(planned, d.token)
			}
			if c.sessions > 100 && slices.Equal(planned, tokens) {
				t.Error("sessions leave in the order of the table")
			}
			slices.Sort(planned)
			if !slices.Equal(planned, tokens) {
				t.Error("not every session leaves exactly once")
			}
			if n := c.sessions; n > 0 && (boundary(0, n, c.window) != 0 || boundary(n, n, c.window) != int64(c.window)) {
				t.Errorf("the slices go from %d to %d", boundary(0, n, c.window), boundary(n, n, c.window))
			}
		})
	}
}

// However many workers slice the window each for its own sessions, the sum is
// flat: a second differs by one at most from each worker's even share.
func TestPlanIsFlat(t *testing.T) {
	const seconds, window = 60, time.Minute
	for _, workers := range [][]int{{10_000}, {5_000, 5_000}, {9_000, 1_000}, {1, 9_999}, {1_250, 1_250, 1_250, 1_250, 1_250, 1_250, 1_250, 1_250}} {
		var counts [seconds]int
		sum := 0
		for i, n := range workers {
			for _, d := range plan(tokensTo(n), 0, window, rand.New(rand.NewPCG(uint64(i), 3))) {
				counts[d.at/int64(time.Second)]++
			}
			sum += n
		}
		mean := float64(sum) / seconds
		for second, n := range counts {
			if off := float64(n) - mean; max(off, -off) > float64(2*len(workers)) || max(off, -off) > mean/10 {
				t.Errorf("%v: %d in second %d, %.1f on the average", workers, n, second, mean)
			}
		}
	}
}

// Nobody can tell from a session's place when it will leave.
func TestPlanIsRandom(t *testing.T) {
	a := plan(tokensTo(100), 0, time.Minute, rand.New(rand.NewPCG(1, 1)))
	b := plan(tokensTo(100), 0, time.Minute, rand.New(rand.NewPCG(2, 2)))
	same := 0
	for i := range a {
		if a[i].token == b[i].token {
			same++
		}
	}
	if same > 20 {
		t.Errorf("%d of 100 sessions leave in the same slice twice", same)
	}
}

// goodbye reads up to the close frame, which must be 1001 with a window, and
// ends the connection.
func (g *guest) goodbye(reason string) {
	g.t.Helper()
	ce := g.closed()
	var r wire.CloseReason
	if err := json.Unmarshal([]byte(ce.Text), &r); ce.Code != 1001 || err != nil || r.Code != reason || r.RetryMinMS != 500 || r.RetryMaxMS != 5000 {
		g.t.Fatalf("closed with %v, want 1001 %s with the window for coming back", ce, reason)
	}
	g.conn.Close()
}

// refused dials, and gives the body of the answer; "": it was taken.
func (st *theatre) refused(worker int) string {
	st.t.Helper()
	conn, resp, err := websocket.DefaultDialer.Dial("ws://"+st.workers[worker].address+"/ws", nil)
	if err == nil {
		conn.Close()
		return ""
	}
	if resp == nil {
		st.t.Fatalf("not even refused: %v", err)
	}
	body := make([]byte, 200)
	n, _ := resp.Body.Read(body)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "5" {
		st.t.Fatalf("refused with %s %v %s", resp.Status, resp.Header, body[:n])
	}
	return string(body[:n])
}

func (st *theatre) awaitState(worker int, want shm.State) {
	st.t.Helper()
	st.await("worker is "+want.String(), func() bool { return st.segment.Slot(worker).State() == want })
}

func TestDrainClosesAllAndGoesOn(t *testing.T) {
	st := newTheatre(t, 2, nil)
	var guests []*guest
	for range 20 {
		guests = append(guests, st.visit(0))
	}
	stays := st.visit(1)
	stays.subscribe("BTC.trade")
	guests[0].subscribe("BTC.trade")
	a, slot := st.workers[0], st.segment.Slot(0)
	a.send(t, control.Message{Type: control.Drain, WindowMS: 300})
	for _, g := range guests {
		g.goodbye("draining")
	}
	st.await("nobody is left", func() bool { return slot.State() == shm.Draining && slot.Gauge(shm.Sessions) == 0 })
	if body := st.refused(0); body != `{"error":"overloaded","reason":"draining"}` {
		t.Errorf("refused with %s", body)
	}
	resp, err := http.Get("http://" + a.address + "/health")
	st.must(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/health: %s", resp.Status)
	}
	// It goes on to consume its partitions and to relay them.
	st.produce("odin.trades", 0, "BTC", `1`)
	st.produce("odin.trades", 1, "BTC", `2`)
	for range 2 {
		if m := stays.next(); m.Channel != "BTC.trade" {
			t.Fatalf("got %+v", m)
		}
	}
	a.send(t, control.Message{Type: control.Undrain})
	st.awaitState(0, shm.Ready)
	back := st.visit(0)
	if ack := back.subscribe("BTC.trade"); *ack.Cursor["odin.trades"].Offsets[0] != 0 {
		t.Errorf("cursor %v: not what it has missed", ack.Cursor)
	}
}

// What a session is owed goes before its close frame.
func TestDrainDeliversToTheEnd(t *testing.T) {
	st := newTheatre(t, 1, nil)
	g := st.visit(0)
	g.subscribe("BTC.trade")
	const n = 2000
	st.produceMany("odin.trades", "BTC", 1, n)
	st.await("all is applied", func() bool {
		p, ok := st.segment.Slot(0).Position(0)
		return ok && p.Applied == n-1
	})
	st.workers[0].send(t, control.Message{Type: control.Drain})
	for i := range n {
		if m := g.next(); m.Pos != fmt.Sprintf("odin.trades:0:%d", i) {
			t.Fatalf("record %d is %+v", i, m)
		}
	}
	g.goodbye("draining")
}

func TestUndrainKeepsWhoIsLeft(t *testing.T) {
	st := newTheatre(t, 1, nil)
	a := st.workers[0]
	g := st.visit(0)
	a.send(t, control.Message{Type: control.Drain, WindowMS: time.Hour.Milliseconds()})
	st.awaitState(0, shm.Draining)
	a.send(t, control.Message{Type: control.Undrain})
	st.awaitState(0, shm.Ready)
	a.send(t, control.Message{Type: control.Undrain}) // nothing to take back
	g.subscribe("BTC.trade")
	st.produce("odin.trades", 0, "BTC", `1`)
	if m := g.next(); m.Channel != "BTC.trade" {
		t.Fatalf("got %+v", m)
	}
	st.visit(0)
}

// Drained again, the sessions that are left leave over the new window; stopped,
// over that of the stop, and then the process ends.
func TestDrainAgainAndStop(t *testing.T) {
	st := newTheatre(t, 1, nil)
	a := st.workers[0]
	first := st.visit(0)
	a.send(t, control.Message{Type: control.Drain, WindowMS: time.Hour.Milliseconds()})
	st.awaitState(0, shm.Draining)
	a.send(t, control.Message{Type: control.Drain})
	first.goodbye("draining")
	a.send(t, control.Message{Type: control.Undrain})
	st.awaitState(0, shm.Ready)
	second := st.visit(0)
	a.send(t, control.Message{Type: control.Drain, WindowMS: time.Hour.Milliseconds()})
	a.send(t, control.Message{Type: control.Stop, OverMS: 100})
	a.send(t, control.Message{Type: control.Undrain}) // too late
	a.send(t, control.Message{Type: control.Drain, WindowMS: time.Hour.Milliseconds()})
	second.goodbye("shutting_down")
	select {
	case code := <-a.ended:
		if code != 0 {
			t.Errorf("exit %d", code)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

// A worker that is told to drain before it is ready comes up draining: it is
// positioned, it answers, and it takes nobody.
func TestComesUpDraining(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.awaitState(0, shm.Ready)
	st.stop()
	st.segment.Slot(0).SetState(shm.Empty)
	st.workers[0] = st.start(0, control.Message{Type: control.Drain, WindowMS: 1000})
	st.awaitState(0, shm.Draining)
	if body := st.refused(0); !strings.Contains(body, `"draining"`) {
		t.Errorf("refused with %s", body)
	}
	st.workers[0].send(t, control.Message{Type: control.Undrain})
	st.awaitState(0, shm.Ready)
	st.visit(0)
}

// Whoever knocks when the drain has begun is told so, however far the handshake
// had come: nobody is let in any more.
func TestDrainOfWhoIsComing(t *testing.T) {
	st := newTheatre(t, 1, nil)
	conn, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	defer conn.Close()
	_, err = io.WriteString(conn, upgradeHead[:20])
	st.must(err)
	st.await("it is coming", func() bool { return st.segment.Slot(0).Gauge(shm.PendingHandshakes) == 1 })
	st.workers[0].send(t, control.Message{Type: control.Drain, WindowMS: 50})
	st.awaitState(0, shm.Draining)
	_, err = io.WriteString(conn, upgradeHead[20:]+"\r\n")
	st.must(err)
	st.must(conn.SetReadDeadline(time.Now().Add(patience)))
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") || !strings.Contains(string(answer), `"draining"`) {
		t.Errorf("%q, %v", answer, err)
	}
}

// New partitions are announced to sessions that are still there.
func TestDrainTellsOfNewPartitions(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.TopologyRefresh = 100 * time.Millisecond })
	g := st.visit(0)
	g.subscribe("BTC.trade")
	st.workers[0].send(t, control.Message{Type: control.Drain, WindowMS: time.Hour.Milliseconds()})
	st.awaitState(0, shm.Draining)
	added, err := kadm.NewClient(st.client).CreatePartitions(t.Context(), 1, "odin.trades")
	st.must(err)
	st.must(added.Error())
	if m := g.next(); m.Type != "reset" || m.Reason != "topology" {
		t.Fatalf("got %+v", m)
	}
}

// A worker whose supervisor goes while it drains ends in time, whatever is left
// of the drain's window.
func TestOrphanWhileDraining(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.OrphanStopMax = time.Second })
	a, g := st.workers[0], st.visit(0)
	a.send(t, control.Message{Type: control.Drain, WindowMS: time.Hour.Milliseconds()})
	st.awaitState(0, shm.Draining)
	st.must(a.conn.Close())
	g.goodbye("shutting_down")
	select {
	case <-a.ended:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}
