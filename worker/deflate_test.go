package worker

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

func enabled(c *configType) { c.Compression.Enabled = true }

// compressing is how a client dials that can inflate.
func compressing() *websocket.Dialer { return &websocket.Dialer{EnableCompression: true} }

// quotes is a value that is worth compressing.
func quotes(n int) string {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, `{"venue":"%d","price":"%d.25"},`, i, n+i)
	}
	return "[" + b.String() + "0]"
}

// A record is compressed once for all sessions that agreed on it, and every
// session gets the same.
func TestRecordsAreCompressedOnce(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	var guests []*guest
	for i := range 12 {
		g := st.visitBy([]*websocket.Dialer{websocket.DefaultDialer, compressing()}[i%2], 0)
		g.subscribe("*.trade", "A.trade")
		guests = append(guests, g)
	}
	const records = 300
	for i := range records {
		st.produce("odin.trades", 0, "A", quotes(i))
		if i%10 == 0 {
			st.produce("odin.trades", 0, "A", "0") // too small
		}
	}
	for _, g := range guests {
		for i := range records {
			if m := g.next(); string(m.Data) != quotes(i) {
				t.Fatalf("record %d is %+v", i, m)
			}
			if i%10 == 0 {
				if m := g.next(); string(m.Data) != "0" {
					t.Fatalf("behind record %d comes %+v", i, m)
				}
			}
		}
	}
	slot := st.segment.Slot(0)
	if got := slot.Counter(shm.DeflatedRecords); got != records {
		t.Errorf("%d records were compressed, want %d", got, records)
	}
	size := uint64(len(quotes(0)))
	if saved := slot.Counter(shm.DeflateSavedBytes); saved < 6*records*size/2 || saved > 6*records*size || slot.Counter(shm.DeflateTime) == 0 {
		t.Errorf("%d bytes were spared, %d ns", saved, slot.Counter(shm.DeflateTime))
	}
	st.await("the gauges are there", func() bool {
		return slot.Gauge(shm.DeflatingSessions) == 6 && slot.Gauge(shm.HistoryDeflatedBytes) > 0 && slot.Gauge(shm.HistoryDeflatedBytes) < int64(records*size)
	})
	for _, g := range guests {
		g.conn.Close()
	}
	st.await("nobody wants it compressed", func() bool { return slot.Gauge(shm.DeflatingSessions) == 0 })
}

// Where nobody wants it, nothing is compressed.
func TestNothingIsCompressedForNobody(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*configType)
		dialer *websocket.Dialer
	}{
		"not configured": {nil, compressing()},
		"not offered":    {enabled, websocket.DefaultDialer},
	} {
		t.Run(name, func(t *testing.T) {
			st := newTheatre(t, 1, c.change)
			g := st.visitBy(c.dialer, 0)
			g.subscribe("A.trade")
			st.produce("odin.trades", 0, "A", quotes(1))
			if m := g.next(); string(m.Data) != quotes(1) {
				t.Errorf("got %+v", m)
			}
			slot := st.segment.Slot(0)
			if n := slot.Counter(shm.DeflatedRecords) + slot.Counter(shm.DeflateFutile); n != 0 {
				t.Errorf("%d records were compressed", n)
			}
			if st.workers[0].process.deflating.compressor != nil {
				t.Error("there is a compressor")
			}
		})
	}
}

// shake does a handshake with offers of extensions, and gives the answer's.
func (st *theatre) shake(offers ...string) (conn net.Conn, in *bufio.Reader, extension string) {
	st.t.Helper()
	conn, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	st.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	head := "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, o := range offers {
		head += "Sec-WebSocket-Extensions: " + o + "\r\n"
	}
	_, err = io.WriteString(conn, head+"\r\n")
	st.must(err)
	in = bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	st.must(err)
	if answer.StatusCode != http.StatusSwitchingProtocols {
		st.t.Fatalf("%q: %s", offers, answer.Status)
	}
	return conn, in, answer.Header.Get("Sec-WebSocket-Extensions")
}

