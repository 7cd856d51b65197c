package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

type configType = config.Config

func (g *guest) closed() *websocket.CloseError {
	g.t.Helper()
	for {
		_, err := g.try()
		var ce *websocket.CloseError
		if errors.As(err, &ce) {
			return ce
		}
		if err != nil {
			g.t.Fatalf("no close frame, but %v", err)
		}
	}
}

func TestRequestsAndTheirAnswers(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.ChannelsMax = 3 })
	g := st.visit(0)
	ack := g.subscribe("BTC.trade", "bad", "*.balances", "BTC.trade", "ETH.trade", "SOL.trade")
	if ack.Count != 3 || len(ack.Rejected) != 2 || ack.Rejected[0].Code != "bad_channel" || ack.Rejected[1].Code != "too_many_channels" {
		t.Fatalf("ack %+v", ack)
	}
	if len(ack.Cursor["odin.trades"].Offsets) != 4 || len(ack.Cursor["odin.balances"].Offsets) != 4 {
		t.Fatalf("cursor %+v", ack.Cursor)
	}
	g.send(`{"type":"unsubscribe","id":"u","data":{"channels":["BTC.trade","*.balances","never.was"]}}`)
	if m := g.next(); m.Type != "unsubscription_ack" || m.Count != 1 || len(m.Unsubscribed) != 2 || *m.ID != "u" {
		t.Fatalf("got %+v", m)
	}
	for _, tc := range []struct{ text, code string }{
		{`nonsense`, "bad_json"},
		{`{"type":"dance"}`, "unknown_type"},
		{`{"type":"subscribe","data":{"channels":"BTC.trade"}}`, "bad_request"},
		{`{"type":"subscribe","data":{"channels":["A.b"],"last":-1}}`, "bad_request"},
		{`{"type":"reconnect","data":{"client_id":"c","channels":["A.b"],"cursor":{}}}`, "bad_request"},
	} {
		g.send(tc.text)
		if m := g.next(); m.Type != "error" || m.Code != tc.code || m.Message == "" {
			t.Errorf("%s: %+v", tc.text, m)
		}
	}
	st.produce("odin.trades", 1, "BTC", `1`)
	st.produce("odin.trades", 1, "ETH", `2`)
	if m := g.next(); m.Channel != "ETH.trade" {
		t.Fatalf("unsubscribed, but got %+v", m)
	}
}

func TestClosesOfBrokenClients(t *testing.T) {
	st := newTheatre(t, 1, nil)
	mask := [4]byte{1, 2, 3, 4}
	for name, tc := range map[string]struct {
		bytes []byte
		code  int
	}{
		"binary":        {wire.AppendClientFrame(nil, true, wire.Binary, []byte("x"), mask), 1003},
		"unmasked":      {wire.AppendFrame(nil, wire.Text, []byte("{}")), 1002},
		"reserved bits": {append([]byte{0xf1}, wire.AppendClientFrame(nil, true, wire.Text, []byte("{}"), mask)[1:]...), 1002},
		"bad utf-8":     {wire.AppendClientFrame(nil, true, wire.Text, []byte("\xff\xfe"), mask), 1007},
		"1 MiB":         {wire.AppendClientFrame(nil, true, wire.Text, bytes.Repeat([]byte(" "), 1<<20), mask), 1009},
		"own close":     {wire.AppendClientFrame(nil, true, wire.Close, []byte{0x03, 0xe8}, mask), 1000},
		"twenty errors": {bytes.Repeat(wire.AppendClientFrame(nil, true, wire.Text, []byte("{"), mask), 20), 1008},
	} {
		t.Run(name, func(t *testing.T) {
			g := st.visit(0)
			if _, err := g.conn.NetConn().Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			if ce := g.closed(); ce.Code != tc.code {
				t.Fatalf("closed with %v, want %d", ce, tc.code)
			}
		})
	}
	st.await("all of them are gone", func() bool { return st.segment.Slot(0).Gauge(shm.Sessions) == 0 })
}

