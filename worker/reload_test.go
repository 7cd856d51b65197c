package worker

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// reload sends a worker the configuration with changes, as the supervisor
// does, and waits for its answer.
func (st *theatre) reload(worker int, change func(*configType)) control.Response {
	st.t.Helper()
	c := st.config
	change(&c)
	raw, err := json.Marshal(c)
	st.must(err)
	return st.reloadRaw(worker, raw)
}

func (st *theatre) reloadRaw(worker int, raw json.RawMessage) control.Response {
	st.t.Helper()
	r, w, err := os.Pipe()
	st.must(err)
	defer r.Close()
	st.workers[worker].send(st.t, control.Message{Type: control.Reconfigure, Config: raw}, w)
	w.Close()
	st.must(r.SetReadDeadline(time.Now().Add(patience)))
	answer, err := control.ReadAnswer(r, nil)
	st.must(err)
	return answer
}

// try is the status of a handshake with an origin.
func (st *theatre) try(worker int, origin string) int {
	st.t.Helper()
	conn, resp, err := websocket.DefaultDialer.Dial("ws://"+st.workers[worker].address+"/ws", http.Header{"Origin": {origin}})
	if err == nil {
		st.t.Cleanup(func() { conn.Close() })
		return http.StatusSwitchingProtocols
	}
	if resp == nil {
		st.t.Fatal(err)
	}
	return resp.StatusCode
}

// What a reload changes is in force when the worker has answered, for those
// who come and, as far as no promise was made, for those who are there; and
// nobody loses the connection or a record by it.
func TestReloadIsInForceAndDisturbsNobody(t *testing.T) {
	st := newTheatre(t, 2, nil)
	g := st.visit(0)
	g.subscribe("BTC.trade")
	answer := st.reload(0, func(c *configType) {
		c.Node, c.Origins, c.Log.Level = "renamed", []string{"https://good.example"}, "debug"
		c.Limits.ChannelsMax, c.Limits.PingInterval, c.Limits.RequestBytesMax = 2, 50*time.Millisecond, 2048
		c.Limits.HistoryRecordsMax, c.Limits.HistoryBytesMax = 1, 8<<20
		c.Limits.TurnReadBytesMax, c.Limits.FetchedBytesMax = 64<<10, 2<<20
		c.Limits.BackfillRequestsMax, c.Limits.TopologyRefresh = 1, 100*time.Millisecond
	})
	if !answer.OK {
		t.Fatalf("answered %+v", answer)
	}
	if level := st.workers[0].process.log.Level(); level != "debug" {
		t.Errorf("log level %v", level)
	}
	if ack := g.subscribe("ETH.trade", "SOL.trade"); ack.Count != 2 || len(ack.Rejected) != 1 || !strings.Contains(ack.Rejected[0].Message, "at most 2") {
		t.Errorf("the session that was there: %+v", ack)
	}
	if got := st.try(0, "https://evil.example"); got != http.StatusForbidden {
		t.Errorf("a foreign origin: %d", got)
	}
	if got := st.try(1, "https://evil.example"); got != http.StatusSwitchingProtocols {
		t.Errorf("the worker that was not told: %d", got)
	}
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+st.workers[0].address+"/ws", nil)
	st.must(err)
	defer conn.Close()
	fresh := &guest{t: t, conn: conn}
	old, often := 0, 0 // pings; the first one comes at any time
	g.conn.SetPingHandler(func(text string) error { old++; return pong(g.conn, text) })
	conn.SetPingHandler(func(text string) error { often++; return pong(conn, text) })
	if hello := fresh.next(); hello.Node != "renamed" || hello.PingIntervalMS != 50 || hello.Limits.MaxChannels != 2 || hello.Limits.MaxRequestBytes != 2048 {
		t.Errorf("who comes now is greeted with %+v", hello)
	}
	fresh.subscribe("BTC.trade")
	for end := time.Now().Add(patience); often < 3; {
		st.produce("odin.trades", 0, "BTC", `{"n":1}`)
		for _, g := range []*guest{g, fresh} {
			if m := g.next(); m.Channel != "BTC.trade" {
				t.Fatalf("got %+v", m)
			}
		}
		if time.Now().After(end) {
			t.Fatal("the new one is not pinged as often as hello said")
		}
	}
	if old > 1 {
		t.Errorf("the one that was there was pinged %d times, more often than hello said", old)
	}
}

func pong(conn *websocket.Conn, text string) error {
	return conn.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(patience))
}