// readFrame reads one frame of the server's.
func (st *theatre) readFrame(in *bufio.Reader) []byte {
	st.t.Helper()
	var head []byte
	for size := 2; ; {
		b, err := in.Peek(size)
		st.must(err)
		if head = b; size == 2 && b[1] >= 126 {
			size = map[byte]int{126: 4, 127: 10}[b[1]]
			continue
		}
		break
	}
	frame := make([]byte, wire.FrameSize(head))
	_, err := io.ReadFull(in, frame)
	st.must(err)
	return frame
}

func TestOffersOfExtensions(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	const agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for _, c := range []struct {
		offers []string
		want   string
	}{
		{nil, ""},
		{[]string{"permessage-deflate; client_max_window_bits"}, agreed},
		{[]string{"x-unknown", "permessage-deflate; server_max_window_bits=10"}, agreed + "; server_max_window_bits=10"},
		{[]string{"permessage-deflate; server_max_window_bits=99, permessage-deflate"}, agreed},
		{[]string{"permessage-deflate; server_max_window_bits=99"}, ""},
		{[]string{"permessage-deflate; what"}, ""},
		{[]string{";;=,,"}, ""},
	} {
		_, in, got := st.shake(c.offers...)
		if got != c.want {
			t.Errorf("%q: agreed on %q, want %q", c.offers, got, c.want)
		}
		if hello := st.readFrame(in); wire.Deflated(hello) || !bytes.Contains(hello, []byte(`"hello"`)) {
			t.Errorf("%q: greeted with %q", c.offers, hello)
		}
	}
}

// A client with a small window gets compressed what fits into it, and all else
// as it is.
func TestSmallWindows(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		enabled(c)
		c.Compression.MinBytes = 0
	})
	conn, in, _ := st.shake("permessage-deflate; server_max_window_bits=9")
	st.readFrame(in)
	_, err := conn.Write(wire.AppendClientFrame(nil, true, wire.Text, []byte(`{"type":"subscribe","data":{"channels":["A.trade"]}}`), [4]byte{}))
	st.must(err)
	st.readFrame(in)
	large, small := quotes(1), `"`+strings.Repeat("small ", 50)+`"`
	var z deflate.Inflater
	for i, value := range []string{large, small, large, small} {
		st.produce("odin.trades", 0, "A", value)
		frame := st.readFrame(in)
		if wire.Deflated(frame) != (value == small) {
			t.Errorf("record %d of %d bytes: compressed is %v", i, len(value), wire.Deflated(frame))
		}
		if !wire.Deflated(frame) {
			continue
		}
		payload, err := z.Inflate(frame[len(frame)-payloadOf(frame):], 512)
		if err != nil || !bytes.Contains(payload, []byte(value)) {
			t.Errorf("record %d inflates to %q, %v", i, payload, err)
		}
	}
}

func payloadOf(frame []byte) int {
	if frame[1] < 126 {
		return int(frame[1])
	}
	return len(frame) - 4
}

func TestRequestsAreInflated(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	g := st.visitBy(compressing(), 0)
	g.conn.EnableWriteCompression(true)
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("C%d.trade", i))
	}
	if ack := g.subscribe(many...); ack.Count != 500 {
		t.Errorf("answered with %+v", ack)
	}
	g.conn.EnableWriteCompression(false)
	g.send(`{"type":"heartbeat"}`)
	if m := g.next(); m.Type != "pong" {
		t.Errorf("answered with %+v", m)
	}
	if n := st.segment.Slot(0).Counter(shm.InflatedMessages); n != 1 {
		t.Errorf("%d messages were inflated", n)
	}
	st.workers[0].process.inLoop(func(p *process) {
		p.sessions.each(func(s *session) {
			if s.reader.Buffered() != 0 || s.rest != nil {
				t.Errorf("a session holds %d and %d bytes", s.reader.Buffered(), len(s.rest))
			}
		})
	})
}