func TestAByteAtATime(t *testing.T) {
	st := newTheatre(t, 1, nil)
	g := st.visit(0)
	for _, b := range wire.AppendClientFrame(nil, true, wire.Text, []byte(`{"type":"heartbeat"}`), [4]byte{9, 8, 7, 6}) {
		if _, err := g.conn.NetConn().Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if m := g.next(); m.Type != "pong" {
		t.Fatalf("got %+v", m)
	}
}

// A client that doesn't read is closed once its queue is full; the others get
// everything.
func TestSlowConsumerIsClosedAndHarmsNobody(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.OwedBytesMax = 256 << 10 })
	slow, good := st.visit(0), st.visit(0)
	if tcp, ok := slow.conn.NetConn().(*net.TCPConn); ok {
		st.must(tcp.SetReadBuffer(4096))
	}
	slow.subscribe("BTC.trade")
	good.subscribe("BTC.trade")
	value := `"` + strings.Repeat("x", 64000) + `"`
	const n = 250
	for i := range n {
		st.produce("odin.trades", 0, "BTC", value)
		if m := good.next(); m.Pos != fmt.Sprintf("odin.trades:0:%d", i) {
			t.Fatalf("record %d: %+v", i, m.Pos)
		}
	}
	slot := st.segment.Slot(0)
	st.await("the slow one is closed", func() bool {
		return slot.Counter(shm.SlowCloses) == 1 && st.segment.Slot(0).Gauge(shm.Sessions) == 1
	})
}

func TestPingsKeepAndEndSessions(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.PingInterval, c.Limits.PongWait = 200*time.Millisecond, 300*time.Millisecond
	})
	deaf, good := st.visit(0), st.visit(0)
	deaf.conn.SetPingHandler(func(string) error { return nil })
	go func() {
		for {
			if _, _, err := good.conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	_ = deaf.conn.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := deaf.conn.ReadMessage(); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Fatalf("a client without pongs was kept: %v", err)
	}
	slot := st.segment.Slot(0)
	pongs := slot.Counter(shm.PongsReceived)
	st.await("the other one answers on", func() bool { return slot.Counter(shm.PongsReceived) > pongs+3 })
	if n := st.segment.Slot(0).Gauge(shm.Sessions); n != 1 {
		t.Fatalf("%d sessions, want the good one", n)
	}
}

func TestStopClosesEverySessionWithAWindow(t *testing.T) {
	st := newTheatre(t, 1, nil)
	var guests []*guest
	for range 20 {
		guests = append(guests, st.visit(0))
	}
	a := st.workers[0]
	a.send(t, control.Message{Type: control.Stop, OverMS: 500})
	for _, g := range guests {
		ce := g.closed()
		var reason wire.CloseReason
		if err := json.Unmarshal([]byte(ce.Text), &reason); ce.Code != 1001 || err != nil || reason.RetryMaxMS == 0 {
			t.Fatalf("closed with %v", ce)
		}
		g.conn.Close()
	}
	select {
	case code := <-a.ended:
		if code != 0 {
			t.Fatalf("exit %d", code)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

func TestRefusalsBeforeTheUpgrade(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.ConnectionsMax = 1
		c.Origins = []string{"https://good.example"}
		c.Limits.HandshakeMax = 300 * time.Millisecond
	})
	base := "http://" + st.workers[0].address
	for path, want := range map[string]int{"/ws": 400, "/nowhere": 404, "/health": 200} {
		resp, err := http.Get(base + path)
		st.must(err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || !json.Valid(body) {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
	dial := func(origin string) int {
		conn, resp, err := websocket.DefaultDialer.Dial("ws://"+st.workers[0].address+"/ws", http.Header{"Origin": {origin}})
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			return 101
		}
		if resp == nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 503 && resp.Header.Get("Retry-After") != "5" {
			t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
		}
		return resp.StatusCode
	}
	if got := dial("https://evil.example"); got != 403 {
		t.Errorf("a foreign origin: %d", got)
	}
	if got := dial("https://good.example"); got != 101 {
		t.Errorf("a good origin: %d", got)
	}
	if got := dial("https://good.example"); got != 503 {
		t.Errorf("beyond the limit of connections: %d", got)
	}
	p := st.workers[0].process
	p.inLoop(func(p *process) { p.terms.sessionsMax, p.terms.descriptors = 10, 1 })
	if got := dial("https://good.example"); got != 503 || st.segment.Slot(0).Counter(shm.RefusedFds) != 1 {
		t.Errorf("beyond the descriptors: %d", got)
	}
	silent, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	defer silent.Close()
	_ = silent.SetReadDeadline(time.Now().Add(patience))
	if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, errTimeout) {
		t.Errorf("a silent connection was kept: %v", err)
	}
	if n := st.segment.Slot(0).Gauge(shm.PendingHandshakes); n != 0 {
		t.Errorf("%d handshakes still count as pending", n)
	}
}

var errTimeout = errors.New("i/o timeout")