func TestReloadMovesTheLimitOfConnections(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.ConnectionsMax = 1 })
	g := st.visit(0)
	if got := st.try(0, ""); got != http.StatusServiceUnavailable {
		t.Fatalf("beyond the limit: %d", got)
	}
	st.reload(0, func(c *configType) { c.Limits.ConnectionsMax = 2 })
	if got := st.try(0, ""); got != http.StatusSwitchingProtocols {
		t.Errorf("within the new limit: %d", got)
	}
	st.reload(0, func(c *configType) { c.Limits.ConnectionsMax = 1 })
	if ack := g.subscribe("BTC.trade"); ack.Count != 1 {
		t.Errorf("one too many now, and kept: %+v", ack)
	}
	st.reload(0, func(c *configType) { c.Limits.ConnectionsMax, c.Limits.FDsReserve = 1000, 1_000_000 })
	if got := st.try(0, ""); got != http.StatusServiceUnavailable {
		t.Errorf("without descriptors: %d", got)
	}
}

// What holds for a whole connection holds for those who come after the reload;
// a handshake that is under way keeps what it began with.
func TestReloadOfWhatAHandshakeIsHeldTo(t *testing.T) {
	st := newTheatre(t, 1, nil)
	before, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	defer before.Close()
	st.await("the handshake has begun", func() bool { return st.segment.Slot(0).Gauge(shm.PendingHandshakes) == 1 })
	st.reload(0, func(c *configType) { c.Limits.HandshakeMax, c.Limits.HeadBytesMax = 100*time.Millisecond, 5000 })
	after, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	defer after.Close()
	st.must(after.SetReadDeadline(time.Now().Add(patience)))
	if _, err := io.ReadAll(after); err != nil {
		t.Errorf("a silent one is not cut off: %v", err)
	}
	const head = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	_, err = io.WriteString(before, head)
	st.must(err)
	resp, err := http.ReadResponse(bufio.NewReader(before), nil)
	st.must(err)
	if resp.Body.Close(); resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("the one under way: %d", resp.StatusCode)
	}
	large := http.Header{"X-Large": {strings.Repeat("x", 6000)}}
	if _, resp, err := websocket.DefaultDialer.Dial("ws://"+st.workers[0].address+"/ws", large); err == nil || resp == nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head larger than the new limit: %v", err)
	}
}

// A record that is too large after a reload is skipped, and fits after the
// next one.
func TestReloadMovesTheLimitOfARecord(t *testing.T) {
	st := newTheatre(t, 2, nil)
	g := st.visit(1)
	g.subscribe("BTC.trade")
	large := `"` + strings.Repeat("x", 5000) + `"`
	for worker := range st.workers {
		st.reload(worker, func(c *configType) { c.Limits.RecordBytesMax = 4096 })
	}
	st.produce("odin.trades", 0, "BTC", large)
	st.produce("odin.trades", 0, "BTC", `1`)
	if m := g.next(); string(m.Data) != `1` {
		t.Fatalf("got %.80s", m.Data)
	}
	for worker := range st.workers {
		st.reload(worker, func(*configType) {})
	}
	st.produce("odin.trades", 0, "BTC", large)
	if m := g.next(); string(m.Data) != large {
		t.Errorf("got %.80s", m.Data)
	}
}

func TestReloadOfWhatCannotBe(t *testing.T) {
	st := newTheatre(t, 1, nil)
	before := st.workers[0].process.config
	answer := st.reloadRaw(0, json.RawMessage(`{"workers":"two"}`))
	if answer.OK || !strings.Contains(answer.Error, "worker 0") {
		t.Errorf("answered %+v", answer)
	}
	if st.workers[0].process.config != before {
		t.Error("it is in force all the same")
	}
	if got := st.try(0, ""); got != http.StatusSwitchingProtocols {
		t.Errorf("the worker serves no more: %d", got)
	}
}

// Reloads and handshakes meet in every order: run with the race detector.
func TestReloadsWhileClientsCome(t *testing.T) {
	st := newTheatre(t, 1, nil)
	var visitors sync.WaitGroup
	for range 4 {
		visitors.Go(func() {
			for range 25 {
				conn, _, err := websocket.DefaultDialer.Dial("ws://"+st.workers[0].address+"/ws", nil)
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			}
		})
	}
	for i := range 50 {
		st.reload(0, func(c *configType) {
			c.Limits.HandshakeMax += time.Duration(i%2) * time.Second
			c.Limits.HandshakesPendingMax += i
			c.Origins = []string{"https://good.example"}
		})
	}
	visitors.Wait()
}