func TestClosesOfClientsThatCompressWrongly(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	c, err := deflate.NewCompressor(deflate.LevelMax)
	st.must(err)
	small := func(plain string) []byte { payload, _ := c.Append(nil, []byte(plain)); return payload }
	marked := func(final bool, op wire.Opcode, payload []byte) []byte {
		frame := wire.AppendClientFrame(nil, final, op, payload, [4]byte{1, 2, 3, 4})
		frame[0] |= 0x40
		return frame
	}
	for name, tc := range map[string]struct {
		bytes []byte
		code  int
	}{
		"corrupt":             {marked(true, wire.Text, []byte("{}")), 1002},
		"cut short":           {marked(true, wire.Text, small(quotes(1))[:40]), 1002},
		"marked ping":         {marked(true, wire.Ping, nil), 1002},
		"marked continuation": {append(marked(false, wire.Text, nil), marked(true, wire.Continuation, nil)...), 1002},
		"bad utf-8":           {marked(true, wire.Text, small("\xff\xfe")), 1007},
		"binary":              {marked(true, wire.Binary, small("x")), 1003},
		"a bomb":              {marked(true, wire.Text, small(strings.Repeat(" ", 100<<20))), 1009},
	} {
		t.Run(name, func(t *testing.T) {
			g := st.visitBy(compressing(), 0)
			if _, err := g.conn.NetConn().Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			if ce := g.closed(); ce.Code != tc.code {
				t.Fatalf("closed with %v, want %d", ce, tc.code)
			}
		})
	}
	g := st.visit(0) // who agreed on nothing may not mark anything
	_, err = g.conn.NetConn().Write(marked(true, wire.Text, small(`{"type":"heartbeat"}`)))
	st.must(err)
	if ce := g.closed(); ce.Code != 1002 {
		t.Errorf("closed with %v", ce)
	}
	st.await("nobody is left", func() bool {
		slot := st.segment.Slot(0)
		return slot.Gauge(shm.Sessions) == 0 && slot.Gauge(shm.DeflatingSessions) == 0
	})
}

// A reload is for those who come then; a session keeps what it agreed on.
func TestReloadOfCompression(t *testing.T) {
	st := newTheatre(t, 1, nil)
	before := st.visitBy(compressing(), 0)
	before.subscribe("A.trade")
	st.reload(0, func(c *configType) { c.Compression.Enabled, c.Compression.Level, c.Compression.MinBytes = true, 9, 0 })
	during := st.visitBy(compressing(), 0)
	during.subscribe("A.trade")
	var level int
	st.workers[0].process.inLoop(func(p *process) { level = p.deflating.level })
	if level != 9 {
		t.Errorf("level %d", level)
	}
	st.reload(0, func(c *configType) { c.Compression.Enabled, c.Compression.Level = false, 3 })
	st.workers[0].process.inLoop(func(p *process) { level = p.deflating.level })
	if level != 3 {
		t.Errorf("level %d", level)
	}
	if _, _, extension := st.shake(deflate.Extension); extension != "" {
		t.Errorf("agreed on %q", extension)
	}
	during.conn.EnableWriteCompression(true)
	during.send(`{"type":"heartbeat"}`)
	if m := during.next(); m.Type != "pong" {
		t.Errorf("answered with %+v", m)
	}
	st.produce("odin.trades", 0, "A", quotes(1))
	for _, g := range []*guest{before, during} {
		if m := g.next(); string(m.Data) != quotes(1) {
			t.Errorf("got %+v", m)
		}
	}
	if n := st.segment.Slot(0).Counter(shm.DeflatedRecords); n != 1 {
		t.Errorf("%d records were compressed", n)
	}
}

