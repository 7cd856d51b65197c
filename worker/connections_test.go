package worker

import (
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// sessions asks a worker for sessions.
func (st *theatre) sessions(worker int, q control.Connections) (list []control.Connection, count control.ConnectionCount) {
	st.t.Helper()
	end, err := control.ReadAnswer(st.inquire(worker, control.Query{Kind: control.Sessions, Connections: &q}), func(r control.Response) error {
		var item control.ConnectionItem
		st.must(json.Unmarshal(r.Item, &item))
		if item.Connection != nil {
			list = append(list, *item.Connection)
		}
		if item.Count != nil {
			count = *item.Count
		}
		return nil
	})
	st.must(err)
	if !end.OK {
		st.t.Fatalf("%+v is answered with %+v", q, end)
	}
	return list, count
}

func local(g *guest) netip.AddrPort { return netip.MustParseAddrPort(g.conn.LocalAddr().String()) }

func TestLiveSessionsAreTold(t *testing.T) {
	st := newTheatre(t, 1, nil)
	before := time.Now().UnixMilli()
	first, second := st.visit(0), st.visit(0)
	first.subscribe("BTC.trade", "*.balances")
	st.produce("odin.trades", 0, "BTC", `{"n":1}`)
	st.produce("odin.trades", 1, "BTC", `{"n":2}`)
	first.next()
	first.next()
	list, count := st.sessions(0, control.Connections{})
	if len(list) != 2 || count != (control.ConnectionCount{Matching: 2, Looked: 2}) {
		t.Fatalf("%+v of %+v", list, count)
	}
	a, b := list[1], list[0] // the newest comes first
	if a.ID.String() != "0-1-1" || b.ID.String() != "0-1-2" || a.Remote != local(first) || b.Remote != local(second) {
		t.Errorf("%+v and %+v", a, b)
	}
	if a.State != control.StateOpen || a.Channels != 2 || a.Records != 2 || a.OwedBytes != 0 || a.Requests != 1 || a.BytesIn < 50 || a.Bytes < 300 {
		t.Errorf("the subscriber is %+v", a)
	}
	if a.OpenedMS < before-1000 || a.OpenedMS > time.Now().UnixMilli()+1000 || a.ClosedMS != 0 || a.Code != 0 || a.Reason != "" {
		t.Errorf("times and reason of %+v", a)
	}
	if b.Channels != 0 || b.Records != 0 || b.Requests != 0 {
		t.Errorf("the other one is %+v", b)
	}
	for pattern, want := range map[string]int{
		"BTC.trade": 1, "BTC.*": 0, "ETH.balances": 1, "*.balances": 1, "*.*": 0, "ETH.trade": 0, "nonsense": 0,
	} {
		if list, _ := st.sessions(0, control.Connections{Channel: pattern}); len(list) != want {
			t.Errorf("%s: %d sessions, want %d", pattern, len(list), want)
		}
	}
	if list, count := st.sessions(0, control.Connections{Limit: 1, Sort: control.ByRecords}); len(list) != 1 || list[0].ID != a.ID || count.Matching != 2 {
		t.Errorf("the one with the most records: %+v, %+v", list, count)
	}
}

// A client that comes back is found by what it calls itself, as long as it is
// there, and moves nobody's cursor by it.
func TestSessionsAreFoundByClientID(t *testing.T) {
	st := newTheatre(t, 1, nil)
	st.visit(0)
	var all []*guest
	for _, id := range []string{"c-81", `\u001b[2J\u009b\"\\`, ""} {
		g := st.visit(0)
		g.send(`{"type":"reconnect","data":{"client_id":"` + id + `","channels":[],"cursor":{}}}`)
		if m := g.next(); m.Type != "reconnect_ack" {
			t.Fatalf("%+v", m)
		}
		all = append(all, g)
	}
	for id, want := range map[string]int{"": 4, "c-81": 1, `\x1b[2J\u009b\"\\`: 1, "c-8": 0} {
		list, _ := st.sessions(0, control.Connections{Client: id})
		if len(list) != want || id != "" && want > 0 && list[0].Client != id {
			t.Errorf("%q: %+v", id, list)
		}
	}
	st.must(all[0].conn.Close())
	st.await("the session ends", func() bool { _, count := st.sessions(0, control.Connections{}); return count.Looked == 3 })
	st.visit(0) // in its place
	if list, _ := st.sessions(0, control.Connections{Client: "c-81"}); len(list) != 0 {
		t.Errorf("%+v goes by the name of who was there before", list)
	}
}

// Every way to end is remembered with who did it, and why.
func TestEndingsAreRemembered(t *testing.T) {
	st := newTheatre(t, 1, nil)
	mask := [4]byte{1, 2, 3, 4}
	frame := func(op wire.Opcode, payload string) []byte {
		return wire.AppendClientFrame(nil, true, op, []byte(payload), mask)
	}
	for name, tc := range map[string]struct {
		bytes  []byte
		code   int
		why    control.Ending
		detail string
	}{
		"own close":     {frame(wire.Close, "\x03\xe8"), 1000, control.ClientClosed, "code 1000"},
		"bare close":    {frame(wire.Close, ""), 1000, control.ClientClosed, "without a code"},
		"going away":    {frame(wire.Close, "\x03\xe9tab \x1b[2J\u009b"), 1001, control.ClientClosed, `code 1001 "tab \x1b[2J\u009b"`},
		"binary":        {frame(wire.Binary, "x"), 1003, control.ProtocolError, "a binary message"},
		"unmasked":      {wire.AppendFrame(nil, wire.Text, []byte("{}")), 1002, control.ProtocolError, "mask"},
		"bad utf-8":     {frame(wire.Text, "\xff\xfe"), 1007, control.ProtocolError, "UTF-8"},
		"too large":     {frame(wire.Text, strings.Repeat(" ", 1<<20)), 1009, control.ProtocolError, "larger"},
		"twenty errors": {bytes.Repeat(frame(wire.Text, "{"), 20), 1008, control.TooManyErrors, ""},
		"vanished":      {nil, 1006, control.ClientGone, "without a close frame"},
	} {
		t.Run(name, func(t *testing.T) {
			g := st.visit(0)
			addr := local(g)
			if _, err := g.conn.NetConn().Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			if tc.bytes == nil {
				g.conn.NetConn().Close()
			}
			var got []control.Connection
			st.await("it is remembered", func() bool {
				if tc.bytes != nil {
					_, _ = g.try()
				}
				g.conn.NetConn().Close()
				got, _ = st.sessions(0, control.Connections{Closed: true, Remote: addr.String()})
				return len(got) == 1
			})
			c := got[0]
			if c.State != control.StateClosed || c.Code != tc.code || c.Reason != tc.why || !strings.Contains(c.Detail, tc.detail) || c.Remote != addr {
				t.Errorf("remembered as %+v", c)
			}
			if c.ClosedMS < c.OpenedMS || c.OpenedMS == 0 || c.Bytes == 0 {
				t.Errorf("numbers of %+v", c)
			}
		})
	}
}

func TestSlowEndingIsRemembered(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.OwedBytesMax = 256 << 10 })
	slow, other := st.visit(0), st.visit(0)
	if tcp, ok := slow.conn.NetConn().(*net.TCPConn); ok {
		st.must(tcp.SetReadBuffer(4096))
	}
	slow.subscribe("BTC.trade")
	value := `"` + strings.Repeat("x", 64000) + `"`
	sent := uint64(0)
	st.await("the slow one is closed", func() bool {
		st.produce("odin.trades", 0, "BTC", value)
		sent++
		return st.segment.Slot(0).Counter(shm.SlowCloses) == 1
	})
	other.conn.NetConn().Close()
	var list []control.Connection
	st.await("both are remembered", func() bool {
		list, _ = st.sessions(0, control.Connections{Closed: true, Sort: control.ByOwed})
		return len(list) == 2
	})
	if c := list[0]; c.Reason != control.SlowConsumer || c.Code != 4000 || c.OwedBytes < 256<<10 || c.Channels != 1 || c.Records == 0 || c.Records >= sent {
		t.Errorf("of %d records the slow one is remembered as %+v", sent, c)
	}
	if list, count := st.sessions(0, control.Connections{Closed: true, Slow: true}); len(list) != 1 || count.Looked != 2 {
		t.Errorf("slow: %+v of %+v", list, count)
	}
}