// However many sessions want a record, it is neither compressed nor copied
// again, and nothing is allocated for one of them.
func TestCompressedDeliveryDoesNotAllocate(t *testing.T) {
	p := stopped(t, enabled)
	extension, window := p.agree([]string{deflate.Extension})
	if extension == "" {
		t.Fatal("nothing was agreed on")
	}
	for range 200 {
		s, _ := guestOf(t, p)
		p.deflating.join(s, window)
		if _, err := p.hub.Subscribe(&s.subs, s.index, []byte("A.trade")); err != nil {
			t.Fatal(err)
		}
	}
	ref := p.place(wire.AppendRecord(nil, []byte("A.trade"), event.Partition{Topic: "odin.trades"}, 1, 1, []byte(quotes(1))))
	deliver := func() {
		p.deliver(&replica.Entry{Channel: []byte("A.trade"), Ref: ref})
		p.touched, p.applied = p.touched[:0], p.applied[:0]
		p.sessions.each(func(s *session) {
			s.touched = false
			p.release(s)
		})
	}
	deliver()
	if n := testing.AllocsPerRun(50, deliver); n > 1 {
		t.Errorf("%v allocations for a record to 200 sessions", n)
	}
}

// place puts a frame into the store, in no partition.
func (p *process) place(frame []byte) replica.Ref { return p.store.PutDeflated(frame, replica.Ref{}) }

// Sessions with and without compression, in turns, don't have each other's
// pieces gathered anew.
func TestGatheredOnceForEachKind(t *testing.T) {
	p := stopped(t, enabled)
	var refs []replica.Ref
	for i := range 4 {
		refs = append(refs, p.place(wire.AppendFrame(nil, wire.Text, []byte(fmt.Sprint("record ", i)))))
	}
	plain, deflated := &session{}, &session{window: 15}
	for _, i := range []int{0, 2} {
		plain.queue.Attach(hub.Piece(refs[i]))
		deflated.queue.Attach(hub.Piece(refs[i+1]))
	}
	w := &p.writer
	first := map[*session][]byte{}
	for _, s := range []*session{plain, deflated} {
		first[s] = bytes.Clone(w.gather(&s.queue, w.gatheredFor(s)))
	}
	w.plain.bytes[0], w.deflated.bytes[0] = 'p', 'd' // who gathers anew mends that
	for _, s := range []*session{plain, deflated, plain} {
		got := w.gather(&s.queue, w.gatheredFor(s))
		if want := map[*session]byte{plain: 'p', deflated: 'd'}[s]; got[0] != want || !bytes.Equal(got[1:], first[s][1:]) {
			t.Errorf("%q, gathered first as %q", got, first[s])
		}
	}
	w.forget()
	if got := w.gather(&plain.queue, w.gatheredFor(plain)); got[0] == 'p' {
		t.Error("what was gathered is not forgotten")
	}
}

// A fault of the compression costs one session its life, and the record goes
// to the others as it is.
func TestCompressionFaults(t *testing.T) {
	p := stopped(t, enabled)
	_, window := p.agree([]string{deflate.Extension})
	var all []*session
	for range 3 {
		s, _ := guestOf(t, p)
		p.deflating.join(s, window)
		if _, err := p.hub.Subscribe(&s.subs, s.index, []byte("A.trade")); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	p.deflating.compressor = nil // the defect
	ref := p.place(wire.AppendFrame(nil, wire.Text, []byte(quotes(1))))
	p.deliver(&replica.Entry{Channel: []byte("A.trade"), Ref: ref})
	doomed := 0
	for _, s := range all {
		switch {
		case s.doomed:
			doomed++
		case len(s.queue.Pieces) != 1 || s.queue.Pieces[0] != hub.Piece(ref):
			t.Errorf("a session is owed %v", s.queue.Pieces)
		}
	}
	if doomed != 1 || len(p.doomed) != 1 || p.doomed[0].fault == "" {
		t.Errorf("%d sessions are doomed: %+v", doomed, p.doomed)
	}
}