func TestPingTimeoutIsRemembered(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.PingInterval, c.Limits.PongWait = 200*time.Millisecond, 200*time.Millisecond
	})
	deaf := st.visit(0)
	deaf.conn.SetPingHandler(func(string) error { return nil })
	for {
		if _, err := deaf.try(); err != nil {
			break
		}
	}
	list, _ := st.sessions(0, control.Connections{Closed: true})
	if len(list) != 1 || list[0].Reason != control.PingTimeout || list[0].Code != 1006 {
		t.Errorf("the deaf one is remembered as %+v", list)
	}
}

func TestRefusedQuestionsOfSessions(t *testing.T) {
	st := newTheatre(t, 1, nil)
	_, end := st.answer(st.inquire(0, control.Query{Kind: control.Sessions, Connections: &control.Connections{Remote: "x", Limit: -1}}))
	if end.OK || !strings.Contains(end.Error, "is no address") || !strings.Contains(end.Error, "-1 is out of range") {
		t.Errorf("%+v", end)
	}
}

// The ring holds the last ones, whatever its size and however many there were.
func TestClosedRing(t *testing.T) {
	for _, size := range []int{0, 1, closedPage - 1, closedPage, 3*closedPage + 5} {
		r := closedRing{max: size}
		for n := range uint64(5 * closedPage) {
			r.put(closedSession{number: n})
			if want := min(int(n)+1, size); r.len() != want {
				t.Fatalf("of %d: %d remembered, want %d", size, r.len(), want)
			}
			for i := range uint64(r.len()) {
				if got := r.at(r.total - 1 - i).number; got != n-i {
					t.Fatalf("of %d: the %d. last is %d, want %d", size, i, got, n-i)
				}
			}
		}
	}
}

// A ring of another size keeps what there is room for, and goes on.
func TestClosedRingResized(t *testing.T) {
	const n = 100
	for _, from := range []int{0, 3, closedPage, n, 10 * n} {
		for _, to := range []int{0, 1, 3, closedPage + 1, 20 * n} {
			r := closedRing{max: from}
			for i := range uint64(n) {
				r.put(closedSession{number: i})
			}
			r.resize(to)
			kept := min(n, from, to)
			for i := range uint64(kept) {
				if got := r.at(r.first + i).number; r.len() != kept || got != uint64(n-kept)+i {
					t.Fatalf("from %d to %d: of %d the %d. is %d", from, to, r.len(), i, got)
				}
			}
			for i := range uint64(n) {
				r.put(closedSession{number: n + i})
				if want := min(kept+int(i)+1, to); r.len() != want || to > 0 && r.at(r.total-1).number != n+i {
					t.Fatalf("from %d to %d: behind it %d, want %d", from, to, r.len(), want)
				}
			}
		}
	}
}

func TestQuotedIsBounded(t *testing.T) {
	for text, want := range map[string]string{
		"":                       `""`,
		"bye":                    `"bye"`,
		"\x1b]0;x\x07\u202e\xff": `"\x1b]0;x\a\u202e\xff"`,
	} {
		if got := quoted([]byte(text), 100); got != want {
			t.Errorf("%q is quoted as %s", text, got)
		}
	}
	for _, text := range []string{strings.Repeat("a", 123), strings.Repeat("\x00", 123), strings.Repeat("ä", 61)} {
		got := closeWords(append([]byte{0x03, 0xe8}, text...))
		if len(got) > control.DetailMax || !strings.HasPrefix(got, `code 1000 "`) {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
	if got := closeWords(websocket.FormatCloseMessage(4999, "")); got != "code 4999" {
		t.Error(got)
	}
}
